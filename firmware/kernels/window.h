// What CONV and DEPTHWISE share: the fields of their records, and channel tables.
#ifndef HEDGE_KERNELS_WINDOW_H
#define HEDGE_KERNELS_WINDOW_H

#include "record.h"
#include "requantize.h"

#pragma GCC visibility push(hidden)

struct hg_window {
    const int8_t *in;
    int8_t *out;
    const uint8_t *weights;
    const uint8_t *channels; // the channel table
    int8_t *scratch;
    uint32_t flags;
    int32_t in_h, in_w, in_c, out_c, out_h, out_w;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int32_t zero_point, act_min, act_max, fill;
};

void hg_window_read(struct hg_window *w, const struct hg_run *run, const uint32_t *record);

struct hg_channel {
    int32_t bias, multiplier, shift;
};

// Four channels from a multiple of 4 on: 28 bytes of the table if it is compact, 48 if wide.
static inline const uint8_t *hg_block(const struct hg_window *w, int32_t c) {
    return w->channels + (c >> 2) * (w->flags & HG_FLAG_WIDE ? 48 : 28);
}

// Channel `place` of a block.
static inline struct hg_channel hg_channel_of(
    const struct hg_window *w, const uint8_t *block, int32_t place) {
    struct hg_channel channel;
    if (w->flags & HG_FLAG_WIDE) {
        const int32_t *wide = (const int32_t *)(const void *)block + place;
        channel.bias = wide[0];
        channel.multiplier = wide[4];
        channel.shift = wide[8];
        return channel;
    }
    uint32_t word = ((const uint32_t *)(const void *)block)[place];
    uint32_t low = ((const uint16_t *)(const void *)(block + 16))[place];
    channel.bias = ((const int8_t *)block)[24 + place] * 65536 + (int32_t)low;
    channel.multiplier = (int32_t)((word >> 2) + (1u << 30));
    channel.shift = -(int32_t)((w->flags >> 8 & 31) + (word & 3));
    return channel;
}

static inline struct hg_channel hg_channel_read(const struct hg_window *w, int32_t c) {
    return hg_channel_of(w, hg_block(w, c), c & 3);
}

static inline int8_t hg_output(
    const struct hg_window *w, const struct hg_channel *channel, int32_t acc) {
    int32_t value = hg_requantize(acc, channel->multiplier, channel->shift) + w->zero_point;
    return (int8_t)hg_clamp(value, w->act_min, w->act_max);
}

#pragma GCC visibility pop

#endif
