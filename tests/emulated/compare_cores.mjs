// Runs a firmware on rp2040js's core and on fast_core.mjs side by side, and compares registers,
// flags and cycles after each instruction.
//
//   node compare_cores.mjs RP2040JS BOOT_ROM FIRMWARE EMULATOR INSTRUCTIONS
//
// Prints {"compared": instructions, "left": of these done by rp2040js} or {"differ": text}.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [library, rom, firmware, emulator, count] = process.argv.slice(2);
const load = (...path) => import(pathToFileURL(join(...path)));
const rp2040js = await load(library, "dist/esm/index.js");
const { Pico } = await load(emulator, "emulator.mjs");
const program = "import os, json\r\nfor i in range(9): print(json.dumps([i, i * 1.5, -i % 7, i << 33]))\r\n\r\n";

function start() {
  const pico = new Pico(rp2040js, readFileSync(rom), readFileSync(firmware), () => ({}));
  pico.send(Buffer.from(`${program}open("x", "w").write("y" * 999)\r\n`));
  return pico;
}

const [theirs, ours] = [start(), start()];
let left = 0;
const { core } = ours.mcu;
const slow = core.executeInstruction.bind(core);
core.executeInstruction = () => { left += 1; return slow(); };

function step({ mcu: { core, clock } }, execute) {
  if (!core.waiting) execute();
  else if (clock.alarms.length) clock.sleepUntil(clock.alarms[0].nanos);
  clock.serveAlarms();
}

function state({ mcu: { core } }) {
  return `${core.registers} ${core.N}${core.Z}${core.C}${core.V} ${core.cycles} ${core.waiting}`;
}

function compare() {
  for (let i = 0; i < Number(count); i++) {
    const pc = theirs.mcu.core.PC;
    step(theirs, () => theirs.mcu.core.executeInstruction());
    step(ours, () => ours.mcu.clock.step());
    // The text of the full state takes time: for every 64th, and where the cheap part differs.
    if (i % 64 && theirs.mcu.core.PC === ours.mcu.core.PC && theirs.mcu.core.cycles === core.cycles) continue;
    if (state(theirs) !== state(ours)) return `after ${pc.toString(16)}, ${i}: ${state(theirs)} | ${state(ours)}`;
  }
  return Buffer.compare(theirs.mcu.sram, ours.mcu.sram) ? "RAM" : null;
}

const differ = compare();
console.log(JSON.stringify(differ ? { differ } : { compared: Number(count), left }));
