// CONV on AVX2: VPMADDWD, 16 multiply-adds at a time, 8 channels x 8 pixels.

#pragma GCC target("avx2")

#include "lanes_avx2.h"
#include "levels.h"

typedef int16_t element;

INLINE void widen_16(element *to, const int8_t *from) {
    __m128i unsigned_x = _mm_xor_si128(load_16(from), _mm_set1_epi8(-128));
    _mm256_storeu_si256((__m256i *)(void *)to, _mm256_cvtepu8_epi16(unsigned_x));
}

INLINE void widen_8(element *to, const int8_t *from) {
    __m128i unsigned_x = _mm_xor_si128(load_8(from), _mm_set1_epi8(-128));
    _mm_storeu_si128((__m128i *)(void *)to, _mm_cvtepu8_epi16(unsigned_x));
}

INLINE void widen_4(element *to, const int8_t *from) {
    __m128i unsigned_x = _mm_xor_si128(load_4(from), _mm_set1_epi8(-128));
    _mm_storel_epi64((__m128i *)(void *)to, _mm_cvtepu8_epi16(unsigned_x));
}

// One pair of taps of two blocks of four channels: int16 pairs by channel.
INLINE __m256i read_weights(__m128i blocks) {
    __m128i order = _mm_setr_epi8(0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15);
    blocks = _mm_xor_si128(_mm_shuffle_epi8(blocks, order), _mm_set1_epi8(-128));
    return _mm256_cvtepi8_epi16(blocks);
}

INLINE vec multiply(vec acc, const element *x, vec weights) {
    int32_t pair;
    __builtin_memcpy(&pair, x, 4);
    return vec_add(acc, vec_dot(weights, vec_set(pair)));
}

#include "tile.h"

INLINE void run_taps(
    vec *acc, const element *x, int32_t pitch, const uint8_t *a, const uint8_t *b, int32_t pairs,
    const int pixels) {
    struct tile t = tile_of(acc, pixels);
    for (; pairs > 1; pairs -= 2, x += 4, a += 16, b += 16) {
        __m128i block_a = load_16(a), block_b = load_16(b);
        vec weights = read_weights(_mm_unpacklo_epi64(block_a, block_b));
        tile_multiply(&t, x, pitch, weights, pixels);
        weights = read_weights(_mm_unpackhi_epi64(block_a, block_b));
        tile_multiply(&t, x + 2, pitch, weights, pixels);
    }
    if (pairs) {
        vec weights = read_weights(_mm_unpacklo_epi64(load_8(a), load_8(b)));
        tile_multiply(&t, x, pitch, weights, pixels);
    }
    tile_store(acc, &t, pixels);
}

#include "conv.h"

void hg_conv_avx2(const struct hg_window *w, int32_t row_first, int32_t row_last) {
    conv_rows(w, row_first, row_last);
}
