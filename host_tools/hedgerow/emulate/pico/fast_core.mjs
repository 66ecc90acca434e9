// The instructions that firmware mostly consists of, by a table and straight from flash and RAM.
// Everything else, and every access to a peripheral, is left to rp2040js's own executeInstruction(),
// whose chain of comparisons costs three times as much. Registers, flags and cycles are the same
// after each instruction: tests/emulated/test_fast_core.py runs both.
// Source: Armv6-M Architecture Reference Manual, A5 and A6.7.

const FLASH = 0x10000000;
const RAM = 0x20000000;

// {attach(chip), step()}: step executes one instruction of the chip that was attached last. To be
// made once: closures made anew for each chip would run at half the speed, V8 knows them no longer.
export function fastCore() {
  let core, r, slow, flash, flash16, flash32, sram, ram16, ram32, rom16, flashBytes, ramBytes;

  const attach = (chip) => {
    ({ core, flash, flash16, sram } = chip);
    r = core.registers;
    slow = () => core.executeInstruction();
    flash32 = new Uint32Array(flash.buffer);
    ram16 = new Uint16Array(sram.buffer);
    ram32 = new Uint32Array(sram.buffer);
    rom16 = new Uint16Array(chip.bootrom.buffer);
    flashBytes = flash.length;
    ramBytes = sram.length;
  };

  const setNZ = (result) => {
    core.N = result < 0;
    core.Z = result === 0;
  };

  // a, b: as unsigned numbers.
  const add = (a, b) => {
    const sum = a + b;
    const result = sum | 0;
    setNZ(result);
    core.C = sum > 0xffffffff;
    core.V = ((a ^ result) & (b ^ result)) < 0;
    return result;
  };

  const subtract = (a, b) => {
    const result = (a - b) | 0;
    setNZ(result);
    core.C = a >= b;
    core.V = ((a ^ b) & (a ^ result)) < 0;
    return result;
  };

  const next = (cycles) => {
    r[15] += 2;
    core.cycles += cycles;
  };

  // Loads and stores: false if it is neither flash nor RAM, or not aligned.
  const load32 = (to, address) => {
    if (address & 3) return false;
    const inRam = address - RAM;
    const inFlash = address - FLASH;
    if (inRam >= 0 && inRam < ramBytes) r[to] = ram32[inRam >> 2];
    else if (inFlash >= 0 && inFlash < flashBytes) r[to] = flash32[inFlash >> 2];
    else return false;
    next(2);
    return true;
  };

  const load16 = (to, address) => {
    if (address & 1) return false;
    const inRam = address - RAM;
    const inFlash = address - FLASH;
    if (inRam >= 0 && inRam < ramBytes) r[to] = ram16[inRam >> 1];
    else if (inFlash >= 0 && inFlash < flashBytes) r[to] = flash16[inFlash >> 1];
    else return false;
    next(2);
    return true;
  };

  const load8 = (to, address) => {
    const inRam = address - RAM;
    const inFlash = address - FLASH;
    if (inRam >= 0 && inRam < ramBytes) r[to] = sram[inRam];
    else if (inFlash >= 0 && inFlash < flashBytes) r[to] = flash[inFlash];
    else return false;
    next(2);
    return true;
  };

  const store32 = (from, address) => {
    const inRam = address - RAM;
    if (address & 3 || inRam < 0 || inRam >= ramBytes) return false;
    ram32[inRam >> 2] = r[from];
    next(2);
    return true;
  };

  const store16 = (from, address) => {
    const inRam = address - RAM;
    if (address & 1 || inRam < 0 || inRam >= ramBytes) return false;
    ram16[inRam >> 1] = r[from];
    next(2);
    return true;
  };

  const store8 = (from, address) => {
    const inRam = address - RAM;
    if (inRam < 0 || inRam >= ramBytes) return false;
    sram[inRam] = r[from];
    next(2);
    return true;
  };

  const shift = (op) => {
    const input = r[(op >> 3) & 7];
    const n = (op >> 6) & 31;
    let result;
    if (op >> 11 === 0) {
      result = input << n;
      if (n) core.C = (input & (1 << (32 - n))) !== 0;
    } else if (op >> 11 === 1) {
      result = n ? (input >>> n) | 0 : 0;
      core.C = ((input >>> (n ? n - 1 : 31)) & 1) !== 0;
    } else {
      result = n ? input >> n : (input | 0) >> 31;
      core.C = (input & (1 << ((n || 32) - 1))) !== 0;
    }
    r[op & 7] = result;
    setNZ(result);
    next(1);
    return true;
  };

  const addOrSubtract = (op) => {
    const b = op & 0x400 ? (op >> 6) & 7 : r[(op >> 6) & 7];
    const a = r[(op >> 3) & 7];
    r[op & 7] = op & 0x200 ? subtract(a, b) : add(a, b);
    next(1);
    return true;
  };

  const dataProcessing = (op) => {
    const d = op & 7;
    const a = r[d];
    const b = r[(op >> 3) & 7];
    let result;
    switch ((op >> 6) & 15) {
      case 0: result = r[d] = a & b; break;
      case 1: result = r[d] = a ^ b; break;
      case 8: result = a & b; break; // TST
      case 9: r[d] = subtract(0, b); next(1); return true;
      case 10: subtract(a, b); next(1); return true; // CMP
      case 12: result = r[d] = a | b; break;
      case 13: result = r[d] = Math.imul(a, b); break;
      case 14: result = r[d] = a & ~b; break;
      case 15: result = r[d] = ~b; break;
      default: return false; // shifts by a register, ADC, SBC, CMN
    }
    setNZ(result | 0);
    next(1);
    return true;
  };

  // ADD, CMP and MOV of high registers, not of SP and PC as target; BX and BLX.
  const highRegisters = (op) => {
    const m = (op >> 3) & 15;
    const d = ((op >> 4) & 8) | (op & 7);
    const kind = (op >> 8) & 3;
    if (m === 15) return false;
    if (kind === 3) return branchTo(op, m);
    if (d === 15 || d === 13) return false;
    if (kind === 0) r[d] += r[m];
    else if (kind === 1) subtract(r[d], r[m]);
    else r[d] = r[m];
    next(1);
    return true;
  };

  const branchTo = (op, m) => {
    const target = r[m];
    if (op & 7 || target >>> 28 === 15) return false; // the return from an exception
    if (op & 0x80) r[14] = (r[15] + 2) | 1;
    r[15] = target & ~1;
    core.cycles += 2;
    return true;
  };

  const withRegister = (op) => {
    const address = (r[(op >> 6) & 7] + r[(op >> 3) & 7]) >>> 0;
    const t = op & 7;
    switch ((op >> 9) & 7) {
      case 0: return store32(t, address);
      case 1: return store16(t, address);
      case 2: return store8(t, address);
      case 3: return load8(t, address) && ((r[t] = (r[t] << 24) >> 24), true);
      case 4: return load32(t, address);
      case 5: return load16(t, address);
      case 6: return load8(t, address);
      default: return load16(t, address) && ((r[t] = (r[t] << 16) >> 16), true);
    }
  };

  // Room in RAM for n words from address on: its index, -1 if there is none.
  const wordsAt = (address, n) => {
    const inRam = address - RAM;
    return address & 3 || inRam < 0 || inRam + 4 * n > ramBytes ? -1 : inRam >> 2;
  };

  const push = (op) => {
    const n = bits(op & 0x1ff);
    let at = wordsAt(r[13] - 4 * n, n);
    if (at < 0) return false;
    for (let i = 0; i < 8; i++) if (op & (1 << i)) ram32[at++] = r[i];
    if (op & 0x100) ram32[at] = r[14];
    r[13] -= 4 * n;
    next(1 + bits(op & 0xff));
    return true;
  };

  const pop = (op) => {
    const n = bits(op & 0x1ff);
    let at = wordsAt(r[13], n);
    if (at < 0 || (op & 0x100 && ram32[at + n - 1] >>> 28 === 15)) return false;
    for (let i = 0; i < 8; i++) if (op & (1 << i)) r[i] = ram32[at++];
    r[13] += 4 * n;
    next(1 + n + (op & 0x100 ? 1 : 0));
    if (op & 0x100) r[15] = ram32[at] & ~1;
    return true;
  };

  const miscellaneous = (op) => {
    const d = op & 7;
    const m = r[(op >> 3) & 7];
    switch (op >> 8) {
      case 0xb0:
        r[13] += (op & 0x80 ? -4 : 4) * (op & 0x7f);
        break;
      case 0xb2:
        if (op & 0x80) r[d] = op & 0x40 ? m & 0xff : m & 0xffff;
        else r[d] = op & 0x40 ? (m << 24) >> 24 : (m << 16) >> 16;
        break;
      case 0xb4: case 0xb5: return push(op);
      case 0xbc: case 0xbd: return pop(op);
      default: return false;
    }
    next(1);
    return true;
  };

  const storeMultiple = (op) => {
    const n = (op >> 8) & 7;
    const count = bits(op & 0xff);
    let at = wordsAt(r[n], count);
    if (at < 0 || op & (1 << n)) return false;
    for (let i = 0; i < 8; i++) if (op & (1 << i)) ram32[at++] = r[i];
    r[n] += 4 * count;
    next(1 + count);
    return true;
  };

  const loadMultiple = (op) => {
    const n = (op >> 8) & 7;
    const count = bits(op & 0xff);
    let at = wordsAt(r[n], count);
    if (at < 0 || op & (1 << n)) return false;
    for (let i = 0; i < 8; i++) if (op & (1 << i)) r[i] = ram32[at++];
    r[n] += 4 * count;
    next(1 + count);
    return true;
  };

  const holds = (condition) => {
    switch (condition >> 1) {
      case 0: return core.Z;
      case 1: return core.C;
      case 2: return core.N;
      case 3: return core.V;
      case 4: return core.C && !core.Z;
      case 5: return core.N === core.V;
      default: return core.N === core.V && !core.Z;
    }
  };

  const branchIf = (op) => {
    const condition = (op >> 8) & 15;
    if (condition >= 14) return false; // UDF, SVC
    if (holds(condition) === !(condition & 1)) {
      r[15] += 4 + ((op << 24) >> 23);
      core.cycles += 2;
    } else next(1);
    return true;
  };

  const branch = (op) => {
    r[15] += 4 + ((op << 21) >> 20);
    core.cycles += 2;
    return true;
  };

  const branchWithLink = (op, op2) => {
    if ((op2 & 0xd000) !== 0xd000) return false; // MSR, MRS, barriers
    const s = (op >> 10) & 1;
    const i1 = 1 - (s ^ ((op2 >> 13) & 1));
    const i2 = 1 - (s ^ ((op2 >> 11) & 1));
    const offset = (-s << 24) | (i1 << 23) | (i2 << 22) | ((op & 0x3ff) << 12) | ((op2 & 0x7ff) << 1);
    const after = r[15] + 4;
    r[14] = after | 1;
    r[15] = after + offset;
    core.cycles += 3;
    return true;
  };

  const execute = (op, at, code) => {
    switch (op >> 11) {
      case 0: case 1: case 2: return shift(op);
      case 3: return addOrSubtract(op);
      case 4: {
        const value = op & 0xff;
        r[(op >> 8) & 7] = value;
        setNZ(value);
        next(1);
        return true;
      }
      case 5: subtract(r[(op >> 8) & 7], op & 0xff); next(1); return true;
      case 6: r[(op >> 8) & 7] = add(r[(op >> 8) & 7], op & 0xff); next(1); return true;
      case 7: r[(op >> 8) & 7] = subtract(r[(op >> 8) & 7], op & 0xff); next(1); return true;
      case 8: return op & 0x400 ? highRegisters(op) : dataProcessing(op);
      case 9: return load32((op >> 8) & 7, ((r[15] + 4) & ~3) + ((op & 0xff) << 2));
      case 10: case 11: return withRegister(op);
      case 12: return store32(op & 7, (r[(op >> 3) & 7] + ((op >> 4) & 0x7c)) >>> 0);
      case 13: return load32(op & 7, (r[(op >> 3) & 7] + ((op >> 4) & 0x7c)) >>> 0);
      case 14: return store8(op & 7, (r[(op >> 3) & 7] + ((op >> 6) & 31)) >>> 0);
      case 15: return load8(op & 7, (r[(op >> 3) & 7] + ((op >> 6) & 31)) >>> 0);
      case 16: return store16(op & 7, (r[(op >> 3) & 7] + ((op >> 5) & 62)) >>> 0);
      case 17: return load16(op & 7, (r[(op >> 3) & 7] + ((op >> 5) & 62)) >>> 0);
      case 18: return store32((op >> 8) & 7, r[13] + ((op & 0xff) << 2));
      case 19: return load32((op >> 8) & 7, r[13] + ((op & 0xff) << 2));
      case 20: r[(op >> 8) & 7] = (r[15] & ~3) + 4 + ((op & 0xff) << 2); next(1); return true;
      case 21: r[(op >> 8) & 7] = r[13] + ((op & 0xff) << 2); next(1); return true;
      case 22: case 23: return miscellaneous(op);
      case 24: return storeMultiple(op);
      case 25: return loadMultiple(op);
      case 26: case 27: return branchIf(op);
      case 28: return branch(op);
      case 30: return branchWithLink(op, code[at + 1]);
      default: return false;
    }
  };

  const step = () => {
    if (core.interruptsUpdated) return slow();
    const pc = r[15];
    let code = flash16;
    let at = (pc - FLASH) >> 1;
    if (at < 0 || at >= flashBytes >> 1) {
      code = pc >= RAM ? ram16 : rom16;
      at = (pc >= RAM ? pc - RAM : pc) >> 1;
      if (at < 0 || at + 1 >= code.length) return slow();
    }
    if (!execute(code[at], at, code)) slow();
  };

  return { attach, step };
}

function bits(word) {
  let n = 0;
  for (let rest = word; rest; rest &= rest - 1) n++;
  return n;
}
