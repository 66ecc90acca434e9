// Functions of the boot ROM: memory, bits, single-precision arithmetic (RP2040 datasheet 2.8.3).
// Results are those of libgcc, which rounds to nearest and keeps denormals; the real ROM flushes
// denormals to zero. Their cycles are not those of the real ROM either.

#include <stdint.h>

typedef union { float f; uint32_t bits; } float_bits;

uint32_t rom_popcount32(uint32_t x) {
    x -= (x >> 1) & 0x55555555u;
    x = (x & 0x33333333u) + ((x >> 2) & 0x33333333u);
    return (((x + (x >> 4)) & 0x0f0f0f0fu) * 0x01010101u) >> 24;
}

uint32_t rom_reverse32(uint32_t x) {
    x = ((x & 0x55555555u) << 1) | ((x >> 1) & 0x55555555u);
    x = ((x & 0x33333333u) << 2) | ((x >> 2) & 0x33333333u);
    x = ((x & 0x0f0f0f0fu) << 4) | ((x >> 4) & 0x0f0f0f0fu);
    return __builtin_bswap32(x);
}

// Callers in pico-sdk keep their return address in ip, so this must not use ip: plain C does not.
uint32_t rom_clz32(uint32_t x) {
    uint32_t n = 32;
    for (uint32_t step = 16; step; step >>= 1) {
        if (x >> step) {
            n -= step;
            x >>= step;
        }
    }
    return n - x;
}

uint32_t rom_ctz32(uint32_t x) {
    return x ? 31 - rom_clz32(x & -x) : 32;
}

void *rom_memset(void *to, int value, uint32_t count) {
    uint8_t *p = to, *end = p + count;
    uint32_t word = (uint8_t)value * 0x01010101u;
    while (p < end && ((uintptr_t)p & 3)) {
        *p++ = value;
    }
    for (; end - p >= 16; p += 16) {
        uint32_t *w = (uint32_t *)p;
        w[0] = word, w[1] = word, w[2] = word, w[3] = word;
    }
    while (p < end) {
        *p++ = value;
    }
    return to;
}

void *rom_memcpy(void *to, const void *from, uint32_t count) {
    uint8_t *p = to, *end = p + count;
    const uint8_t *q = from;
    if ((((uintptr_t)p ^ (uintptr_t)q) & 3) == 0) {
        while (p < end && ((uintptr_t)p & 3)) {
            *p++ = *q++;
        }
        for (; end - p >= 16; p += 16, q += 16) {
            uint32_t *w = (uint32_t *)p;
            const uint32_t *v = (const uint32_t *)q;
            uint32_t a = v[0], b = v[1], c = v[2], d = v[3];
            w[0] = a, w[1] = b, w[2] = c, w[3] = d;
        }
    }
    while (p < end) {
        *p++ = *q++;
    }
    return to;
}

float rom_fadd(float x, float y) { return x + y; }
float rom_fsub(float x, float y) { return x - y; }
float rom_fmul(float x, float y) { return x * y; }
float rom_fdiv(float x, float y) { return x / y; }
int rom_fcmp(float x, float y) { return x < y ? -1 : x > y; }
float rom_int2float(int32_t x) { return (float)x; }
float rom_uint2float(uint32_t x) { return (float)x; }
float rom_int642float(int64_t x) { return (float)x; }
float rom_uint642float(uint64_t x) { return (float)x; }
double rom_float2double(float x) { return (double)x; }

// |x| * 2**fraction_bits, rounded down, at most 2**64 - 1.
static uint64_t magnitude(float x, int fraction_bits) {
    float_bits v = { .f = x };
    int exponent = (int)((v.bits >> 23) & 0xff) - 150 + fraction_bits;
    uint64_t mantissa = (v.bits & 0x7fffff) | 0x800000;
    if (((v.bits >> 23) & 0xff) == 0 || exponent <= -24) {
        return 0;
    }
    if (exponent > 40) {
        return UINT64_MAX;
    }
    return exponent < 0 ? mantissa >> -exponent : mantissa << exponent;
}

static int is_negative(float x) {
    float_bits v = { .f = x };
    return v.bits >> 31;
}

uint64_t rom_float2ufix64(float x, int fraction_bits) {
    return is_negative(x) ? 0 : magnitude(x, fraction_bits);
}

uint64_t rom_float2uint64(float x) {
    return rom_float2ufix64(x, 0);
}

uint32_t rom_float2uint(float x) {
    uint64_t whole = rom_float2uint64(x);
    return whole > UINT32_MAX ? UINT32_MAX : (uint32_t)whole;
}

// Rounds down, as the datasheet says; saturates.
int64_t rom_float2int64(float x) {
    uint64_t whole = magnitude(x, 0);
    if (!is_negative(x)) {
        return whole > INT64_MAX ? INT64_MAX : (int64_t)whole;
    }
    if (whole > INT64_MAX) {
        return INT64_MIN;
    }
    return -(int64_t)whole - (x != -(float)whole);
}

int32_t rom_float2int(float x) {
    int64_t whole = rom_float2int64(x);
    return whole > INT32_MAX ? INT32_MAX : whole < INT32_MIN ? INT32_MIN : (int32_t)whole;
}
