// Decisions with their causes, link changes, sensor faults, starts: newest first.

import { byId, el, replace } from "./dom.js";
import { dateTime } from "./format.js";
import { cause, isAction } from "./node.js";

export function drawEvents(events) {
  const items = events.slice(0, 100).map(item);
  if (!items.length) items.push(el("li", { class: "muted" }, "Nothing in this range."));
  replace(byId("decisions"), items);
}

function item(event) {
  const { text, style } = words(event);
  return el(
    "li",
    { class: style, "data-kind": event.kind },
    el("time", { datetime: new Date(event.time_s * 1000).toISOString() }, dateTime(event.time_s)),
    el(
      "div",
      {},
      el("b", {}, text),
      event.backlog ? el("span", { class: "tag" }, "came later") : null,
      el("div", { class: "cause" }, cause(event)),
    ),
  );
}

const PLAIN = { boot: "Node started", rule: "Decided not to act", clock: "Clock was set" };
const FAULTS = { model: "Model cannot run", state: "Kept state was damaged", tick: "Fault in the node" };

function words(event) {
  const on = event.entries[0]?.value;
  if (event.kind.startsWith("health.")) {
    const sensor = event.kind.slice("health.".length);
    return on ? { text: `Sensor ${sensor} works again`, style: "" } : { text: `Sensor ${sensor} failed`, style: "is-bad" };
  }
  if (event.kind === "link") return on ? { text: "Link up", style: "" } : { text: "Link down", style: "is-bad" };
  if (event.kind in PLAIN) return { text: PLAIN[event.kind], style: "" };
  if (event.kind in FAULTS && !on) return { text: FAULTS[event.kind], style: "is-bad" };
  if (!isAction(event)) return { text: event.kind || "Unreadable record", style: "" };
  return { text: `${capital(event.kind)} ${on ? "on" : "off"}`, style: "is-pump" };
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
