// A Raspberry Pi Pico: rp2040js with our boot ROM, a flash that erases and programs as NOR flash
// does, a serial line over USB, and a register that counts core cycles.

import { CoreClock } from "./clock.mjs";
import { fastCore } from "./fast_core.mjs";
import { Wiring } from "./wiring.mjs";

const FLASH_BASE = 0x10000000;
const BOOT_FLASH_BYTES = 2 * 1024 * 1024; // what a Pico has; the emulated chip goes on to 16 MB
// Nothing of an RP2040 answers here; reads give the cycles modulo 2**30 (a small int), then 2**30s.
const CYCLE_COUNTER_SLOT = 0x40068;
const CYCLES_PER_SLICE = 1000000; // between looks at the wall clock

// BKPT numbers of rom/tables.S.
const TRAP_ERASE = 3;
const TRAP_PROGRAM = 4;
const TRAP_USB_BOOT = 7;
const TRAP_UNSERVED = 8;
const HARMLESS_TRAPS = new Set([1, 2, 5, 6]); // connect, exit and enter XIP, flush

export class Fault extends Error {}
export class PowerCut extends Error {}

export class Pico {
  // rp2040js: the module; bootRom: Uint8Array; flash: Uint8Array with the first bytes of the flash;
  // ask(question): answer of whoever holds the chips on the pins, see wiring.mjs.
  constructor(rp2040js, bootRom, flash, ask) {
    this.rp2040js = rp2040js;
    this.bootRom = new Uint32Array(bootRom.slice().buffer);
    this.wiring = new Wiring(ask);
    this.fast = fastCore();
    this.output = [];
    this.input = [];
    this.flashOperations = 0;
    this.cut = null; // {at: flash operation, torn}
    this.journal = null; // or whole flash operations: {offset, count, data: null for an erase}
    this.onFlash = () => {}; // (offset, count): these bytes are no longer what they were
    this.warnings = new Set();
    this.powerOn(flash);
  }

  // Start the chip anew with this flash, as a reset does; what had not been sent or read is lost.
  powerOn(flash) {
    this.input = [];
    this.output = [];
    this.hasPower = true;
    const { USBCDC } = this.rp2040js;
    const mcu = newChip(this.rp2040js, this.fast);
    this.mcu = mcu;
    mcu.logger = this.logger();
    mcu.loadBootrom(this.bootRom); // also fills the flash with 0xff
    mcu.flash.set(flash);
    mcu.onBreak = (number) => this.trap(number);
    mcu.peripherals[CYCLE_COUNTER_SLOT] = cycleCounter(mcu.core);
    mcu.peripherals[0x40058].onWatchdogTrigger = () => {
      this.resetRequested = true;
      mcu.clock.stop();
    };
    this.resetRequested = false;
    this.serialPort = new USBCDC(mcu.usbCtrl);
    this.serialPort.onSerialData = (bytes) => this.received(bytes);
    // rp2040js answers an idle read with an empty packet every 10 us, which would interrupt the
    // program under measurement; a host that has nothing to say lets the read wait.
    this.pendingRead = null;
    mcu.usbCtrl.onEndpointRead = (endpoint, size) => {
      if (endpoint !== this.serialPort.outEndpoint) return;
      this.pendingRead = { endpoint, size };
      this.feed();
    };
    this.wiring.connect(mcu);
    mcu.core.reset();
  }

  logger() {
    const ignore = () => {};
    return {
      debug: ignore,
      info: ignore,
      warn: (name, message) => {
        if (/invalid memory|undefined address|not implemented yet/.test(message)) {
          throw new Fault(this.where(message));
        }
        this.warnings.add(`${name}: ${message}`);
      },
      error: (name, message) => { throw new Fault(this.where(message)); },
    };
  }

  where(message) {
    const { PC, LR } = this.mcu.core;
    return `${message} (pc ${hex(PC)}, lr ${hex(LR)}): a board would stop with a hard fault`;
  }

  trap(number) {
    if (HARMLESS_TRAPS.has(number)) return;
    const [offset, second, count] = this.mcu.core.registers;
    if (number === TRAP_ERASE) this.erase(offset, second);
    else if (number === TRAP_PROGRAM) this.program(offset, second, count);
    else if (number === TRAP_USB_BOOT) throw new Fault("the program asked for the USB boot loader");
    else if (number === TRAP_UNSERVED) throw new Fault(this.where("a ROM float function that is not served"));
    else throw new Fault(this.where(`breakpoint ${number}`));
  }

  erase(offset, count) {
    this.flashOperation(offset, count, (done) => {
      this.mcu.flash.fill(0xff, offset, offset + done);
    });
    this.journal?.push({ offset, count, data: null });
  }

  program(offset, address, count) {
    const { mcu } = this;
    this.flashOperation(offset, count, (done) => {
      for (let i = 0; i < done; i++) mcu.flash[offset + i] &= mcu.readUint8(address + i);
    });
    this.journal?.push({ offset, count, data: mcu.flash.slice(offset, offset + count) });
  }

  // Do it to all bytes, or cut the power: with none of them done, or the first half.
  flashOperation(offset, count, act) {
    this.flashOperations += 1;
    const isCut = this.flashOperations === this.cut?.at;
    const done = !isCut ? count : this.cut.torn ? count >> 1 : 0;
    act(done);
    this.onFlash(offset, done);
    if (!isCut) return;
    this.hasPower = false;
    throw new PowerCut();
  }

  // The part of the flash that a Pico has.
  get bootFlash() {
    return this.mcu.flash.subarray(0, BOOT_FLASH_BYTES);
  }

  // Write bytes straight into flash or RAM from outside, however they are protected.
  poke(address, bytes) {
    const { flash, sram } = this.mcu;
    const inFlash = address >= FLASH_BASE && address + bytes.length <= FLASH_BASE + flash.length;
    if (inFlash) flash.set(bytes, address - FLASH_BASE);
    else if (address >= 0x20000000 && address + bytes.length <= 0x20000000 + sram.length) {
      sram.set(bytes, address - 0x20000000);
    } else throw new Fault(`no flash or RAM at ${hex(address)}`);
  }

  send(bytes) {
    for (const byte of bytes) this.input.push(byte);
    this.feed();
  }

  feed() {
    if (!this.pendingRead || this.input.length === 0) return;
    const { endpoint, size } = this.pendingRead;
    this.pendingRead = null;
    const bytes = Uint8Array.from(this.input.splice(0, size));
    this.mcu.usbCtrl.endpointReadDone(endpoint, bytes);
  }

  received(bytes) {
    for (const byte of bytes) this.output.push(byte);
    this.newOutput = true;
  }

  // Run until isDone(output) is true; looks whenever output arrives. Returns "done", "timeout"
  // (Date.now() passed deadlineMs) or "asleep" (it waits for something that will never come).
  run(isDone, deadlineMs) {
    if (isDone(this.output)) return "done";
    while (Date.now() < deadlineMs) {
      const ended = this.slice(isDone);
      if (ended) return ended;
    }
    return "timeout";
  }

  // Run for at most `nanos` of the chip's time or until Date.now() passes deadlineMs. Returns how
  // long the core then sleeps: ns, 0 if it is awake, null until something from outside wakes it.
  step(nanos, deadlineMs) {
    const { clock } = this.mcu;
    const endNanos = clock.nanos + nanos;
    let ended = null;
    while (!ended && Date.now() < deadlineMs && this.mcu.clock.nanos < endNanos) {
      ended = this.slice(() => false, endNanos);
      if (this.mcu.clock !== clock) return 0; // it reset itself
    }
    if (!ended) return 0;
    if (endNanos !== Infinity) clock.sleepUntil(endNanos);
    return clock.nanosToAlarm;
  }

  slice(isDone, endNanos = Infinity) {
    if (!this.hasPower) throw new Fault("no power since the cut: reset() gives it back");
    const { core, clock } = this.mcu;
    const end = core.cycles + CYCLES_PER_SLICE;
    for (let turns = 0; core.cycles < end && turns < CYCLES_PER_SLICE; turns++) {
      if (!clock.advance(end, endNanos)) return "asleep";
      if (this.newOutput) {
        this.newOutput = false;
        if (isDone(this.output)) return "done";
      }
      if (this.resetRequested) {
        this.powerOn(this.mcu.flash);
        return null;
      }
    }
    return null;
  }
}

// An RP2040 that stops at an access a Cortex-M0+ cannot do, with a clock that its core drives.
function newChip({ RP2040 }, fast) {
  class Chip extends RP2040 {
    readUint16(address) {
      if (address & 1) misaligned(this, address);
      return super.readUint16(address);
    }

    writeUint16(address, value) {
      if (address & 1) misaligned(this, address);
      super.writeUint16(address, value);
    }

    writeUint32(address, value) {
      if (address & 3) misaligned(this, address);
      super.writeUint32(address, value);
    }
  }
  const chip = new Chip(new CoreClock());
  fast.attach(chip);
  chip.clock.follow(chip.core, fast.step);
  return chip;
}

function misaligned(chip, address) {
  chip.logger.error("core", `access to ${hex(address)}, which is not aligned`);
}

function cycleCounter(core) {
  return {
    readUint32: (offset) =>
      offset === 0 ? core.cycles % 2 ** 30 : Math.floor(core.cycles / 2 ** 30),
    writeUint32Atomic: () => {},
  };
}

function hex(value) {
  return `0x${(value >>> 0).toString(16).padStart(8, "0")}`;
}
