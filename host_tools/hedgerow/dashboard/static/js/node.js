// What one node's API record means: state words, main values, thresholds.

const SUMMARY = /\.(min|mean|max)$/;

// Word, style and detail of the link.
export function linkState(device) {
  if (device.status === "offline") return { word: "Offline", style: "offline" };
  if (device.catching_up) return { word: "Catching up", style: "catching" };
  if (device.status === "online") return { word: "Online", style: "online" };
  return { word: "Heard", style: "unknown" };
}

// Last value whose name ends so, e.g. ".vwc"; the channel itself before its daily mean.
export function lastOf(device, ending) {
  const found = device.last.filter((v) => v.value !== null && v.name.replace(SUMMARY, "").endsWith(ending));
  return found.find((v) => !SUMMARY.test(v.name)) ?? found.find((v) => v.name.endsWith(".mean")) ?? null;
}

export function threshold(device, name) {
  const value = device.info.thresholds?.[name] ?? device.info[name];
  return typeof value === "number" ? value : null;
}

// "dry", "near", "good" or "unknown" for the colour of a node.
export function soilState(device) {
  const soil = lastOf(device, ".vwc");
  const dry = threshold(device, "dry_pct");
  if (!soil || dry === null || device.status === "offline") return "unknown";
  if (soil.value < dry) return "dry";
  return soil.value < dry + 2 ? "near" : "good";
}

// Channels to chart: without the .min/.max of daily summaries, and .mean only if it is alone.
// Events (pump, link, health) have no unit.
export function chartNames(device) {
  const measured = device.last.filter((v) => v.value !== null && v.unit && !v.name.startsWith("diag."));
  const names = new Set(measured.map((v) => v.name));
  const channels = [...names].filter((name) => !SUMMARY.test(name));
  const means = [...names].filter((n) => n.endsWith(".mean") && !names.has(n.slice(0, -5)));
  return [...channels, ...means].sort();
}

// An actuator was switched: its state, then the rule that did it.
export const isAction = (event) => event.entries[0]?.value != null && event.entries[1]?.name === "rule";

// Texts of an event: rule, reason.
export const cause = (event) => event.entries.filter((e) => e.text).map((e) => e.text).join("; ");

export const unitOf = (device, name) => device.last.find((v) => v.name === name)?.unit ?? "";
