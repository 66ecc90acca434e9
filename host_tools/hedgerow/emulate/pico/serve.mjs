// Serve one emulated Pico on stdin and stdout, one line of JSON for a request and its answer.
//
//   node serve.mjs RP2040JS BOOT_ROM FIRMWARE [FLASH_FILE]
//
//   {"op": "talk", "send": base64, "until": base64, "timeout_s": n}
//       -> {"ended": "done" | "timeout" | "asleep", "received": base64}
//   {"op": "poke", "address": n, "data": base64} -> {}
//   {"op": "status"} -> {"cycles": n, "flash_operations": n, "warnings": [text]}
//   {"op": "reset"} -> {}
//   {"op": "save"} -> {}     write FLASH_FILE
//
// {"fault": text} answers a request that stopped the program. The chip runs only while a "talk"
// waits, so that the same requests always give the same cycles. End of stdin ends the process.

import { existsSync, readFileSync, readSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { Fault, Pico } from "./emulator.mjs";

const PROGRAM_BYTES = 0xa0000; // littlefs begins here: 2 MB less MicroPython's 1408 KB

const [rp2040jsFolder, bootRomFile, firmwareFile, flashFile] = process.argv.slice(2);
const entry = pathToFileURL(join(rp2040jsFolder, "dist/esm/index.js"));
const rp2040js = await import(entry);
const pico = new Pico(rp2040js, readFileSync(bootRomFile), firstFlash());

const operations = {
  talk({ send, until, timeout_s: timeoutS }) {
    const wanted = Buffer.from(until, "base64");
    pico.send(Buffer.from(send, "base64"));
    const ended = pico.run((output) => endsWith(output, wanted), Date.now() + 1000 * timeoutS);
    const received = Buffer.from(pico.output).toString("base64");
    pico.output = [];
    return { ended, received };
  },
  poke({ address, data }) {
    pico.poke(address, Buffer.from(data, "base64"));
    return {};
  },
  status: () => ({
    cycles: pico.mcu.core.cycles,
    flash_operations: pico.flashOperations,
    warnings: [...pico.warnings],
  }),
  reset() {
    pico.powerOn(pico.mcu.flash);
    return {};
  },
  save() {
    writeFileSync(`${flashFile}.part`, pico.bootFlash);
    renameSync(`${flashFile}.part`, flashFile);
    return {};
  },
};

// The firmware, and behind it what an earlier run saved.
function firstFlash() {
  const firmware = readFileSync(firmwareFile);
  if (!flashFile || !existsSync(flashFile)) return firmware;
  const flash = readFileSync(flashFile);
  flash.fill(0xff, 0, PROGRAM_BYTES);
  flash.set(firmware);
  return flash;
}

function endsWith(output, wanted) {
  const start = output.length - wanted.length;
  return start >= 0 && wanted.every((byte, i) => output[start + i] === byte);
}

function answer(line) {
  try {
    const request = JSON.parse(line);
    return operations[request.op](request);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { fault: error.message };
  }
}

function* lines() {
  const chunk = Buffer.alloc(65536);
  let parts = [];
  for (let n; (n = readSync(0, chunk)) > 0; ) {
    let start = 0;
    for (let at; (at = chunk.indexOf(10, start)) >= 0 && at < n; start = at + 1) {
      parts.push(Buffer.from(chunk.subarray(start, at)));
      yield Buffer.concat(parts).toString();
      parts = [];
    }
    parts.push(Buffer.from(chunk.subarray(start, n)));
  }
}

function writeAll(text) {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) done += writeSync(1, bytes, done);
}

for (const line of lines()) writeAll(`${JSON.stringify(answer(line))}\n`);
