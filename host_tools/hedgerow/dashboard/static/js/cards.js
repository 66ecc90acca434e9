// The list of nodes: state, soil moisture, last seen, and a week as a small line.

import { el, replace, svg, byId } from "./dom.js";
import { ago, number } from "./format.js";
import { lastOf, linkState } from "./node.js";

export function drawCards(devices, { selected, wall_s, sparks, onSelect }) {
  const cards = devices.map((device) => card(device, device.id === selected, wall_s, sparks.get(device.id), onSelect));
  replace(byId("nodes"), cards);
}

function card(device, isSelected, wall_s, spark, onSelect) {
  const state = linkState(device);
  const soil = lastOf(device, ".vwc");
  return el(
    "button",
    {
      class: "node",
      type: "button",
      "aria-pressed": String(isSelected),
      "data-key": device.id,
      "data-testid": `node-${device.id}`,
      "data-status": device.status,
      click: () => onSelect(device.id),
    },
    el("span", { class: "node-name" }, device.name),
    el("span", { class: "node-value" }, soil ? number(soil.value) : "–", el("small", {}, soil ? " %" : "")),
    el("span", { class: "node-state" }, el("span", { class: `state state-${state.style}` }, state.word), seen(device, wall_s)),
    el("span", { class: "node-foot" }, foot(device)),
    spark ? sparkline(spark) : null,
  );
}

const seen = (device, wall_s) => (device.last_seen_s ? ` · ${ago(device.last_seen_s, wall_s)}` : "");

function foot(device) {
  if (device.open_alerts) return `${device.open_alerts} alert${device.open_alerts > 1 ? "s" : ""}`;
  const battery = lastOf(device, "battery.voltage");
  return battery ? `${number(battery.value, 2)} V` : "";
}

const WIDTH = 260;
const HEIGHT = 34;

function sparkline(series) {
  const values = series.mean.filter((v) => v !== null);
  if (values.length < 2) return null;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [start, end] = [series.t[0], series.t.at(-1)];
  const x = (t) => ((t - start) / (end - start || 1)) * WIDTH;
  const y = (v) => HEIGHT - 3 - ((v - low) / (high - low || 1)) * (HEIGHT - 6);
  let path = "";
  series.t.forEach((t, i) => {
    const value = series.mean[i];
    if (value === null) return;
    const isStart = i === 0 || series.mean[i - 1] === null;
    path += `${isStart ? "M" : "L"}${x(t).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  const line = { d: path, fill: "none", stroke: "var(--soil)", "stroke-width": 1.8, "vector-effect": "non-scaling-stroke" };
  const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" };
  return svg("svg", box, svg("path", line));
}
