// AVX2: eight channels in a register. The same names as lanes_sse41.h.
#ifndef HEDGE_KERNELS_LANES_AVX2_H
#define HEDGE_KERNELS_LANES_AVX2_H

#include "../../window.h"
#include "bytes.h"

typedef __m256i vec; // int32 of LANES channels
enum { LANES = 8 };

struct scale {
    vec multiplier, left, right, half;
};

INLINE vec vec_set(int32_t value) {
    return _mm256_set1_epi32(value);
}

INLINE vec vec_add(vec a, vec b) {
    return _mm256_add_epi32(a, b);
}

INLINE vec vec_sub(vec a, vec b) {
    return _mm256_sub_epi32(a, b);
}

INLINE vec vec_left_20(vec x) {
    return _mm256_slli_epi32(x, 20);
}

// x, or -x where mask is -1 and not 0.
INLINE vec vec_negate(vec x, vec mask) {
    return vec_sub(_mm256_xor_si256(x, mask), mask);
}

INLINE struct scale scale_of(vec multiplier, vec shift) {
    vec zero = _mm256_setzero_si256();
    vec right = _mm256_max_epi32(_mm256_sub_epi32(zero, shift), zero);
    struct scale s = {
        multiplier,
        _mm256_max_epi32(shift, zero),
        right,
        _mm256_srli_epi32(_mm256_sllv_epi32(_mm256_set1_epi32(1), right), 1),
    };
    return s;
}

// hg_requantize() of hg_channel's numbers.
INLINE vec vec_requantize(vec acc, const struct scale *s) {
    __m256i nudge = _mm256_set1_epi64x(1 << 30);
    acc = _mm256_sllv_epi32(acc, s->left);
    __m256i even = _mm256_mul_epi32(acc, s->multiplier);
    __m256i odd =
        _mm256_mul_epi32(_mm256_srli_epi64(acc, 32), _mm256_srli_epi64(s->multiplier, 32));
    even = _mm256_srli_epi64(_mm256_add_epi64(even, nudge), 31);
    odd = _mm256_add_epi64(odd, nudge);
    vec high = _mm256_blend_epi32(even, _mm256_add_epi64(odd, odd), 0xaa);
    vec size = _mm256_add_epi32(_mm256_abs_epi32(high), s->half); // halves go away from zero
    return _mm256_sign_epi32(_mm256_srlv_epi32(size, s->right), high);
}

INLINE vec two_blocks(const void *first, const void *second) {
    __m128i low = _mm_loadu_si128((const __m128i *)first);
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(low), _mm_loadu_si128((const __m128i *)second), 1);
}

// The channels from c on, a multiple of 4; returns their bias. The file may end after four.
INLINE vec scale_read(struct scale *s, const struct hg_window *w, int32_t c) {
    int32_t second = c + 4 < w->out_c;
    if (w->flags & HG_FLAG_WIDE) {
        const uint8_t *at = w->channels + (c >> 2) * 48;
        const uint8_t *next = at + 48 * second;
        *s = scale_of(two_blocks(at + 16, next + 16), two_blocks(at + 32, next + 32));
        return two_blocks(at, next);
    }
    const uint8_t *at = w->channels + (c >> 2) * 28;
    const uint8_t *next = at + 28 * second;
    vec packed = two_blocks(at, next);
    __m128i low = _mm_unpacklo_epi64(
        _mm_loadl_epi64((const __m128i *)(const void *)(at + 16)),
        _mm_loadl_epi64((const __m128i *)(const void *)(next + 16)));
    __m128i high = _mm_unpacklo_epi32(load_4(at + 24), load_4(next + 24));
    vec base = _mm256_set1_epi32((int32_t)(w->flags >> 8 & 31));
    vec right = _mm256_add_epi32(_mm256_and_si256(packed, _mm256_set1_epi32(3)), base);
    vec multiplier = _mm256_add_epi32(_mm256_srli_epi32(packed, 2), _mm256_set1_epi32(1 << 30));
    *s = scale_of(multiplier, _mm256_sub_epi32(_mm256_setzero_si256(), right));
    return _mm256_add_epi32(
        _mm256_cvtepu16_epi32(low), _mm256_slli_epi32(_mm256_cvtepi8_epi32(high), 16));
}

struct limits {
    __m256i zero_point, low, high; // int16, int8, int8
};

INLINE struct limits limits_of(int32_t zero_point, int32_t low, int32_t high) {
    struct limits l = {
        _mm256_set1_epi16((int16_t)zero_point),
        _mm256_set1_epi8((int8_t)low),
        _mm256_set1_epi8((int8_t)high),
    };
    return l;
}

INLINE __m256i vec_limit(__m256i value, const struct limits *l) {
    return _mm256_min_epi8(_mm256_max_epi8(value, l->low), l->high);
}

// Four requantised vectors as int8, one after the other: 4 * LANES bytes.
INLINE void store_4(int8_t *out, vec a, vec b, vec c, vec d, const struct limits *l) {
    __m256i low = _mm256_adds_epi16(_mm256_packs_epi32(a, b), l->zero_point);
    __m256i high = _mm256_adds_epi16(_mm256_packs_epi32(c, d), l->zero_point);
    __m256i halves = vec_limit(_mm256_packs_epi16(low, high), l); // packs keep to 128-bit halves
    __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256(
        (__m256i *)(void *)out, _mm256_permutevar8x32_epi32(halves, order));
}

// Two of them: 2 * LANES bytes.
INLINE void store_2(int8_t *out, vec a, vec b, const struct limits *l) {
    __m256i both = _mm256_adds_epi16(_mm256_packs_epi32(a, b), l->zero_point);
    both = vec_limit(_mm256_packs_epi16(both, both), l);
    __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5);
    __m128i bytes = _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(both, order));
    _mm_storeu_si128((__m128i *)(void *)out, bytes);
}

// 2 * LANES int8 as two int32 vectors.
INLINE void load_2(const int8_t *at, vec *a, vec *b) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    *a = _mm256_cvtepi8_epi32(bytes);
    *b = _mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8));
}

// 2 * LANES int8 of taps a and b side by side as pairs of int16: the first and last LANES channels.
INLINE void load_pairs(const int8_t *a, const int8_t *b, vec *low, vec *high) {
    __m128i first = _mm_loadu_si128((const __m128i *)(const void *)a);
    __m128i second = _mm_loadu_si128((const __m128i *)(const void *)b);
    *low = _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(first, second));
    *high = _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(first, second));
}

// a[0] * b[0] + a[1] * b[1] of pairs of int16.
INLINE vec vec_dot(vec a, vec b) {
    return _mm256_madd_epi16(a, b);
}

INLINE vec vec_pairs_of(int16_t value) {
    return _mm256_set1_epi16(value);
}

#endif
