// Reads of the gateway's HTTP API. Every call has a time limit; errors are thrown.

const TIMEOUT_MS = 10000;

async function get(path, query = {}) {
  const url = new URL(path, location.href);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`${path}: HTTP ${answer.status}`);
  return answer.json();
}

const of = (device) => `/api/devices/${encodeURIComponent(device)}`;

export const getStats = () => get("/api/stats");
export const getDevices = () => get("/api/devices");
export const getAlerts = () => get("/api/alerts", { limit: 60 });
export const getSpans = (device, range) => get(`${of(device)}/spans`, range);
export const getEvents = (device, range) => get(`${of(device)}/events`, { ...range, limit: 400 });
export const getSeries = (device, name, range, points) =>
  get(`${of(device)}/series`, { ...range, name, points });
