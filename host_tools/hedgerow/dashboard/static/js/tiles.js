// The selected node in figures.

import { byId, el, replace } from "./dom.js";
import { ago, dateTime, integer, number, quantity } from "./format.js";
import { isAction, lastOf, linkState, threshold } from "./node.js";

export function drawTiles(device, events, stats) {
  byId("node-name").textContent = device.name;
  byId("node-facts").textContent = facts(device);
  const made = [soil(device), model(device), air(device), battery(device), water(events, stats), link(device, stats)];
  replace(byId("tiles"), made.filter(Boolean));
}

function facts(device) {
  const { board, firmware } = device.info;
  const parts = [device.id, board, firmware && `firmware ${firmware}`, device.boot && `boot ${device.boot}`];
  return parts.filter(Boolean).join(" · ");
}

function tile(key, title, big, small, style = "") {
  return el(
    "div",
    { class: "tile", "data-testid": `tile-${key}` },
    el("dt", {}, title),
    el("dd", { class: `big ${style}` }, big),
    el("dd", { class: "small" }, small),
  );
}

function soil(device) {
  const value = lastOf(device, ".vwc");
  const dry = threshold(device, "dry_pct");
  if (!value) return null;
  const margin = dry === null ? null : value.value - dry;
  const small = margin === null ? "water content" : `${number(Math.abs(margin))} ${margin < 0 ? "below" : "above"} dry`;
  return tile("soil", "Soil moisture", quantity(value.value, "%"), small, margin !== null && margin < 0 ? "bad" : "");
}

function model(device) {
  const score = lastOf(device, "model.dry_2d");
  if (!score) return null;
  const later = lastOf(device, "model.dry_3d");
  const small = later ? `3 days: ${quantity(later.value, "/")}` : "model on the node";
  return tile("model", "Dry within 2 days", quantity(score.value, "/"), small, score.value >= 0.5 ? "bad" : "");
}

function air(device) {
  const temp = lastOf(device, "air.temp");
  const humidity = lastOf(device, "air.humidity");
  if (!temp) return null;
  return tile("air", "Air", quantity(temp.value, temp.unit), humidity ? `humidity ${quantity(humidity.value, "%RH")}` : "");
}

function battery(device) {
  const volts = lastOf(device, "battery.voltage");
  if (!volts) return null;
  const low = threshold(device, "battery_low_v") ?? 3.3;
  const isLow = volts.value < low;
  return tile("battery", "Battery", quantity(volts.value, "V"), isLow ? `low, below ${number(low, 2)} V` : "good", isLow ? "bad" : "");
}

function water(events, stats) {
  const last = events.find((event) => isAction(event) && event.entries[0].value);
  if (!last) return tile("water", "Last watered", "–", "not in this range");
  return tile("water", "Last watered", ago(last.time_s, stats.now_s), dateTime(last.time_s));
}

function link(device, stats) {
  const state = linkState(device);
  const small = device.missing
    ? `${integer(device.missing)} records on the way`
    : device.last_seen_s
      ? `heard ${ago(device.last_seen_s, stats.wall_s)}`
      : "never heard";
  const made = tile("link", "Link", state.word, small, state.style === "offline" ? "bad" : "");
  made.dataset.status = device.status;
  return made;
}
