// CONV in blocks of pixels, for the file that defines, before it includes this:
//
//     element            type of a tap of x' in a gathered patch
//     widen_16/8/4       that many bytes of x as x' = x + 128 in elements
//     run_taps           acc of 1, 4 or 8 pixels (a constant) and LANES channels += all taps
//
// Patches of a block of pixels are gathered first (SPEC.md "Overlap": all reads before the first
// write), then each group of channels runs over the block, its weights read once for eight pixels.

#ifndef HEDGE_KERNELS_X64_CONV_H
#define HEDGE_KERNELS_X64_CONV_H

enum {
    PATCH_BYTES = 12288, // on the stack, with weights of a group in the first-level cache
    MOST_PIXELS = 64,
};

// taps: of a patch; pitch: elements from patch to patch, a multiple of 4, zeros after the taps.
struct patches {
    element *first;
    int32_t taps, pitch;
};

INLINE void widen(element *to, const int8_t *from, int32_t count) {
    if (count >= 16) {
        for (int32_t i = 0; i < count - 16; i += 16) {
            widen_16(to + i, from + i);
        }
        widen_16(to + count - 16, from + count - 16);
    } else if (count >= 8) {
        widen_8(to, from);
        widen_8(to + count - 8, from + count - 8);
    } else if (count >= 4) {
        widen_4(to, from);
        widen_4(to + count - 4, from + count - 4);
    } else {
        for (int32_t i = 0; i < count; i++) {
            to[i] = (element)(uint8_t)(from[i] + 128);
        }
    }
}

INLINE element *fill(element *to, int32_t value, int32_t count) {
    for (; count > 0; count--) {
        *to++ = (element)value;
    }
    return to;
}

// One row of the kernel at input row `row`, first column `col`; columns side by side.
INLINE element *gather_row(const struct hg_window *w, element *to, int32_t row, int32_t col) {
    int32_t outside = (uint8_t)(w->fill + 128);
    if (row < 0 || row >= w->in_h) {
        return fill(to, outside, w->kernel_w * w->in_c);
    }
    int32_t left = col < 0 ? -col : 0, right = col + w->kernel_w - w->in_w;
    left = left > w->kernel_w ? w->kernel_w : left;
    right = right < 0 ? 0 : right > w->kernel_w - left ? w->kernel_w - left : right;
    int32_t inside = w->kernel_w - left - right;
    if (left) {
        to = fill(to, outside, left * w->in_c);
    }
    if (inside) { // else the address may lie outside the image
        widen(to, w->in + (row * w->in_w + col + left) * w->in_c, inside * w->in_c);
        to += inside * w->in_c;
    }
    return right ? fill(to, outside, right * w->in_c) : to;
}

// The same with columns dilation_w apart.
static element *gather_row_apart(
    const struct hg_window *w, element *to, int32_t row, int32_t col) {
    for (int32_t i = 0; i < w->kernel_w; i++, col += w->dilation_w) {
        if (row < 0 || row >= w->in_h || col < 0 || col >= w->in_w) {
            fill(to, (uint8_t)(w->fill + 128), w->in_c);
        } else {
            widen(to, w->in + (row * w->in_w + col) * w->in_c, w->in_c);
        }
        to += w->in_c;
    }
    return to;
}

// A patch that sees no border, columns side by side.
INLINE void gather_inside(const struct hg_window *w, element *to, int32_t row, int32_t col) {
    int32_t run = w->kernel_w * w->in_c, pitch = w->dilation_h * w->in_w * w->in_c;
    const int8_t *from = w->in + (row * w->in_w + col) * w->in_c;
    for (int32_t i = 0; i < w->kernel_h; i++, to += run, from += pitch) {
        widen(to, from, run);
    }
}

static void gather_patch(const struct hg_window *w, element *to, int32_t row, int32_t col) {
    int32_t bottom = row + (w->kernel_h - 1) * w->dilation_h;
    int32_t is_side_by_side = w->dilation_w == 1;
    if (is_side_by_side && row >= 0 && col >= 0 && bottom < w->in_h &&
        col + w->kernel_w <= w->in_w) {
        gather_inside(w, to, row, col);
        return;
    }
    for (int32_t i = 0; i < w->kernel_h; i++, row += w->dilation_h) {
        if (is_side_by_side) {
            to = gather_row(w, to, row, col);
        } else {
            to = gather_row_apart(w, to, row, col);
        }
    }
}

static void gather(const struct hg_window *w, const struct patches *p, int32_t pixel, int32_t count) {
    int32_t row = pixel / w->out_w, col = pixel % w->out_w;
    element *to = p->first;
    for (int32_t i = 0; i < count; i++, to += p->pitch) {
        if (w->flags & HG_FLAG_DIRECT) {
            widen(to, w->in + (pixel + i) * w->in_c, w->in_c);
        } else {
            gather_patch(w, to, row * w->stride_h - w->pad_top, col * w->stride_w - w->pad_left);
            row += col + 1 == w->out_w;
            col = col + 1 == w->out_w ? 0 : col + 1;
        }
        fill(to + p->taps, 0, p->pitch - p->taps);
    }
}

// LANES channels from c on: where their weights are, and what becomes of their accumulators.
struct group {
    const uint8_t *first, *second; // weights of four channels each; second: only if LANES is 8
    int32_t c, channels, pairs;
    vec bias;
    struct scale scale;
    struct limits limits;
};

INLINE void group_read(struct group *g, const struct hg_window *w, int32_t taps, int32_t c) {
    int32_t rest = w->out_c - c;
    g->pairs = (taps + 1) >> 1;
    g->first = w->weights + (int64_t)c * g->pairs * 2;
    g->second = rest > 4 ? g->first + g->pairs * 8 : g->first;
    g->c = c;
    g->channels = rest < LANES ? rest : LANES;
    g->bias = scale_read(&g->scale, w, c);
}

// Writes the group's channels of `pixels` (a constant) pixels.
INLINE void finish(
    const struct hg_window *w, const struct group *g, const vec *acc, int32_t pixel, const int pixels) {
    int8_t bytes[TILE * LANES];
    vec value[TILE];
#pragma GCC unroll 8
    for (int i = 0; i < TILE; i++) {
        value[i] = i < pixels ? vec_requantize(acc[i], &g->scale) : value[0];
    }
    store_4(bytes, value[0], value[1], value[2], value[3], &g->limits);
    if (pixels > 4) {
        store_4(bytes + 4 * LANES, value[4], value[5], value[6], value[7], &g->limits);
    }
    int8_t *out = w->out + pixel * w->out_c + g->c;
    for (int i = 0; i < pixels; i++, out += w->out_c) {
        if (g->channels == LANES) {
            __builtin_memcpy(out, bytes + i * LANES, LANES);
        } else {
            copy_few(out, bytes + i * LANES, g->channels);
        }
    }
}

// A function of its own: all registers are for the accumulators.
static __attribute__((noinline)) void run_taps_of_8(
    vec *acc, const element *x, int32_t pitch, const struct group *g) {
    run_taps(acc, x, pitch, g->first, g->second, g->pairs, 8);
}

INLINE void run_tile(
    const struct hg_window *w, const struct group *g, const struct patches *p, int32_t at,
    int32_t pixel, const int pixels) {
    vec acc[TILE];
    for (int i = 0; i < pixels; i++) {
        acc[i] = g->bias;
    }
    const element *x = p->first + at * p->pitch;
    if (pixels == 8) {
        run_taps_of_8(acc, x, p->pitch, g);
    } else {
        run_taps(acc, x, p->pitch, g->first, g->second, g->pairs, pixels);
    }
    finish(w, g, acc, pixel + at, pixels);
}

static void run_group(
    const struct hg_window *w, const struct group *g, const struct patches *p, int32_t pixel,
    int32_t count) {
    int32_t at = 0;
    for (; at + 8 <= count; at += 8) {
        run_tile(w, g, p, at, pixel, 8);
    }
    for (; at + 4 <= count; at += 4) {
        run_tile(w, g, p, at, pixel, 4);
    }
    for (; at < count; at++) {
        run_tile(w, g, p, at, pixel, 1);
    }
}

static void run_groups(
    const struct hg_window *w, const struct patches *p, int32_t pixel, int32_t count) {
    struct group g;
    g.limits = limits_of(w->zero_point, w->act_min, w->act_max);
    for (int32_t c = 0; c < w->out_c; c += LANES) {
        group_read(&g, w, p->taps, c);
        run_group(w, &g, p, pixel, count);
    }
}

// A dense layer of one pixel with more taps than the stack takes: in pieces.
static void run_long(const struct hg_window *w, element *piece, int32_t capacity) {
    struct group g;
    g.limits = limits_of(w->zero_point, w->act_min, w->act_max);
    for (int32_t c = 0; c < w->out_c; c += LANES) {
        group_read(&g, w, w->in_c, c);
        vec acc = g.bias;
        for (int32_t at = 0; at < w->in_c; at += capacity) {
            int32_t rest = w->in_c - at, taps = rest < capacity ? rest : capacity;
            widen(piece, w->in + at, taps);
            fill(piece + taps, 0, -taps & 3);
            run_taps(&acc, piece, 0, g.first + at * 4, g.second + at * 4, (taps + 1) >> 1, 1);
        }
        finish(w, &g, &acc, 0, 1);
    }
}

INLINE void conv_rows(const struct hg_window *w, int32_t row_first, int32_t row_last) {
    element stack[PATCH_BYTES / sizeof(element)] __attribute__((aligned(32)));
    int32_t taps = w->kernel_h * w->kernel_w * w->in_c, room = PATCH_BYTES / (int32_t)sizeof(element);
    struct patches p = {stack, taps, (taps + 3) & -4};
    int32_t capacity = room / p.pitch;
    if (capacity == 0 && !w->scratch) {
        run_long(w, stack, room);
        return;
    }
    if (capacity == 0) { // scratch takes 4 * taps bytes, and the four of the padding if taps > 3
        p.first = (element *)(void *)w->scratch;
        capacity = 1;
    } else if (capacity > TILE) {
        capacity = capacity > MOST_PIXELS ? MOST_PIXELS : capacity & -TILE;
    }
    int32_t last = row_last * w->out_w;
    for (int32_t pixel = row_first * w->out_w; pixel < last; pixel += capacity) {
        int32_t count = last - pixel < capacity ? last - pixel : capacity;
        gather(w, &p, pixel, count);
        run_groups(w, &p, pixel, count);
    }
}

#endif
