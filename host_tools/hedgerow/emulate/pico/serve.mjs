// Serve one emulated Pico on stdin and stdout, one line of JSON for a request and its answer.
//
//   node serve.mjs RP2040JS BOOT_ROM FIRMWARE [FLASH_FILE]
//
// FLASH_FILE: 2 MB, in which each flash operation is done as it happens.
//
//   {"op": "talk", "send": base64, "until": base64, "timeout_s": n}
//       -> {"ended": "done" | "timeout" | "asleep", "received": base64}
//   {"op": "step", "send": base64, "nanos": n | null, "wall_ms": n}
//       -> {"received": base64, "sleeps_ns": n | null, "ns": n}     Pico.step(); null: no limit
//   {"op": "poke", "address": n, "data": base64} -> {}
//   {"op": "status"} -> {"cycles": n, "flash_operations": n, "warnings": [text]}
//   {"op": "reset"} -> {}
//   {"op": "reset", "flash": base64} -> {}     with other 2 MB of flash, compressed by zlib
//   {"op": "flash"} -> {"flash": base64}     the same way
//   {"op": "cut", "after": n, "torn": bool} -> {}     at the nth flash operation from now; 0: never
//   {"op": "record", "on": bool} -> {"operations": [[offset, count, base64 | null]]}
//       which flash operations there were since the last "record"; the bytes that lie there then,
//       null for an erase; on: from now on they are kept
//   {"op": "wire", "i2c": [bus], "spi": [bus], "uart": [bus], "adc": [channel], "listen": [pin],
//    "ticks": bool, "drive": [[pin, level, ns]]}
//       -> {}     what of wiring.mjs there is to ask about from now on
//
// {"fault": text} answers a request that stopped the program, {"cut": flash operation} one during
// which the power went. Before its answer the emulator may ask (wiring.mjs): a line with "ask", to
// which the next line is the answer. The chip runs only while a "talk" or "step" waits, so that the
// same requests always give the same cycles. End of stdin ends the process.

import { openSync, readFileSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { deflateSync, inflateSync } from "node:zlib";

import { Fault, Pico, PowerCut } from "./emulator.mjs";

const PROGRAM_BYTES = 0xa0000; // littlefs begins here: 2 MB less MicroPython's 1408 KB

const [rp2040jsFolder, bootRomFile, firmwareFile, flashFile] = process.argv.slice(2);
const entry = pathToFileURL(join(rp2040jsFolder, "dist/esm/index.js"));
const rp2040js = await import(entry);
const requests = lines();
const pico = new Pico(rp2040js, readFileSync(bootRomFile), firstFlash(), ask);

if (flashFile) {
  const file = openSync(flashFile, "r+");
  pico.onFlash = (offset, count) => {
    if (offset >= pico.bootFlash.length) return;
    writeSync(file, pico.bootFlash, offset, count, offset);
  };
  pico.onFlash(0, PROGRAM_BYTES);
}

const operations = {
  talk({ send, until, timeout_s: timeoutS }) {
    const wanted = Buffer.from(until, "base64");
    pico.send(Buffer.from(send, "base64"));
    const ended = pico.run((output) => endsWith(output, wanted), Date.now() + 1000 * timeoutS);
    return { ended, received: takeOutput() };
  },
  step({ send, nanos, wall_ms: wallMs }) {
    pico.send(Buffer.from(send, "base64"));
    const sleepsNs = pico.step(nanos ?? Infinity, Date.now() + wallMs);
    return { received: takeOutput(), sleeps_ns: sleepsNs, ns: pico.wiring.nanos };
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
  reset({ flash }) {
    if (flash) {
      pico.bootFlash.set(inflateSync(Buffer.from(flash, "base64")));
      pico.onFlash(0, pico.bootFlash.length);
    }
    pico.powerOn(pico.mcu.flash);
    return {};
  },
  flash: () => ({ flash: deflateSync(pico.bootFlash, { level: 1 }).toString("base64") }),
  cut({ after, torn }) {
    pico.cut = after > 0 ? { at: pico.flashOperations + after, torn } : null;
    return {};
  },
  record({ on }) {
    const operations = pico.journal ?? [];
    pico.journal = on ? [] : null;
    return { operations: operations.map(({ offset, count, data }) =>
      [offset, count, data && Buffer.from(data).toString("base64")]) };
  },
  wire({ i2c, spi, uart, adc, listen, ticks, drive }) {
    const { wiring } = pico;
    [wiring.i2c, wiring.spi, wiring.uart] = [i2c, spi, uart].map((each) => new Set(each));
    [wiring.adc, wiring.listened] = [adc, listen].map((each) => new Set(each));
    wiring.ticks = ticks;
    wiring.startTicks();
    for (const change of drive) wiring.drive(...change);
    return {};
  },
};

// The firmware, and behind it what an earlier run saved.
function firstFlash() {
  const firmware = readFileSync(firmwareFile);
  if (!flashFile) return firmware;
  const flash = readFileSync(flashFile);
  flash.fill(0xff, 0, PROGRAM_BYTES);
  flash.set(firmware);
  return flash;
}

function takeOutput() {
  const received = Buffer.from(pico.output).toString("base64");
  pico.output = [];
  return received;
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
    if (error instanceof PowerCut) return { cut: pico.flashOperations };
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

// The answer of the other side; without one (it has gone) there is nothing left to do.
function ask(question) {
  write(question);
  const { value, done } = requests.next();
  if (done) process.exit();
  return JSON.parse(value);
}

function write(message) {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let done = 0; done < bytes.length; ) done += writeSync(1, bytes, done);
}

for (let next; !(next = requests.next()).done; ) write(answer(next.value));
