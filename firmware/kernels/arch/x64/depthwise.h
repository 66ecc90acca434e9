// DEPTHWISE for the file that includes lanes_sse41.h or lanes_avx2.h before it.
//
// A group is 2 * LANES channels. Taps are taken in pairs (a last one alone with a weight of 0), x
// signed: sum x' * w = sum x * w + 128 * sum w, the latter part of the bias. Nothing is gathered: a
// pixel has a list of where its taps are, those outside the image in a row of `fill`.

#ifndef HEDGE_KERNELS_X64_DEPTHWISE_H
#define HEDGE_KERNELS_X64_DEPTHWISE_H

enum {
    GROUP = 2 * LANES,
    MOST_TAPS = 64,
    GROUPS_BYTES = 12288, // on the stack
};

struct half {
    vec bias;
    struct scale scale;
};

// What a group needs, followed by 2 * pairs vectors of weights.
struct group {
    struct half halves[2];
};

struct layer {
    const struct hg_window *w;
    struct limits limits;
    vec *groups;
    int32_t taps, pairs, group_vecs;
    int32_t is_prepared; // all groups at once; else one at a time, in the place of the first
    int32_t is_paired; // LANES channels, steps of one: a group is two pixels side by side
    const int8_t *fill; // channels, rounded up to GROUP
};

struct pixel {
    const int8_t *taps[MOST_TAPS];
    int32_t is_inside; // sees no border
};

INLINE int32_t round_up(int32_t channels) {
    return (channels + GROUP - 1) & -GROUP;
}

// The first `count` of GROUP bytes: all at once where they are there.
INLINE const int8_t *exactly(const int8_t *from, int8_t *spare, int32_t count) {
    if (count >= GROUP) {
        return from;
    }
    copy_few(spare, from, count);
    return spare;
}

static vec *prepare(const struct layer *l, int32_t c) {
    const struct hg_window *w = l->w;
    vec *first = l->groups + (l->is_prepared ? c / GROUP * l->group_vecs : 0);
    struct group *g = (struct group *)(void *)first;
    int32_t second = c + LANES < w->out_c ? c + LANES : c;
    g->halves[0].bias = scale_read(&g->halves[0].scale, w, c);
    g->halves[1].bias = scale_read(&g->halves[1].scale, w, second);
    int8_t spare[2][GROUP] = {{0}, {0}}, zeros[GROUP] = {0};
    const int8_t *row = (const int8_t *)w->weights + c;
    vec *to = first + sizeof(struct group) / sizeof(vec);
    vec all = vec_pairs_of(128);
    for (int32_t tap = 0; tap < l->taps; tap += 2, row += 2 * w->in_c, to += 2) {
        const int8_t *a = exactly(row, spare[0], w->in_c - c), *b = zeros;
        if (tap + 1 < l->taps) {
            b = exactly(row + w->in_c, spare[1], w->in_c - c);
        }
        load_pairs(a, b, to, to + 1);
        to[1] = l->is_paired ? to[0] : to[1];
        g->halves[0].bias = vec_add(g->halves[0].bias, vec_dot(to[0], all));
        g->halves[1].bias = vec_add(g->halves[1].bias, vec_dot(to[1], all));
    }
    return first;
}

// A group's channels of one pixel; taps: where they are; n: channels that exist.
INLINE void run_group(
    const struct layer *l, const vec *group, const int8_t *const *taps, int32_t c, int8_t *out,
    int32_t n, const int32_t pairs) {
    const struct half *halves = ((const struct group *)(const void *)group)->halves;
    const vec *weights = group + sizeof(struct group) / sizeof(vec);
    vec low = halves[0].bias, high = halves[1].bias;
#pragma GCC unroll 5
    for (int32_t i = 0; i < pairs; i++) {
        vec x_low, x_high;
        load_pairs(taps[2 * i] + c, taps[2 * i + 1] + c, &x_low, &x_high);
        low = vec_add(low, vec_dot(x_low, weights[2 * i]));
        high = vec_add(high, vec_dot(x_high, weights[2 * i + 1]));
    }
    low = vec_requantize(low, &halves[0].scale);
    high = vec_requantize(high, &halves[1].scale);
    if (n >= GROUP) {
        store_2(out, low, high, &l->limits);
        return;
    }
    int8_t bytes[GROUP];
    store_2(bytes, low, high, &l->limits);
    copy_few(out, bytes, n);
}

// The last group of a pixel whose last tap ends with the input: copied, to read nothing beyond.
static void run_last_group(
    const struct layer *l, const vec *group, const struct pixel *p, int32_t c, int8_t *out) {
    int8_t cells[MOST_TAPS][GROUP];
    const int8_t *taps[MOST_TAPS];
    int32_t n = l->w->out_c - c;
    for (int32_t i = 0; i < 2 * l->pairs; i++) {
        copy_few(cells[i], p->taps[i] + c, n);
        taps[i] = cells[i];
    }
    run_group(l, group, taps, 0, out, n, l->pairs);
}

INLINE void run_pixel(
    const struct layer *l, const struct pixel *p, int8_t *out, const int32_t pairs) {
    int32_t channels = l->w->out_c;
    const int8_t *end = l->w->in + l->w->in_h * l->w->in_w * channels, *last = 0;
    for (int32_t i = 0; i < 2 * pairs && channels % GROUP; i++) {
        int32_t is_fill = p->taps[i] == l->fill;
        last = !is_fill && p->taps[i] > last ? p->taps[i] : last;
    }
    int32_t fits = end - last >= round_up(channels);
    const vec *group = l->groups;
    for (int32_t c = 0; c < channels; c += GROUP, out += GROUP) {
        if (!l->is_prepared) {
            group = prepare(l, c);
        }
        if (fits || c + GROUP <= channels) {
            run_group(l, group, p->taps, c, out, channels - c, pairs);
        } else {
            run_last_group(l, group, p, c, out);
        }
        group += l->group_vecs;
    }
}

static void find_taps(const struct layer *l, struct pixel *p, int32_t row, int32_t col) {
    const struct hg_window *w = l->w;
    int32_t i = 0;
    p->is_inside = 1;
    row = row * w->stride_h - w->pad_top;
    col = col * w->stride_w - w->pad_left;
    for (int32_t y = 0; y < w->kernel_h; y++, row += w->dilation_h) {
        int32_t at = col;
        for (int32_t x = 0; x < w->kernel_w; x++, at += w->dilation_w) {
            int32_t is_inside = (uint32_t)row < (uint32_t)w->in_h && (uint32_t)at < (uint32_t)w->in_w;
            p->taps[i++] = is_inside ? w->in + (row * w->in_w + at) * w->in_c : l->fill;
            p->is_inside &= is_inside;
        }
    }
    p->taps[i] = p->taps[i - 1]; // meets a weight of 0
}

// One pixel to the right, where both see no border.
static void move_taps(const struct layer *l, struct pixel *p) {
    int32_t step = l->w->stride_w * l->w->in_c;
    for (int32_t i = 0; i < 2 * l->pairs; i++) {
        p->taps[i] += step;
    }
}

static void run_row(const struct layer *l, int32_t row) {
    const struct hg_window *w = l->w;
    int8_t *out = w->out + row * w->out_w * w->out_c;
    int32_t reach = (w->kernel_w - 1) * w->dilation_w - w->pad_left;
    struct pixel p;
    p.is_inside = 0;
    for (int32_t col = 0; col < w->out_w; col++, out += w->out_c) {
        if (p.is_inside && col * w->stride_w + reach < w->in_w) {
            move_taps(l, &p);
        } else {
            find_taps(l, &p, row, col);
        }
        int32_t is_next_inside = (col + 1) * w->stride_w + reach < w->in_w && col + 1 < w->out_w;
        if (l->is_paired && p.is_inside && is_next_inside) {
            run_group(l, l->groups, p.taps, 0, out, GROUP, l->pairs);
            move_taps(l, &p);
            col++;
            out += w->out_c;
        } else if (l->pairs == 5) { // 3 x 3
            run_pixel(l, &p, out, 5);
        } else {
            run_pixel(l, &p, out, l->pairs);
        }
    }
}

// A place for the row of fill: the scratch is as large as all taps of a pixel.
static int8_t *fill_row(const struct hg_window *w, int32_t taps, int8_t *spare) {
    int32_t bytes = round_up(w->in_c);
    int8_t *row = bytes == GROUP ? spare : taps * w->in_c >= bytes ? w->scratch : 0;
    if (row && w->scratch) {
        for (int32_t i = 0; i < bytes; i += 8) {
            _mm_storel_epi64((__m128i *)(void *)(row + i), _mm_set1_epi8((int8_t)w->fill));
        }
    }
    return row;
}

INLINE int32_t depthwise_rows(const struct hg_window *w, int32_t row_first, int32_t row_last) {
    vec stack[GROUPS_BYTES / sizeof(vec)];
    int8_t spare[GROUP];
    int32_t taps = w->kernel_h * w->kernel_w, pairs = (taps + 1) >> 1;
    const int8_t *fill = fill_row(w, taps, spare);
    if (taps >= MOST_TAPS || (w->scratch && !fill)) {
        return 0;
    }
    int32_t vecs = (int32_t)(sizeof(struct group) / sizeof(vec)) + 2 * pairs;
    int32_t groups = round_up(w->out_c) / GROUP;
    int32_t fits = groups * vecs <= (int32_t)(GROUPS_BYTES / sizeof(vec));
    struct limits limits = limits_of(w->zero_point, w->act_min, w->act_max);
    int32_t is_paired = w->in_c == LANES && w->stride_w == 1;
    struct layer l = {w, limits, stack, taps, pairs, vecs, fits, is_paired, fill};
    for (int32_t i = 0; fits && i < groups; i++) {
        prepare(&l, i * GROUP);
    }
    for (int32_t row = row_first; row < row_last; row++) {
        run_row(&l, row);
    }
    return 1;
}

#endif
