// sparkplug-payload (Eclipse Tahu's codec) as a process: node sparkplug_payload.cjs FOLDER_OF_PACKAGE
// Lines in: hex of a payload, or JSON of one; lines out: the other of the two.
const codec = require(process.argv[2]).get("spBv1.0");

// 64-bit numbers of the package's Long are text in JSON.
const out = (key, value) =>
  value && value.low !== undefined && value.high !== undefined
    ? (BigInt(value.high >>> 0) * 4294967296n + BigInt(value.low >>> 0)).toString()
    : value;

function decode(hex) {
  try {
    return JSON.stringify(codec.decodePayload(Buffer.from(hex, "hex")), out);
  } catch (error) {
    return JSON.stringify({ error: error.message });
  }
}

const lines = require("fs").readFileSync(0, "utf8").trim().split("\n");
const encode = (line) => Buffer.from(codec.encodePayload(JSON.parse(line))).toString("hex");
console.log(lines.map((line) => (line.startsWith("{") ? encode(line) : decode(line))).join("\n"));
