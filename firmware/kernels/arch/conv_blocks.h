// Channels in blocks of four, in C. An arch file defines, before including this,
//
//   multiply_pair   acc[0..3] of pixel 0, acc[4..7] of pixel 1
//   multiply_one    acc[0..3] of one pixel whose input is read in place
#ifndef HEDGE_KERNELS_CONV_BLOCKS_H
#define HEDGE_KERNELS_CONV_BLOCKS_H

#include <stdint.h>

struct writer {
    int32_t acc[8];
};

#include "conv_pairs.h"

static void start(struct writer *writer, const struct hg_window *w) {
    (void)writer;
    (void)w;
}

// Channel `place` of the block of one or two pixels whose outputs lie from out on.
static inline void write_channel(
    const struct hg_window *w, const uint8_t *block, const int32_t *acc, const int32_t *sum,
    int32_t place, int8_t *out, int32_t pixels) {
    struct hg_channel channel = hg_channel_of(w, block, place);
    out[place] = hg_output(w, &channel, acc[place] + channel.bias - 128 * sum[0]);
    if (pixels == 2) {
        int32_t value = acc[4 + place] + channel.bias - 128 * sum[1];
        out[w->out_c + place] = hg_output(w, &channel, value);
    }
}

// Channels c .. c + 3, or fewer at the end, of `pixels` pixels whose outputs lie from out on.
static void write_block(
    const struct hg_window *w, const int32_t *acc, const int32_t *sum, int32_t c, int8_t *out,
    int32_t pixels) {
    const uint8_t *block = hg_block(w, c);
    int32_t end = w->out_c - c < 4 ? w->out_c - c : 4;
    for (int32_t place = 0; place < end; place++) {
        write_channel(w, block, acc, sum, place, out + c, pixels);
    }
}

static void write_pixels(
    struct writer *writer, const struct hg_window *w, const struct patch *p, int8_t *out,
    int32_t pixels) {
    const uint8_t *weights = w->weights;
    for (int32_t c = 0; c < w->out_c; c += 4) {
        multiply_pair(writer->acc, weights, p->places, p->even_taps);
        write_block(w, writer->acc, p->sum, c, out, pixels);
        weights += 4 * p->even_taps;
    }
}

static void write_in_place(struct writer *writer, const struct hg_window *w) {
    int32_t sum[2] = {0, 0};
    const uint8_t *weights = w->weights;
    for (int32_t t = 0; t < w->in_c; t++) {
        sum[0] += w->in[t] + 128;
    }
    for (int32_t c = 0; c < w->out_c; c += 4) {
        multiply_one(writer->acc, weights, w->in, w->in_c);
        write_block(w, writer->acc, sum, c, w->out, 1);
        weights += 4 * ((w->in_c + 1) & ~1);
    }
}

#endif
