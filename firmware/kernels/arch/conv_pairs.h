// CONV, two output pixels at a time. An arch file includes this after defining
//
//   HG_SLOT(tap, pixel)   where, in 16-bit places, x' of a tap of pixel 0 or 1 lies in the scratch
//   struct writer         what it keeps while an op runs
//   start                 fills that
//   write_pixels          all channels of one or two gathered pixels
//   write_in_place        all channels of the only pixel of a CONV that has no scratch
//   HG_PUT_PAIR, put_pair if it can gather runs faster
//
// Patches of both pixels are gathered before either is written: input and output may overlap.
#ifndef HEDGE_KERNELS_CONV_PAIRS_H
#define HEDGE_KERNELS_CONV_PAIRS_H

#include "../window.h"

// Taps that two pixels read, as x' = x + 128, and their sums.
struct patch {
    uint16_t *places;
    int32_t even_taps; // rounded up to even
    int32_t taps; // gathered so far
    int32_t sum[2];
};

struct writer;
static void start(struct writer *, const struct hg_window *);
static void write_pixels(
    struct writer *, const struct hg_window *, const struct patch *, int8_t *out, int32_t pixels);
static void write_in_place(struct writer *, const struct hg_window *);

#if HG_PUT_PAIR
static void put_pair(struct patch *, const int8_t *a, const int8_t *b, int32_t n);
#else
// Appends a run of n taps of both pixels.
static inline void put_pair(struct patch *p, const int8_t *a, const int8_t *b, int32_t n) {
    uint16_t *places = p->places;
    int32_t sum_a = 0, sum_b = 0;
    for (int32_t t = p->taps, end = t + n; t < end; t++) {
        int32_t xa = *a++ + 128, xb = *b++ + 128;
        places[HG_SLOT(t, 0)] = (uint16_t)xa;
        places[HG_SLOT(t, 1)] = (uint16_t)xb;
        sum_a += xa;
        sum_b += xb;
    }
    p->taps += n;
    p->sum[0] += sum_a;
    p->sum[1] += sum_b;
}
#endif

// Taps first .. first + n - 1 of one pixel; in == 0: what lies outside the image.
static int32_t put_one(
    uint16_t *places, int32_t first, int32_t pixel, const int8_t *in, int32_t fill, int32_t n) {
    int32_t sum = 0;
    for (int32_t t = first, end = first + n; t < end; t++) {
        int32_t x = (in ? *in++ : fill) + 128;
        places[HG_SLOT(t, pixel)] = (uint16_t)x;
        sum += x;
    }
    return sum;
}

// A pixel that sees past a border, or whose taps are dilated: tap by tap.
static int32_t gather_one(
    const struct hg_window *w, uint16_t *places, int32_t pixel, int32_t top, int32_t left) {
    int32_t sum = 0, tap = 0;
    for (int32_t i = 0; i < w->kernel_h; i++) {
        int32_t row = top + i * w->dilation_h;
        for (int32_t j = 0; j < w->kernel_w; j++, tap += w->in_c) {
            int32_t col = left + j * w->dilation_w;
            int32_t is_inside = (uint32_t)row < (uint32_t)w->in_h && (uint32_t)col < (uint32_t)w->in_w;
            const int8_t *in = is_inside ? w->in + (row * w->in_w + col) * w->in_c : 0;
            sum += put_one(places, tap, pixel, in, w->fill, w->in_c);
        }
    }
    return sum;
}

struct place {
    int32_t row, col;
};

static struct place after(const struct hg_window *w, struct place at) {
    struct place next = {at.row, at.col + 1};
    if (next.col == w->out_w) {
        next.row++;
        next.col = 0;
    }
    return next;
}

static int32_t is_interior(const struct hg_window *w, int32_t top, int32_t left) {
    return top >= 0 && left >= 0 && top + w->kernel_h <= w->in_h &&
        left + w->kernel_w <= w->in_w && w->dilation_h == 1 && w->dilation_w == 1;
}

static void gather_windows(
    const struct hg_window *w, struct patch *p, struct place at_a, struct place at_b) {
    int32_t top_a = at_a.row * w->stride_h - w->pad_top;
    int32_t left_a = at_a.col * w->stride_w - w->pad_left;
    int32_t top_b = at_b.row * w->stride_h - w->pad_top;
    int32_t left_b = at_b.col * w->stride_w - w->pad_left;
    if (is_interior(w, top_a, left_a) && is_interior(w, top_b, left_b)) {
        const int8_t *a = w->in + (top_a * w->in_w + left_a) * w->in_c;
        const int8_t *b = w->in + (top_b * w->in_w + left_b) * w->in_c;
        for (int32_t i = 0; i < w->kernel_h; i++) {
            put_pair(p, a, b, w->kernel_w * w->in_c);
            a += w->in_w * w->in_c;
            b += w->in_w * w->in_c;
        }
    } else {
        p->sum[0] = gather_one(w, p->places, 0, top_a, left_a);
        p->sum[1] = gather_one(w, p->places, 1, top_b, left_b);
        p->taps = w->kernel_h * w->kernel_w * w->in_c;
    }
}

// Both patches of pixels a and b; sums of x' in p.
static void gather(
    const struct hg_window *w, struct patch *p, struct place at_a, struct place at_b) {
    p->taps = 0;
    p->sum[0] = p->sum[1] = 0;
    if (w->flags & HG_FLAG_DIRECT) {
        const int8_t *a = w->in + (at_a.row * w->in_w + at_a.col) * w->in_c;
        const int8_t *b = w->in + (at_b.row * w->in_w + at_b.col) * w->in_c;
        put_pair(p, a, b, w->in_c);
    } else {
        gather_windows(w, p, at_a, at_b);
    }
    if (p->taps & 1) { // the weights of the tap past the last are not 0
        p->places[HG_SLOT(p->taps, 0)] = p->places[HG_SLOT(p->taps, 1)] = 0;
    }
}

void hg_conv(
    const struct hg_run *run, const uint32_t *record, int32_t row_first, int32_t row_last) {
    struct hg_window w;
    struct writer writer;
    struct patch p;
    hg_window_read(&w, run, record);
    start(&writer, &w);
    if (!w.scratch) {
        write_in_place(&writer, &w);
        return;
    }
    p.places = (uint16_t *)(void *)w.scratch;
    p.even_taps = (w.kernel_h * w.kernel_w * w.in_c + 1) & ~1;
    int8_t *out = w.out + row_first * w.out_w * w.out_c;
    struct place at = {row_first, 0};
    for (int32_t left = (row_last - row_first) * w.out_w; left > 0; left -= 2) {
        struct place second = after(&w, at);
        int32_t pixels = left > 1 ? 2 : 1;
        gather(&w, &p, at, pixels == 2 ? second : at);
        write_pixels(&writer, &w, &p, out, pixels);
        at = after(&w, second);
        out += 2 * w.out_c;
    }
}

#endif
