// CONV on AVX-512 VNNI with 256-bit registers: VPDPBUSD, 32 multiply-adds at a time, 8 channels x
// 8 pixels; x' stays a byte. Wider registers gain nothing where layers have 8 to 64 channels.

#pragma GCC target("avx2,avx512vl,avx512vnni")

#include "lanes_avx2.h"
#include "levels.h"

typedef uint8_t element;

INLINE void widen_16(element *to, const int8_t *from) {
    __m128i unsigned_x = _mm_xor_si128(load_16(from), _mm_set1_epi8(-128));
    _mm_storeu_si128((__m128i *)(void *)to, unsigned_x);
}

INLINE void widen_8(element *to, const int8_t *from) {
    __m128i unsigned_x = _mm_xor_si128(load_8(from), _mm_set1_epi8(-128));
    _mm_storel_epi64((__m128i *)(void *)to, unsigned_x);
}

INLINE void widen_4(element *to, const int8_t *from) {
    uint32_t x;
    __builtin_memcpy(&x, from, 4);
    x ^= 0x80808080u;
    __builtin_memcpy(to, &x, 4);
}

// Two pairs of taps of two blocks of four channels: four signed bytes by channel.
INLINE __m256i read_weights(__m128i a, __m128i b) {
    __m256i order = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15));
    __m256i blocks = _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
    return _mm256_xor_si256(_mm256_shuffle_epi8(blocks, order), _mm256_set1_epi8(-128));
}

INLINE vec multiply(vec acc, const element *x, vec weights) {
    int32_t four;
    __builtin_memcpy(&four, x, 4);
    return _mm256_dpbusd_epi32(acc, vec_set(four), weights);
}

#include "tile.h"

// One pixel: four accumulators, as VPDPBUSD takes four cycles.
INLINE void run_taps_of_one(
    vec *acc, const element *x, const uint8_t *a, const uint8_t *b, int32_t pairs) {
    vec second = vec_set(0), third = vec_set(0), fourth = vec_set(0);
    for (; pairs > 7; pairs -= 8, x += 16, a += 64, b += 64) {
        acc[0] = multiply(acc[0], x, read_weights(load_16(a), load_16(b)));
        second = multiply(second, x + 4, read_weights(load_16(a + 16), load_16(b + 16)));
        third = multiply(third, x + 8, read_weights(load_16(a + 32), load_16(b + 32)));
        fourth = multiply(fourth, x + 12, read_weights(load_16(a + 48), load_16(b + 48)));
    }
    for (; pairs > 1; pairs -= 2, x += 4, a += 16, b += 16) {
        acc[0] = multiply(acc[0], x, read_weights(load_16(a), load_16(b)));
    }
    if (pairs) {
        second = multiply(second, x, read_weights(load_8(a), load_8(b)));
    }
    acc[0] = vec_add(vec_add(acc[0], second), vec_add(third, fourth));
}

INLINE void run_taps(
    vec *acc, const element *x, int32_t pitch, const uint8_t *a, const uint8_t *b, int32_t pairs,
    const int pixels) {
    if (pixels == 1) {
        run_taps_of_one(acc, x, a, b, pairs);
        return;
    }
    struct tile t = tile_of(acc, pixels);
    for (; pairs > 1; pairs -= 2, x += 4, a += 16, b += 16) {
        tile_multiply(&t, x, pitch, read_weights(load_16(a), load_16(b)), pixels);
    }
    if (pairs) { // x' of the two taps past the last is 0
        tile_multiply(&t, x, pitch, read_weights(load_8(a), load_8(b)), pixels);
    }
    tile_store(acc, &t, pixels);
}

#include "conv.h"

void hg_conv_vnni(const struct hg_window *w, int32_t row_first, int32_t row_last) {
    conv_rows(w, row_first, row_last);
}
