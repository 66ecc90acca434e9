// Alerts, the site plan and the totals.

import { byId, el, replace, svg } from "./dom.js";
import { ago, bytes, dateTime, integer, number } from "./format.js";
import { soilState } from "./node.js";

export function drawAlerts(alerts, devices, wall_s) {
  const names = new Map(devices.map((device) => [device.id, device.name]));
  const open = alerts.filter((alert) => alert.closed_s === null);
  const closed = alerts.filter((alert) => alert.closed_s !== null).slice(0, 20);
  const none = el("li", { class: "none" }, "All quiet.");
  replace(byId("alerts"), open.length ? open.map((alert) => row(alert, names, wall_s)) : [none]);
  byId("alerts-title").textContent = open.length ? `Alerts (${open.length})` : "Alerts";
  byId("closed-alerts").hidden = !closed.length;
  replace(byId("alerts-closed"), closed.map((alert) => row(alert, names, wall_s)));
}

const MARKS = { critical: "▲", warning: "▲", info: "●" };

function row(alert, names, wall_s) {
  const who = names.get(alert.device) ?? (alert.device || "Gateway");
  const when = alert.closed_s === null
    ? `since ${dateTime(alert.opened_s)} (${ago(alert.opened_s, wall_s)})`
    : `${dateTime(alert.opened_s)} to ${dateTime(alert.closed_s)}`;
  const times = alert.count > 1 ? ` · ${integer(alert.count)}×` : "";
  return el(
    "li",
    { "data-kind": alert.kind, "data-device": alert.device, "data-open": alert.closed_s === null },
    el("span", { class: `mark ${alert.closed_s === null ? alert.severity : "closed"}`, title: alert.severity }, alert.closed_s === null ? MARKS[alert.severity] : "✓"),
    el("span", {}, el("b", {}, who), `: ${alert.text}`),
    el("span", { class: "when" }, when + times),
  );
}

// A plain plan: north is up, one metre is one metre in both directions.
const SIDE = 264;
const HIGH = 200;
const EDGE = 38;
const FOOT = 30; // for the scale bar
const SPOT = { good: "var(--ok)", near: "var(--warn)", dry: "var(--crit)", unknown: "var(--muted)" };
const METRES_PER_DEGREE = 111320;

export function drawMap(devices, selected, onSelect) {
  const placed = devices.filter((d) => Number.isFinite(d.info.lat) && Number.isFinite(d.info.lon));
  byId("map-card").hidden = placed.length === 0;
  if (!placed.length) return;
  const cos = Math.cos((placed[0].info.lat * Math.PI) / 180);
  const points = placed.map((d) => ({ d, x: d.info.lon * cos * METRES_PER_DEGREE, y: d.info.lat * METRES_PER_DEGREE }));
  const middle = (axis) => (Math.min(...points.map((p) => p[axis])) + Math.max(...points.map((p) => p[axis]))) / 2;
  const span = (axis) => Math.max(...points.map((p) => p[axis])) - Math.min(...points.map((p) => p[axis]));
  const [midX, midY] = [middle("x"), middle("y")];
  const scale = Math.min((SIDE - 2 * EDGE) / Math.max(span("x"), 20), (HIGH - FOOT - 2 * EDGE) / Math.max(span("y"), 20));
  const spots = points.map(({ d, x, y }) => spot(d, SIDE / 2 + (x - midX) * scale, (HIGH - FOOT) / 2 - (y - midY) * scale, d.id === selected, onSelect));
  const label = { viewBox: `0 0 ${SIDE} ${HIGH}`, role: "group", "aria-label": "Site plan, north is up" };
  replace(byId("map"), [svg("svg", label, ...spots, ...scaleBar(scale))]);
}

function spot(device, x, y, isSelected, onSelect) {
  const state = soilState(device);
  const choose = () => onSelect(device.id);
  return svg(
    "g",
    {
      class: "spot", role: "button", tabindex: 0, "data-key": device.id, "data-state": state,
      "aria-label": `${device.name}, soil ${state}`, click: choose,
      keydown: (event) => ["Enter", " "].includes(event.key) && choose(),
    },
    isSelected ? svg("circle", { cx: x, cy: y, r: 14, fill: "none", stroke: "var(--soil)", "stroke-width": 2 }) : null,
    svg("circle", { cx: x, cy: y, r: 8.5, fill: SPOT[state] }),
    svg("text", { x, y: y + 29, "text-anchor": "middle" }, device.name),
  );
}

function scaleBar(scale) {
  const metres = [1000, 500, 200, 100, 50, 20, 10, 5, 2, 1].find((m) => m * scale <= 90) ?? 1;
  const y = HIGH - 8;
  return [
    svg("path", { d: `M10 ${y - 4}v4h${(metres * scale).toFixed(1)}v-4`, fill: "none", stroke: "var(--muted)" }),
    svg("text", { class: "scale", x: 14 + metres * scale, y }, `${metres} m`),
  ];
}

export function drawTotals(stats) {
  const rejected = stats.rejects.reduce((sum, reject) => sum + reject.count, 0);
  const rows = [
    ["Records stored", integer(stats.records)],
    ["Received", bytes(stats.frame_bytes)],
    ...savings(stats),
    ["Duplicates ignored", integer(stats.duplicates)],
    ["Dropped by nodes", integer(stats.dropped), stats.dropped],
    ["Conflicts", integer(stats.conflicts), stats.conflicts],
    ["Messages refused", integer(rejected), rejected],
    ["Database", bytes(stats.database_bytes)],
  ];
  const cells = rows.flatMap(([name, value, bad]) => [el("dt", {}, name), el("dd", { class: bad ? "bad" : "" }, value)]);
  replace(byId("totals"), cells);
}

// What the nodes' own counters say: bytes read from sensors against bytes sent.
function savings({ raw_bytes, sent_bytes }) {
  if (!raw_bytes || !sent_bytes) return [];
  return [
    ["Sensed by nodes", bytes(raw_bytes)],
    ["Sent by nodes", bytes(sent_bytes)],
    ["Sensed : sent", `${number(raw_bytes / sent_bytes)} : 1`],
  ];
}
