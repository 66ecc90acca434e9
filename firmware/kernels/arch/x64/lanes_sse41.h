// SSE4.1: four channels in a register. The same names as lanes_avx2.h.
#ifndef HEDGE_KERNELS_LANES_SSE41_H
#define HEDGE_KERNELS_LANES_SSE41_H

#include "../../window.h"
#include "bytes.h"

typedef __m128i vec; // int32 of LANES channels
enum { LANES = 4 };

// What channels' accumulators need; left and right are powers of two, as there is no shift by lane:
// 2**left and 2**(31 - right).
struct scale {
    vec multiplier, left, right, half;
};

INLINE vec vec_set(int32_t value) {
    return _mm_set1_epi32(value);
}

INLINE vec vec_add(vec a, vec b) {
    return _mm_add_epi32(a, b);
}

INLINE vec vec_sub(vec a, vec b) {
    return _mm_sub_epi32(a, b);
}

INLINE vec vec_left_20(vec x) {
    return _mm_slli_epi32(x, 20);
}

// x, or -x where mask is -1 and not 0.
INLINE vec vec_negate(vec x, vec mask) {
    return vec_sub(_mm_xor_si128(x, mask), mask);
}

// 2**n of 0 <= n <= 31: as a float's exponent; 2**31 does not fit and becomes 0x80000000.
INLINE vec power_of_two(vec n) {
    vec exponent = _mm_slli_epi32(_mm_add_epi32(n, _mm_set1_epi32(127)), 23);
    return _mm_cvttps_epi32(_mm_castsi128_ps(exponent));
}

INLINE struct scale scale_of(vec multiplier, vec shift) {
    vec zero = _mm_setzero_si128();
    vec right = _mm_max_epi32(_mm_sub_epi32(zero, shift), zero);
    struct scale s = {
        multiplier,
        power_of_two(_mm_max_epi32(shift, zero)),
        power_of_two(_mm_sub_epi32(_mm_set1_epi32(31), right)),
        _mm_srli_epi32(power_of_two(right), 1),
    };
    return s;
}

// Low 32 bits of two 64-bit numbers / 2**31 each: even lanes from even, odd lanes from odd.
INLINE vec join_halves(__m128i even, __m128i odd) {
    return _mm_blend_epi16(_mm_srli_epi64(even, 31), _mm_add_epi64(odd, odd), 0xcc);
}

// hg_requantize() of hg_channel's numbers.
INLINE vec vec_requantize(vec acc, const struct scale *s) {
    __m128i nudge = _mm_set1_epi64x(1 << 30);
    acc = _mm_mullo_epi32(acc, s->left);
    __m128i even = _mm_mul_epi32(acc, s->multiplier);
    __m128i odd = _mm_mul_epi32(_mm_srli_epi64(acc, 32), _mm_srli_epi64(s->multiplier, 32));
    vec high = join_halves(_mm_add_epi64(even, nudge), _mm_add_epi64(odd, nudge));
    vec size = _mm_add_epi32(_mm_abs_epi32(high), s->half); // unsigned: halves go away from zero
    even = _mm_mul_epu32(size, s->right);
    odd = _mm_mul_epu32(_mm_srli_epi64(size, 32), _mm_srli_epi64(s->right, 32));
    return _mm_sign_epi32(join_halves(even, odd), high);
}

// A block of four channels of the table.
INLINE vec scale_read_block(struct scale *s, const struct hg_window *w, int32_t block) {
    if (w->flags & HG_FLAG_WIDE) {
        const __m128i *wide = (const __m128i *)(const void *)(w->channels + block * 48);
        *s = scale_of(_mm_loadu_si128(wide + 1), _mm_loadu_si128(wide + 2));
        return _mm_loadu_si128(wide);
    }
    const uint8_t *at = w->channels + block * 28;
    __m128i packed = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i low = _mm_cvtepu16_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(at + 16)));
    __m128i high = _mm_cvtepi8_epi32(load_4(at + 24));
    vec base = _mm_set1_epi32((int32_t)(w->flags >> 8 & 31));
    vec right = _mm_add_epi32(_mm_and_si128(packed, _mm_set1_epi32(3)), base);
    vec multiplier = _mm_add_epi32(_mm_srli_epi32(packed, 2), _mm_set1_epi32(1 << 30));
    *s = scale_of(multiplier, _mm_sub_epi32(_mm_setzero_si128(), right));
    return _mm_add_epi32(low, _mm_slli_epi32(high, 16));
}

// The channels from c on, a multiple of 4; returns their bias.
INLINE vec scale_read(struct scale *s, const struct hg_window *w, int32_t c) {
    return scale_read_block(s, w, c >> 2);
}

struct limits {
    __m128i zero_point, low, high; // int16, int8, int8
};

INLINE struct limits limits_of(int32_t zero_point, int32_t low, int32_t high) {
    struct limits l = {
        _mm_set1_epi16((int16_t)zero_point),
        _mm_set1_epi8((int8_t)low),
        _mm_set1_epi8((int8_t)high),
    };
    return l;
}

INLINE __m128i vec_limit(__m128i value, const struct limits *l) {
    return _mm_min_epi8(_mm_max_epi8(value, l->low), l->high);
}

// Four requantised vectors as int8, one after the other: 4 * LANES bytes.
INLINE void store_4(int8_t *out, vec a, vec b, vec c, vec d, const struct limits *l) {
    __m128i low = _mm_adds_epi16(_mm_packs_epi32(a, b), l->zero_point);
    __m128i high = _mm_adds_epi16(_mm_packs_epi32(c, d), l->zero_point);
    __m128i bytes = vec_limit(_mm_packs_epi16(low, high), l);
    _mm_storeu_si128((__m128i *)(void *)out, bytes);
}

// Two of them: 2 * LANES bytes.
INLINE void store_2(int8_t *out, vec a, vec b, const struct limits *l) {
    __m128i both = _mm_adds_epi16(_mm_packs_epi32(a, b), l->zero_point);
    _mm_storel_epi64((__m128i *)(void *)out, vec_limit(_mm_packs_epi16(both, both), l));
}

// 2 * LANES int8 as two int32 vectors.
INLINE void load_2(const int8_t *at, vec *a, vec *b) {
    __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)at);
    *a = _mm_cvtepi8_epi32(bytes);
    *b = _mm_cvtepi8_epi32(_mm_srli_si128(bytes, 4));
}

// 2 * LANES int8 of taps a and b side by side as pairs of int16: the first and last LANES channels.
INLINE void load_pairs(const int8_t *a, const int8_t *b, vec *low, vec *high) {
    __m128i first = _mm_loadl_epi64((const __m128i *)(const void *)a);
    __m128i second = _mm_loadl_epi64((const __m128i *)(const void *)b);
    __m128i pairs = _mm_unpacklo_epi8(first, second);
    *low = _mm_cvtepi8_epi16(pairs);
    *high = _mm_cvtepi8_epi16(_mm_srli_si128(pairs, 8));
}

// a[0] * b[0] + a[1] * b[1] of pairs of int16.
INLINE vec vec_dot(vec a, vec b) {
    return _mm_madd_epi16(a, b);
}

INLINE vec vec_pairs_of(int16_t value) {
    return _mm_set1_epi16(value);
}

#endif
