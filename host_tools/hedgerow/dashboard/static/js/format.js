// Numbers, times and units as people read them.

const UNITS = { Cel: "°C", "%RH": "%", Pa: "hPa", "/": "%", lx: "lx" };
const FACTORS = { Pa: 0.01, "/": 100 };
const DIGITS = { V: 2, Cel: 1, "%": 1, "%RH": 0, Pa: 0, "/": 0, mm: 1 };

export const unitText = (unit) => UNITS[unit] ?? unit;
export const scaled = (value, unit) => (value === null ? null : value * (FACTORS[unit] ?? 1));

export function number(value, digits = 1) {
  if (value === null || value === undefined) return "–";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export const quantity = (value, unit) =>
  `${number(scaled(value, unit), DIGITS[unit] ?? 1)}\u202f${unitText(unit)}`;

export function bytes(count) {
  if (count === null || count === undefined) return "–";
  if (count < 1000) return `${count} B`;
  const [divisor, unit] = count < 1e6 ? [1e3, "kB"] : count < 1e9 ? [1e6, "MB"] : [1e9, "GB"];
  return `${number(count / divisor, count / divisor < 10 ? 1 : 0)} ${unit}`;
}

export const integer = (value) => (value ?? 0).toLocaleString("en");

const DATE_TIME = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false };
export const dateTime = (time_s) => new Date(time_s * 1000).toLocaleString("en-GB", DATE_TIME);

export function ago(time_s, now_s) {
  const past_s = Math.max(0, now_s - time_s);
  if (past_s < 10) return "now";
  if (past_s < 90) return `${Math.round(past_s)} s ago`;
  if (past_s < 5400) return `${Math.round(past_s / 60)} min ago`;
  if (past_s < 129600) return `${Math.round(past_s / 3600)} h ago`;
  return `${Math.round(past_s / 86400)} d ago`;
}

// Plotly draws dates as they stand; this is the browser's local time without a zone.
export function plotTime(time_s) {
  const local = new Date(time_s * 1000);
  return new Date(time_s * 1000 - local.getTimezoneOffset() * 60000).toISOString().slice(0, -1);
}
