// SPI and UART controllers of the chip, asked about as wiring.mjs says. Both take the line's time.

const NANOS_PER_SECOND = 1e9;
const UART_BITS = 10; // of a byte with start and stop bit
const TX_INTERRUPT = 1 << 5; // RP2040 datasheet 4.2.8, UARTRIS.TXRIS

// A transfer stops the program for its time on the wires, which it could only have waited for.
export function connectSpi(wiring, controller, bus) {
  controller.onTransmit = (byte) => {
    const hz = controller.clockFrequency;
    wiring.mcu.clock.pass((controller.dataBits * NANOS_PER_SECOND) / hz);
    const answer = wiring.spi.has(bus) ? wiring.ask({ ask: "spi", bus, byte }) : { byte: 0 };
    controller.completeTransmit(answer.byte);
  };
}

// Bytes leave one after the other while the program goes on.
export function connectUart(wiring, controller, bus) {
  // The transmit interrupt comes as the FIFO empties (RP2040 datasheet 4.2.6); in rp2040js it is
  // always there, and a program that enables it does nothing else any more.
  controller.checkInterrupts = () => {
    const isPending = (controller.interruptStatus & controller.interruptMask) !== 0;
    controller.rp2040.setInterrupt(controller.irq, isPending);
  };
  let freeNanos = 0; // end of the last byte
  controller.onByte = (byte) => {
    if (!wiring.uart.has(bus)) return;
    const { clock } = wiring.mcu;
    const baud = controller.baudRate;
    freeNanos = Math.max(freeNanos, clock.nanos) + byteNanos(baud);
    const tell = () => {
      controller.interruptStatus |= TX_INTERRUPT;
      controller.checkInterrupts();
      wiring.ask({ ask: "uart", bus, byte, baud });
    };
    clock.createAlarm(tell).schedule(freeNanos - clock.nanos);
  };
}

// Bytes from outside, one after the other from now on.
export function receive(wiring, bus, bytes) {
  const controller = wiring.mcu.uart[bus];
  const { clock } = wiring.mcu;
  if (!controller.enabled || !controller.rxEnabled) return;
  const gap = byteNanos(controller.baudRate);
  bytes.forEach((byte, i) => {
    if (i === 0) controller.feedByte(byte);
    else clock.createAlarm(() => controller.feedByte(byte)).schedule(i * gap);
  });
}

function byteNanos(baud) {
  return (UART_BITS * NANOS_PER_SECOND) / baud;
}
