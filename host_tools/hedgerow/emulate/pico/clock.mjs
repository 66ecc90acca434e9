// The clock of the emulated chip: its core's cycles plus what the core slept. It stands in for
// rp2040js's SimulationClock, which is moved after every instruction; this one costs nothing
// between alarms.

const NS_PER_CYCLE = 8; // 125 MHz, to which MicroPython sets the core

class Alarm {
  constructor(clock, callback) {
    this.clock = clock;
    this.callback = callback;
    this.nanos = 0;
    this.scheduled = false;
  }

  schedule(deltaNanos) {
    this.clock.remove(this);
    this.nanos = this.clock.nanos + deltaNanos;
    this.clock.insert(this);
  }

  cancel() {
    this.clock.remove(this);
  }
}

export class CoreClock {
  constructor() {
    this.core = { cycles: 0 }; // until follow(): peripherals ask for the time as they are made
    this.sleptNanos = 0;
    this.alarms = []; // in the order of their time
    this.end = 0;
    this.limit = 0; // cycles at which advance() looks up
  }

  // step(): executes one instruction of this core.
  follow(core, step) {
    this.core = core;
    this.step = step;
  }

  get nanos() {
    return this.core.cycles * NS_PER_CYCLE + this.sleptNanos;
  }

  get micros() {
    return this.nanos / 1000;
  }

  createAlarm(callback) {
    return new Alarm(this, callback);
  }

  insert(alarm) {
    const { alarms } = this;
    let at = alarms.length;
    while (at > 0 && alarms[at - 1].nanos > alarm.nanos) at--;
    alarms.splice(at, 0, alarm);
    alarm.scheduled = true;
    this.updateLimit();
  }

  remove(alarm) {
    if (!alarm.scheduled) return;
    this.alarms.splice(this.alarms.indexOf(alarm), 1);
    alarm.scheduled = false;
  }

  updateLimit() {
    const [next] = this.alarms;
    const due = next ? (next.nanos - this.sleptNanos) / NS_PER_CYCLE : this.end;
    this.limit = Math.min(this.end, due);
  }

  // advance() returns after this instruction.
  stop() {
    this.limit = 0;
  }

  // Let time pass in which the core executes nothing.
  pass(nanos) {
    this.sleptNanos += nanos;
    this.updateLimit();
  }

  sleepUntil(nanos) {
    this.pass(Math.max(0, nanos - this.nanos));
  }

  // Time to the next alarm, null if there is none.
  get nanosToAlarm() {
    const [next] = this.alarms;
    return next ? Math.max(0, next.nanos - this.nanos) : null;
  }

  // Execute until an alarm is due, the core sleeps or has done `end` cycles; serve due alarms. A
  // sleeping core sleeps to the next alarm. Returns false if it sleeps and no alarm will come
  // before endNanos.
  advance(end, endNanos) {
    const { core, step } = this;
    this.end = end;
    this.updateLimit();
    while (!core.waiting && core.cycles < this.limit) step();
    if (core.waiting) {
      if (this.alarms.length === 0 || this.alarms[0].nanos > endNanos) return false;
      this.sleepUntil(this.alarms[0].nanos);
    }
    this.serveAlarms();
    return true;
  }

  serveAlarms() {
    while (this.alarms.length > 0 && this.alarms[0].nanos <= this.nanos) {
      const alarm = this.alarms.shift();
      alarm.scheduled = false;
      alarm.callback();
    }
  }
}
