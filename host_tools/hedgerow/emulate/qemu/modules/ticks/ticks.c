// Time of the QEMU boards, which the port lacks, and their instruction counter.
//
// QEMU runs with -icount shift=8: every instruction takes 256 ns of its virtual clock, whatever it
// does. time.ticks_cpu() is the number of instructions; the other times follow the virtual clock.

#include <stdint.h>

#include "py/mpconfig.h"
#include "py/mphal.h"
#include "py/runtime.h"

#define NS_PER_INSTRUCTION_BITS (8)

#if defined(QEMU_SOC_MPS2)

// CMSDK APB timer 0 counts down at 25 MHz (Arm DDI 0479, 4.2): 6.4 ticks an instruction, so that
// each instruction is seen and the number of ticks gives the number of instructions exactly.
typedef struct {
    volatile uint32_t control, value, reload;
} timer_regs;

#define TIMER0 ((timer_regs *)0x40000000)
#define TIMER_ENABLE (1)

static uint64_t ticks_total;
static uint32_t ticks_last;

static void counter_start(void) {
    TIMER0->reload = UINT32_MAX;
    TIMER0->value = UINT32_MAX;
    TIMER0->control = TIMER_ENABLE;
}

// Must be called every 671 million instructions, or a wrap of the timer is missed.
static uint64_t instructions(void) {
    uint32_t ticks = UINT32_MAX - TIMER0->value;
    ticks_total += (uint32_t)(ticks - ticks_last);
    ticks_last = ticks;
    return (ticks_total * 5 + 16) >> 5;
}

#else

static void counter_start(void) {
}

static uint64_t instructions(void) {
    uint32_t high, low, again;
    do {
        __asm volatile ("csrr %0, mcycleh\n csrr %1, mcycle\n csrr %2, mcycleh"
            : "=r" (high), "=r" (low), "=r" (again));
    } while (high != again);
    return (((uint64_t)high << 32) | low) >> NS_PER_INSTRUCTION_BITS;
}

#endif

static uint64_t now_ns(void) {
    return instructions() << NS_PER_INSTRUCTION_BITS;
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return (mp_uint_t)instructions();
}

mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)(now_ns() / 1000);
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)(now_ns() / 1000000);
}

uint64_t mp_hal_time_ns(void) {
    return now_ns();
}

void mp_hal_delay_us(mp_uint_t us) {
    uint64_t end = now_ns() + (uint64_t)us * 1000;
    while (now_ns() < end) {
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint64_t end = now_ns() + (uint64_t)ms * 1000000;
    while (now_ns() < end) {
        mp_handle_pending(true);
    }
}

int __real_main(int argc, char **argv);

int __wrap_main(int argc, char **argv) {
    #if defined(__ARM_FP)
    // Full access to coprocessors 10 and 11, the FPU (Armv7-M ARM B3.2.20).
    *(volatile uint32_t *)0xe000ed88 |= 0xfu << 20;
    __asm volatile ("dsb\n isb");
    #endif
    counter_start();
    return __real_main(argc, argv);
}
