// Polls the gateway and draws what changed. No state is kept but the selection, in the URL.

import * as api from "./api.js";
import { drawCards } from "./cards.js";
import { drawCharts, plan } from "./charts.js";
import { byId, el, replace } from "./dom.js";
import { drawEvents } from "./events.js";
import { lastOf } from "./node.js";
import { drawAlerts, drawMap, drawTotals } from "./side.js";
import { onThemeChange } from "./theme.js";
import { drawTiles } from "./tiles.js";

const POLL_MS = 2000;
const SPARK_MS = 15000;
const MAX_SPARKS = 30;
const DAY_S = 86400;
const RANGES = [["24h", "24 h", 1], ["3d", "3 d", 3], ["7d", "7 d", 7], ["30d", "30 d", 30], ["season", "Season", 0]];
const LEGEND = [
  ["line-backfill", "", "came later (backfill)"],
  ["", "var(--shade-outage)", "link down"],
  ["", "var(--shade-off)", "node off or records dropped"],
  ["", "var(--shade-sensor)", "sensor failed"],
  ["line-dry", "", "dry threshold"],
  ["mark-water", "", "watering"],
];

const view = { devices: [], stats: null, alerts: [], sparks: new Map(), sparked: 0, drawn: "" };

const chosen = new URLSearchParams(location.hash.slice(1));
let selected = chosen.get("node");
let rangeId = RANGES.some(([id]) => id === chosen.get("range")) ? chosen.get("range") : "7d";

function choose(node, range) {
  [selected, rangeId] = [node ?? selected, range ?? rangeId];
  history.replaceState(null, "", `#${new URLSearchParams({ node: selected ?? "", range: rangeId })}`);
  drawRanges();
  if (!view.stats) return;
  drawFrame();
  drawDetail().catch(lost);
}

function drawRanges() {
  const buttons = RANGES.map(([id, text]) =>
    el("button", { type: "button", "aria-pressed": String(id === rangeId), "data-key": id, "data-testid": `range-${id}`, click: () => choose(null, id) }, text),
  );
  replace(byId("ranges"), buttons);
}

function drawLegend() {
  const items = LEGEND.map(([style, fill, text]) => el("li", {}, el("i", { class: style, style: fill && `background: ${fill}` }), text));
  replace(byId("legend"), items);
}

// Everything that needs no series of its own.
function drawFrame() {
  const { devices, stats, alerts } = view;
  const online = devices.filter((d) => d.status === "online").length;
  byId("summary").textContent = `${devices.length} node${devices.length === 1 ? "" : "s"} · ${online} online`;
  const open = alerts.filter((alert) => alert.closed_s === null).length;
  byId("alert-link").hidden = !open;
  byId("alert-link").textContent = `${open} alert${open === 1 ? "" : "s"}`;
  byId("note").hidden = !stats.note;
  byId("note").textContent = stats.note;
  byId("empty").hidden = devices.length > 0;
  byId("detail").hidden = devices.length === 0;
  if (!devices.some((d) => d.id === selected)) selected = devices[0]?.id ?? null;
  drawCards(devices, { selected, wall_s: stats.wall_s, sparks: view.sparks, onSelect: choose });
  drawAlerts(alerts, devices, stats.wall_s);
  drawMap(devices, selected, choose);
  drawTotals(stats);
}

function timeRange(device) {
  const to = view.stats.now_s;
  const days = RANGES.find(([id]) => id === rangeId)[2];
  if (days) return { from: to - days * DAY_S, to };
  const first = Math.min(to - DAY_S, device.first_time_s ?? to);
  return { from: first, to };
}

async function drawDetail() {
  const device = view.devices.find((d) => d.id === selected);
  if (!device) return;
  const range = timeRange(device);
  const planned = plan(device);
  const points = Math.min(1200, Math.max(300, Math.round(byId("charts").clientWidth)));
  const names = planned.flatMap((entry) => entry.names);
  const [events, spans, ...series] = await Promise.all([
    api.getEvents(device.id, range),
    api.getSpans(device.id, range),
    ...names.map((name) => api.getSeries(device.id, name, range, points)),
  ]);
  if (device.id !== selected) return; // another node was chosen meanwhile
  drawTiles(device, events, view.stats);
  drawCharts(device, planned, new Map(names.map((name, i) => [name, series[i]])), { range, events, spans });
  drawEvents(events);
  byId("detail").dataset.ready = `${device.id} ${rangeId}`;
}

async function loadSparks() {
  if (Date.now() - view.sparked < SPARK_MS) return;
  view.sparked = Date.now();
  const range = { from: view.stats.now_s - 7 * DAY_S, to: view.stats.now_s };
  const jobs = view.devices.slice(0, MAX_SPARKS).map(async (device) => {
    const soil = lastOf(device, ".vwc");
    if (soil) view.sparks.set(device.id, await api.getSeries(device.id, soil.name, range, 120));
  });
  await Promise.all(jobs);
}

async function poll() {
  view.stats = await api.getStats();
  const key = `${view.stats.revision} ${selected} ${rangeId}`;
  [view.devices, view.alerts] = await Promise.all([api.getDevices(), api.getAlerts()]);
  await loadSparks();
  drawFrame();
  if (key !== view.drawn) {
    await drawDetail();
    view.drawn = key;
  }
  live();
}

function live() {
  byId("live").className = "pill is-live";
  byId("live").textContent = "live";
}

function lost(error) {
  console.warn(error);
  byId("live").className = "pill is-lost";
  byId("live").textContent = "gateway not reachable";
}

async function run() {
  for (;;) {
    if (!document.hidden) await poll().catch(lost);
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
}

drawRanges();
drawLegend();
onThemeChange(() => choose());
run();
