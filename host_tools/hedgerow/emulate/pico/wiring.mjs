// What hangs on the pins. The chips are Python objects in the process that started this one: each
// event on a bus is a question to it, and the program stands still until the answer comes.
//
//   {"ask": "start", "bus": n, "addr": n, "reading": bool, "hz": n} -> {"ack": bool}
//   {"ask": "write", "bus": n, "byte": n} -> {"ack": bool}
//   {"ask": "read", "bus": n} -> {"byte": n}
//   {"ask": "stop", "bus": n} -> {}
//   {"ask": "stuck", "bus": n} -> {"stuck": bool}     SDA or SCL is held low
//   {"ask": "spi", "bus": n, "byte": n} -> {"byte": n}
//   {"ask": "uart", "bus": n, "byte": n, "baud": n} -> {}     what the board sent
//   {"ask": "tick", "bauds": [n, n]} -> {}     each millisecond, if somebody wants to know
//   {"ask": "adc", "channel": n} -> {"raw": 0 to 4095}
//   {"ask": "pin", "pin": n, "level": 0 | 1 | null} -> {}     null: no longer driven by the board
//
// Every question carries "ns", the chip's time since the start of this process. Every answer may
// carry "drive": [[pin, level, after_ns]...], levels that the outside forces from then on (null
// lets go), "uart": [[bus, [byte...]]...], bytes to the board, and "stretch_ns", for which an I2C
// chip holds the clock.

import { connectSpi, connectUart, receive } from "./serial_buses.mjs";

const NS_PER_CYCLE = 8;
const STUCK_LOOK_NS = 1e6; // between looks whether a stuck bus is free again
const TX_EMPTY = 1 << 4; // of the I2C interrupts (RP2040 datasheet 4.3.17, IC_RAW_INTR_STAT)
const I2C_BITS = 9; // of a byte and its acknowledge
const TICK_NS = 1e6;

export class Wiring {
  constructor(ask) {
    this.askOutside = ask;
    this.i2c = new Set(); // buses with chips; on the others nobody answers
    this.adc = new Set();
    this.spi = new Set();
    this.uart = new Set();
    this.ticks = false;
    this.listened = new Set(); // pins
    this.driven = new Map(); // pin -> level
    this.told = new Map(); // pin -> level of the board that was reported last
    this.beforeNanos = 0; // of the chips that ran before this one
    this.mcu = null;
  }

  // The wires stay when the chip is reset, and time goes on.
  connect(mcu) {
    if (this.mcu) this.beforeNanos += this.mcu.clock.nanos;
    this.mcu = mcu;
    mcu.i2c.forEach((controller, bus) => this.connectI2c(controller, bus));
    mcu.spi.forEach((controller, bus) => connectSpi(this, controller, bus));
    mcu.uart.forEach((controller, bus) => connectUart(this, controller, bus));
    this.ticker = null;
    this.startTicks();
    const convert = mcu.adc.onADCRead;
    mcu.adc.onADCRead = (channel) => {
      if (this.adc.has(channel)) {
        mcu.adc.channelValues[channel] = this.ask({ ask: "adc", channel }).raw;
      }
      convert(channel);
    };
    mcu.gpio.forEach((pin, number) => {
      pin.addListener(() => this.boardChanged(pin, number));
      this.boardChanged(pin, number); // without power it drives nothing
    });
  }

  get nanos() {
    return this.beforeNanos + this.mcu.clock.nanos;
  }

  ask(question) {
    const answer = this.askOutside({ ...question, ns: Math.round(this.nanos) });
    for (const [pin, level, afterNs] of answer.drive ?? []) this.drive(pin, level, afterNs);
    for (const [bus, bytes] of answer.uart ?? []) receive(this, bus, bytes);
    return answer;
  }

  startTicks() {
    if (!this.ticks || this.ticker) return;
    this.ticker = this.mcu.clock.createAlarm(() => {
      this.ask({ ask: "tick", bauds: this.mcu.uart.map(baud) });
      this.ticker.schedule(TICK_NS);
    });
    this.ticker.schedule(TICK_NS);
  }

  drive(number, level, afterNs = 0) {
    if (afterNs > 0) {
      this.mcu.clock.createAlarm(() => this.drive(number, level)).schedule(afterNs);
      return;
    }
    if (level === null) this.driven.delete(number);
    else this.driven.set(number, level);
    this.settle(number);
  }

  boardChanged(pin, number) {
    this.settle(number);
    const level = outputLevel(pin);
    if (!this.listened.has(number) || level === (this.told.get(number) ?? null)) return;
    this.told.set(number, level);
    this.ask({ ask: "pin", pin: number, level });
  }

  // What the pin then reads: rp2040js knows neither pulls nor an output's own level.
  settle(number) {
    const pin = this.mcu.gpio[number];
    const level = this.level(number) === 1;
    if (level !== pin.rawInputValue) pin.setInputValue(level);
  }

  // What the board drives counts, then what the outside drives, then a pull; a floating pin is low.
  level(number) {
    const pin = this.mcu.gpio[number];
    return outputLevel(pin) ?? this.driven.get(number) ?? (pin.pullupEnabled ? 1 : 0);
  }

  connectI2c(controller, bus) {
    const bitNanos = () => NS_PER_CYCLE * (controller.sclLowPeriod + controller.sclHighPeriod);
    // Transfers take the bus's time: the program could only wait meanwhile.
    const ask = (question) => {
      this.mcu.clock.pass(I2C_BITS * bitNanos());
      if (!this.i2c.has(bus)) return { ack: false, byte: 0xff };
      const answer = this.ask({ ...question, bus });
      this.mcu.clock.pass(answer.stretch_ns ?? 0);
      return answer;
    };
    const start = () => {
      if (!this.i2c.has(bus) || !this.ask({ ask: "stuck", bus }).stuck) controller.completeStart();
      else this.mcu.clock.createAlarm(start).schedule(STUCK_LOOK_NS);
    };
    let addressed = false; // a chip that did not acknowledge hears no stop
    controller.onStart = start;
    controller.onConnect = (addr, mode) => {
      const hz = Math.round(1e9 / bitNanos());
      addressed = ask({ ask: "start", addr, reading: mode === 1, hz }).ack;
      controller.completeConnect(addressed);
      // The abort has emptied the FIFO; rp2040js does not say so, and the SDK would time out.
      if (!addressed) controller.setInterrupts(TX_EMPTY);
    };
    controller.onWriteByte = (byte) => controller.completeWrite(ask({ ask: "write", byte }).ack);
    controller.onReadByte = () => controller.completeRead(ask({ ask: "read" }).byte);
    controller.onStop = () => {
      if (addressed) ask({ ask: "stop" });
      addressed = false;
      controller.completeStop();
    };
  }
}

// Speed of a UART, 0 while the program has not set it.
function baud(controller) {
  return controller.enabled ? controller.baudRate : 0;
}

// 0 or 1, or null while the board does not drive the pin.
function outputLevel(pin) {
  if (!pin.outputEnable) return null;
  return pin.outputValue ? 1 : 0;
}
