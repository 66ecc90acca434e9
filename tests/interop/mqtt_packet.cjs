// mqtt-packet (the codec of MQTT.js) as a process: node mqtt_packet.cjs FOLDER_OF_PACKAGE VERSION
// Lines in: hex of one packet, or JSON of one; lines out: the other of the two.
const mqtt = require(process.argv[2]);
const protocolVersion = Number(process.argv[3]);

// Bytes are {"hex": ".."} in JSON, both ways; text is text.
const out = (key, value) =>
  value && value.type === "Buffer" ? { hex: Buffer.from(value.data).toString("hex") } : value;
const back = (key, value) => (value && value.hex !== undefined ? Buffer.from(value.hex, "hex") : value);

function parse(hex) {
  let found = { error: "incomplete" };
  const parser = mqtt.parser({ protocolVersion });
  parser.on("packet", (packet) => (found = packet));
  parser.on("error", (error) => (found = { error: error.message }));
  parser.parse(Buffer.from(hex, "hex"));
  return JSON.stringify(found, out);
}

const answers = require("fs").readFileSync(0, "utf8").trim().split("\n").map((line) =>
  line.startsWith("{")
    ? mqtt.generate(JSON.parse(line, back), { protocolVersion }).toString("hex")
    : parse(line));
console.log(answers.join("\n"));
