// The charts of one node: lines with breaks, min-max bands, backfilled points, shaded spans.

import { byId, el } from "./dom.js";
import { number, plotTime, quantity, scaled, unitText } from "./format.js";
import { cause, chartNames, isAction, threshold, unitOf } from "./node.js";
import { color } from "./theme.js";

// Which channels go where; the first group that takes a name has it. second: right axis.
const GROUPS = [
  { id: "soil", title: "Soil moisture", wide: true, takes: (n) => n.replace(/\.mean$/, "").endsWith(".vwc") },
  { id: "model", title: "Model: dry soil in", takes: (n) => n.startsWith("model.") },
  { id: "temperature", title: "Temperature", takes: (n, unit) => unit === "Cel" },
  { id: "rain", title: "Rain", bars: true, takes: (n) => /\brain\b/.test(n) },
  { id: "humidity", title: "Air humidity", takes: (n, unit) => unit === "%RH" },
  { id: "battery", title: "Battery", takes: (n, unit) => unit === "V" },
  { id: "pressure", title: "Air pressure", takes: (n, unit) => unit === "Pa" },
];
const COLORS = ["soil", "second", "third", "water"];
const SHADES = { outage: "shade-outage", off: "shade-off", silent: "shade-off", dropped: "shade-off", sensor: "shade-sensor" };

// [{group, names}] of a node, in the order of GROUPS; names that no group takes come last.
export function plan(device) {
  const groups = new Map();
  for (const name of chartNames(device)) {
    const unit = unitOf(device, name);
    const group = GROUPS.find((g) => g.takes(name, unit)) ?? { id: `other-${unit}`, title: name };
    const entry = groups.get(group.id) ?? { group, names: [] };
    entry.names.push(name);
    groups.set(group.id, entry);
  }
  return [...groups.values()].sort((a, b) => place(a.group) - place(b.group));
}

const place = (group) => (GROUPS.indexOf(group) < 0 ? GROUPS.length : GROUPS.indexOf(group));

export function drawCharts(device, planned, loaded, context) {
  const host = byId("charts");
  const wanted = new Set(planned.map(({ group }) => `card-${group.id}`));
  for (const old of [...host.children]) if (!wanted.has(old.id)) host.removeChild(old);
  planned.forEach(({ group, names }, i) => {
    const card = byId(`card-${group.id}`) ?? makeCard(group);
    if (host.children[i] !== card) host.insertBefore(card, host.children[i] ?? null);
    const series = names.map((name) => loaded.get(name)).filter(Boolean);
    drawOne(card, device, group, series, context);
  });
}

function makeCard(group) {
  return el(
    "section",
    { class: `card chart-card ${group.wide ? "is-wide" : ""}`, id: `card-${group.id}` },
    el("h3", {}),
    el("div", { class: "chart", id: `chart-${group.id}`, role: "img", "data-testid": `chart-${group.id}` }),
    el("p", { class: "chart-text" }),
  );
}

function drawOne(card, device, group, series, context) {
  const chart = card.querySelector(".chart");
  const traces = series.flatMap((s, i) => tracesOf(s, color(COLORS[i % COLORS.length]), group, series.length));
  const dry = group.id === "soil" ? threshold(device, "dry_pct") : null;
  const waterings = group.id === "soil" && series.length ? wateringTrace(series[0], context.events) : null;
  if (waterings) traces.push(waterings);
  Plotly.react(chart, traces, layoutOf(group, series, dry, context), CONFIG);
  heading(card, group, series);
  describe(card, device, group, series);
  label(chart, series, { dry, spans: context.spans, waterings });
}

const CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: "reset" };

// A line for what came live, a dotted one with markers for what came later, a band for buckets.
function tracesOf(series, stroke, group, count) {
  const x = series.t.map(plotTime);
  const y = series.mean.map((v) => scaled(v, series.unit));
  const hover = `%{y:.2f} ${unitText(series.unit)}<extra>${short(series.name)}</extra>`;
  if (group.bars) return [{ type: "bar", x, y, name: series.name, marker: { color: color("water") }, hovertemplate: hover }];
  const line = { color: stroke, width: 2 };
  const live = { x, y: only(y, series.backlog, 0), mode: "lines", name: series.name, line, hovertemplate: hover };
  const traces = count === 1 && series.bucket_s ? [...band(series, x)] : [];
  traces.push({ ...live, connectgaps: false, meta: "live" });
  if (series.backlog.includes(1)) traces.push(backfill(series, x, y, count > 1 ? stroke : color("backfill")));
  return traces;
}

// Points of one kind, with their neighbours so that the two lines meet.
function only(y, backlog, kind) {
  return y.map((value, i) => {
    const touches = kind === 1 && (backlog[i - 1] === 1 || backlog[i + 1] === 1);
    return backlog[i] === kind || (touches && backlog[i] === 0) ? value : null;
  });
}

function backfill(series, x, y, style) {
  return {
    x,
    y: only(y, series.backlog, 1),
    mode: "lines+markers",
    name: `${series.name} (backfilled)`,
    meta: "backfill",
    line: { color: style, width: 2, dash: "dot" },
    marker: { color: color("card"), size: 5, line: { color: style, width: 1.5 } },
    hovertemplate: `%{y:.2f} ${unitText(series.unit)} (came later)<extra>${short(series.name)}</extra>`,
  };
}

// One closed outline (along the maxima, back along the minima) for each stretch without a break.
function band(series, x) {
  const outline = { x: [], y: [] };
  const add = (i, value) => {
    outline.x.push(x[i]);
    outline.y.push(scaled(value, series.unit));
  };
  for (const [start, end] of stretches(series.mean)) {
    for (let i = start; i < end; i++) add(i, series.max[i]);
    for (let i = end - 1; i >= start; i--) add(i, series.min[i]);
    outline.x.push(null);
    outline.y.push(null);
  }
  const look = { mode: "lines", line: { width: 0 }, fill: "toself", fillcolor: color("soil-band") };
  return [{ ...outline, ...look, name: "min to max", hoverinfo: "skip", meta: "band" }];
}

// [start, end) of every run of values that are not null.
function stretches(values) {
  const found = [];
  let start = null;
  [...values, null].forEach((value, i) => {
    if (value !== null) start ??= i;
    else if (start !== null) {
      found.push([start, i]);
      start = null;
    }
  });
  return found;
}

// Pump starts, drawn on the moisture line, with their cause.
function wateringTrace(series, events) {
  const starts = events.filter((e) => isAction(e) && e.entries[0].value);
  const points = starts.map((e) => ({ e, y: near(series, e.time_s) })).filter((p) => p.y !== null);
  if (!points.length) return null;
  return {
    x: points.map(({ e }) => plotTime(e.time_s)),
    y: points.map(({ y }) => y),
    text: points.map(({ e }) => cause(e)),
    mode: "markers",
    name: "watering",
    meta: "watering",
    cliponaxis: false,
    marker: { symbol: "triangle-down", size: 12, color: color("water"), line: { color: color("card"), width: 1.5 } },
    hovertemplate: "watering: %{text}<extra></extra>",
  };
}

function near(series, time_s) {
  let best = null;
  let distance = Infinity;
  series.t.forEach((t, i) => {
    if (series.mean[i] === null || Math.abs(t - time_s) >= distance) return;
    [best, distance] = [series.mean[i], Math.abs(t - time_s)];
  });
  return best;
}

function layoutOf(group, series, dry, { range, spans }) {
  const ink = color("muted");
  const axis = { gridcolor: color("grid"), linecolor: color("line"), zeroline: false, tickfont: { size: 12, color: ink }, fixedrange: true };
  const unit = series[0]?.unit ?? "";
  const limits = unit === "/" ? { range: [-2, 102] } : {};
  return {
    uirevision: group.id,
    margin: { l: 46, r: 14, t: 12, b: 28 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", color: color("ink"), size: 12 },
    hovermode: "x unified",
    hoverlabel: { bgcolor: color("card"), bordercolor: color("line"), font: { color: color("ink"), size: 13 } },
    dragmode: false,
    showlegend: false,
    xaxis: { ...axis, type: "date", range: [plotTime(range.from), plotTime(range.to)], showgrid: false, nticks: 7, tickformat: tickFormat(range), hoverformat: "%a %e %b, %H:%M" },
    yaxis: { ...axis, ...limits, ticksuffix: ` ${unitText(unit)}`, nticks: 5, automargin: true },
    shapes: [...shades(group, series, spans, range), ...(dry === null ? [] : [dryLine(dry)])],
    annotations: dry === null ? [] : [dryLabel(dry)],
  };
}

const tickFormat = ({ from, to }) => (to - from < 2 * 86400 ? "%H:%M" : "%e %b");

function shades(group, series, spans, range) {
  const sensors = new Set(series.map((s) => s.name.split(".")[0]));
  return spans
    .filter((span) => span.kind !== "sensor" || sensors.has(span.text))
    .map((span) => ({
      type: "rect",
      name: span.kind,
      xref: "x",
      yref: "paper",
      x0: plotTime(Math.max(span.from_s, range.from)),
      x1: plotTime(Math.min(span.to_s ?? range.to, range.to)),
      y0: 0,
      y1: 1,
      fillcolor: color(SHADES[span.kind]),
      line: { width: 0 },
      layer: "below",
    }));
}

const dryLine = (dry) => ({
  type: "line", name: "dry", xref: "paper", yref: "y", x0: 0, x1: 1, y0: dry, y1: dry,
  line: { color: color("dry"), width: 1.5, dash: "dash" },
});

const dryLabel = (dry) => ({
  xref: "paper", yref: "y", x: 1, y: dry, xanchor: "right", yanchor: "bottom", showarrow: false,
  text: `dry below ${number(dry)} %`, font: { size: 12, color: color("dry") },
});

const short = (name) => name.replace(/^model\./, "").replace(/\.mean$/, "");

function heading(card, group, series) {
  const keys = series.length < 2 ? [] : series.map((s, i) => el("span", { class: "key", style: `color: ${color(COLORS[i % COLORS.length])}` }, keyText(s.name)));
  card.querySelector("h3").replaceChildren(group.title, ...keys);
}

function keyText(name) {
  const days = /^model\.dry_(\d+)d$/.exec(name);
  if (days) return `${days[1]} day${days[1] === "1" ? "" : "s"}`;
  return short(name).split(".")[0];
}

// The chart in words, for those who cannot see it.
function describe(card, device, group, series) {
  const texts = series.map((s) => {
    const values = s.mean.filter((v) => v !== null);
    if (!values.length) return `${short(s.name)}: no values in this range`;
    const low = Math.min(...s.min.filter((v) => v !== null));
    const high = Math.max(...s.max.filter((v) => v !== null));
    const last = quantity(values.at(-1), s.unit);
    if (series.length > 1) return `${keyText(s.name)} ${last}`;
    return `${quantity(low, s.unit)} to ${quantity(high, s.unit)}, last ${last}`;
  });
  const text = texts.join(" · ");
  card.querySelector(".chart-text").textContent = text;
  card.querySelector(".chart").setAttribute("aria-label", `${group.title} of ${device.name}: ${text}`);
}

// What was drawn, for tests and for other programs that read the page.
function label(chart, series, { dry, spans, waterings }) {
  const flags = series.flatMap((s) => s.backlog);
  const values = series.flatMap((s) => s.mean);
  chart.dataset.points = values.filter((v) => v !== null).length;
  chart.dataset.backfill = flags.filter((flag) => flag === 1).length;
  chart.dataset.breaks = values.filter((v) => v === null).length;
  chart.dataset.outages = spans.filter((span) => span.kind === "outage").length;
  chart.dataset.waterings = waterings ? waterings.x.length : 0;
  chart.dataset.dry = dry ?? "";
}
