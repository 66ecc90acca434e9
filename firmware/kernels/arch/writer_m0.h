// What kernels_m0.S shares with the C that calls it.
#ifndef HEDGE_KERNELS_WRITER_M0_H
#define HEDGE_KERNELS_WRITER_M0_H

#include <stddef.h>

#include "cells.h"

#pragma GCC visibility push(hidden)

// kernels_m0.S has these offsets by number.
struct writer {
    int32_t acc[8]; // four channels of pixel 0, four of pixel 1
    int32_t first_low, first_high; // what sums start with: -128 * sum of x'
    const uint8_t *block; // of the channel table
    int8_t *out[2]; // of both pixels; the same where there is one
    int32_t rounding; // 1 + 2 * zero point
    int32_t shift; // shift_base - 1; -1 in a wide table
    int32_t block_bytes;
    int32_t left; // channels
    int32_t is_plain; // the assembly can requantize whole blocks of this op
    struct cells cells; // DEPTHWISE; CONV: weights of the next four channels
    int32_t is_aligned; // x and weights at multiples of 4
    const struct hg_window *window;
};

_Static_assert(offsetof(struct writer, is_aligned) == 104, "kernels_m0.S must have the offsets");

void hg_m0_start(struct writer *writer, const struct hg_window *w);

// Points to channel 0 of pixels that lie at out and second; the same where there is one.
void hg_m0_rewind(struct writer *writer, int8_t *out, int8_t *second);

// For the assembly: the next channels, up to four, of an op that is not plain or of a last block.
void hg_m0_write_any(struct writer *writer);

// In assembly. All channels of two pixels; x: even_taps words.
void hg_m0_two_pixels(struct writer *writer, const uint16_t *x, int32_t even_taps);
// acc[0..3] of one pixel; x at a multiple of 4; taps a multiple of 4, not 0.
void hg_m0_one_pixel(struct writer *writer, const int8_t *x, int32_t taps);
// Whole blocks of four channels of one pixel; left >= 4.
void hg_m0_depthwise(struct writer *writer);
// Writes acc as the next four channels, or as many as are left.
void hg_m0_write(struct writer *writer);

#pragma GCC visibility pop

#endif
