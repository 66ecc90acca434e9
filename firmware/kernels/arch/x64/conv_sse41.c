// CONV on SSE4.1: PMADDWD, 8 multiply-adds at a time, 4 channels x 8 pixels.

#pragma GCC target("sse4.1")

#include "lanes_sse41.h"
#include "levels.h"

typedef int16_t element;

INLINE void widen_8(element *to, const int8_t *from) {
    __m128i unsigned_x = _mm_xor_si128(load_8(from), _mm_set1_epi8(-128));
    _mm_storeu_si128((__m128i *)(void *)to, _mm_cvtepu8_epi16(unsigned_x));
}

INLINE void widen_16(element *to, const int8_t *from) {
    widen_8(to, from);
    widen_8(to + 8, from + 8);
}

INLINE void widen_4(element *to, const int8_t *from) {
    __m128i unsigned_x = _mm_xor_si128(load_4(from), _mm_set1_epi8(-128));
    _mm_storel_epi64((__m128i *)(void *)to, _mm_cvtepu8_epi16(unsigned_x));
}

// Two pairs of taps of four channels: int16 pairs by channel.
INLINE void read_weights(__m128i blocks, __m128i *first, __m128i *second) {
    __m128i order = _mm_setr_epi8(0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15);
    blocks = _mm_xor_si128(_mm_shuffle_epi8(blocks, order), _mm_set1_epi8(-128));
    *first = _mm_cvtepi8_epi16(blocks);
    *second = _mm_cvtepi8_epi16(_mm_srli_si128(blocks, 8));
}

INLINE vec multiply(vec acc, const element *x, vec weights) {
    return vec_add(acc, vec_dot(weights, _mm_shuffle_epi32(load_4(x), 0)));
}

#include "tile.h"

INLINE void run_taps(
    vec *acc, const element *x, int32_t pitch, const uint8_t *w, const uint8_t *unused,
    int32_t pairs, const int pixels) {
    (void)unused;
    vec first, second;
    struct tile t = tile_of(acc, pixels);
    for (; pairs > 1; pairs -= 2, x += 4, w += 16) {
        read_weights(load_16(w), &first, &second);
        tile_multiply(&t, x, pitch, first, pixels);
        tile_multiply(&t, x + 2, pitch, second, pixels);
    }
    if (pairs) {
        read_weights(load_8(w), &first, &second);
        tile_multiply(&t, x, pitch, first, pixels);
    }
    tile_store(acc, &t, pixels);
}

#include "conv.h"

void hg_conv_sse41(const struct hg_window *w, int32_t row_first, int32_t row_last) {
    conv_rows(w, row_first, row_last);
}
