// CONV for Cortex-M0+; inner products in kernels_m0.S.
//
// One product serves two pixels: with X = x0 + (x1 << 16) and w of 8 bits, w * X holds both 16-bit
// products. The sum of those words (modulo 2**32) and the sum of their high halves give both
// accumulators: high = sum1, low = sum0 + (sum1 << 16). 3.2 cycles per multiply-add.

#include "writer_m0.h"

// The pixels of a tap side by side in one word.
#define HG_SLOT(tap, pixel) ((tap) * 2 + (pixel))

#define HG_PUT_PAIR 1
#include "conv_pairs.h"

#define SIGNS 0x80808080u
#define EVEN_BYTES 0x00ff00ffu
#define SIGN_OF_BOTH 0x00800080u

#define MOST_TAPS 256 // 256 * 255 fits a half

// Four taps of both pixels from two words; returns the sum of the words made.
static inline uint32_t put_four(uint32_t *out, uint32_t a, uint32_t b) {
    uint32_t a02 = a & EVEN_BYTES, a13 = a >> 8 & EVEN_BYTES;
    uint32_t b02 = b & EVEN_BYTES, b13 = b >> 8 & EVEN_BYTES;
    out[0] = (uint16_t)a02 | b02 << 16;
    out[1] = (uint16_t)a13 | b13 << 16;
    out[2] = a02 >> 16 | b02 >> 16 << 16;
    out[3] = a13 >> 16 | b13 >> 16 << 16;
    return out[0] + out[1] + out[2] + out[3];
}

// Appends a run of n taps of both pixels.
static void put_pair(struct patch *p, const int8_t *a, const int8_t *b, int32_t n) {
    uint32_t *out = (uint32_t *)(void *)p->places + p->taps;
    p->taps += n;
    while (n > 0) {
        uint32_t sum = 0; // of both pixels
        int32_t left = n < MOST_TAPS ? n : MOST_TAPS;
        n -= left;
        if ((((uintptr_t)a | (uintptr_t)b) & 3) == 0) {
            for (; left >= 4; left -= 4, a += 4, b += 4, out += 4) {
                uint32_t xa = *(const uint32_t *)(const void *)a ^ SIGNS;
                sum += put_four(out, xa, *(const uint32_t *)(const void *)b ^ SIGNS);
            }
        }
        for (; left > 0; left--) {
            uint32_t x = ((uint32_t)(uint8_t)*a++ | (uint32_t)(uint8_t)*b++ << 16) ^ SIGN_OF_BOTH;
            sum += x;
            *out++ = x;
        }
        p->sum[0] += (int32_t)(uint16_t)sum;
        p->sum[1] += (int32_t)(sum >> 16);
    }
}

static void start(struct writer *writer, const struct hg_window *w) {
    hg_m0_start(writer, w);
}

static void write_pixels(
    struct writer *writer, const struct hg_window *w, const struct patch *p, int8_t *out,
    int32_t pixels) {
    writer->first_high = -128 * p->sum[1];
    writer->first_low = (int32_t)((uint32_t)writer->first_high << 16) - 128 * p->sum[0];
    hg_m0_rewind(writer, out, pixels == 2 ? out + w->out_c : out);
    hg_m0_two_pixels(writer, p->places, p->even_taps);
}

// Taps t .. taps - 1 of one pixel, at most three; weights move on to the next block.
static void add_rest(struct writer *writer, const int8_t *x, int32_t t, int32_t taps) {
    for (; t < taps; t++) {
        int32_t value = x[t] + 128;
        const uint8_t *w = writer->cells.weights + (t & 1) * 2;
        writer->acc[0] += w[0] * value;
        writer->acc[1] += w[1] * value;
        writer->acc[2] += w[4] * value;
        writer->acc[3] += w[5] * value;
        writer->cells.weights += t & 1 || t + 1 == taps ? 8 : 0;
    }
}

static void write_in_place(struct writer *writer, const struct hg_window *w) {
    int32_t taps = w->in_c, whole = taps & ~3, sum = 0;
    for (int32_t t = 0; t < taps; t++) {
        sum += w->in[t] + 128;
    }
    writer->first_high = -128 * sum;
    writer->first_low = writer->first_high * 257; // one sum holds c + 256 * (c + 1)
    hg_m0_rewind(writer, w->out, w->out);
    while (writer->left > 0) {
        for (int32_t k = 0; k < 4; k++) {
            writer->acc[k] = writer->first_high;
        }
        if (whole) {
            hg_m0_one_pixel(writer, w->in, whole);
        }
        add_rest(writer, w->in, whole, taps);
        hg_m0_write(writer);
    }
}
