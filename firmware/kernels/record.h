// The records of a .hgm version 2 plan as the kernels read them. Layout: ../hedge/infer/SPEC.md.
//
// Nothing here checks a number: the reader of hedge.infer has checked the whole file.
#ifndef HEDGE_KERNELS_RECORD_H
#define HEDGE_KERNELS_RECORD_H

#include <stdint.h>

// Only hg_run leaves a shared library; inside a native module no call needs a table.
#pragma GCC visibility push(hidden)

enum hg_opcode {
    HG_CONV = 1,
    HG_DEPTHWISE,
    HG_POOL,
    HG_ADD,
    HG_MUL,
    HG_SOFTMAX,
    HG_TABLE,
    HG_COPY,
    HG_FILL,
    HG_MEAN,
    HG_REQUANTIZE,
    HG_SVDF,
    HG_LSTM,
};

enum {
    HG_FLAG_WIDE = 1, // CONV, DEPTHWISE: wide channel table
    HG_FLAG_DIRECT = 2, // CONV: input pixels lie as the outputs need them
    HG_FLAG_SCRATCH = 4, // CONV, DEPTHWISE: has scratch
    HG_FLAG_MAXIMUM = 1, // POOL
    HG_FLAG_CONSTANT = 1, // ADD, MUL: b; COPY: the source
    HG_FLAG_NEGATE_A = 2, // ADD
    HG_FLAG_NEGATE_B = 4, // ADD
    HG_FLAG_WIDE_STATE = 1, // SVDF: state is int16
    HG_FLAG_WIDE_OUT = 1, // SOFTMAX: out is int16
};

// What every op needs: the file, at a multiple of 4, and the arena, at a multiple of 4.
struct hg_run {
    const uint8_t *data;
    int8_t *arena;
#if HG_X64
    int32_t level; // enum hg_level of arch/x64/levels.h
#endif
};

static inline uint32_t hg_flags(const uint32_t *record) {
    return record[0] >> 16;
}

static inline uint32_t hg_low(uint32_t word) {
    return word & 0xffff;
}

static inline uint32_t hg_high(uint32_t word) {
    return word >> 16;
}

// Byte 0 (lowest) to 3 of a word.
static inline uint32_t hg_u8(uint32_t word, int place) {
    return (uint8_t)(word >> 8 * place);
}

static inline int32_t hg_i8(uint32_t word, int place) {
    return (int8_t)(word >> 8 * place);
}

static inline int8_t *hg_in(const struct hg_run *run, const uint32_t *record) {
    return run->arena + record[1];
}

static inline int8_t *hg_out(const struct hg_run *run, const uint32_t *record) {
    return run->arena + record[2];
}

static inline int32_t hg_clamp(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : value > high ? high : value;
}

// Ops in slices: output rows row_first .. row_last - 1.
void hg_conv(const struct hg_run *run, const uint32_t *record, int32_t row_first, int32_t row_last);
void hg_depthwise(
    const struct hg_run *run, const uint32_t *record, int32_t row_first, int32_t row_last);
void hg_pool(const struct hg_run *run, const uint32_t *record, int32_t row_first, int32_t row_last);

// Ops in one go.
void hg_add(const struct hg_run *run, const uint32_t *record);
void hg_mul(const struct hg_run *run, const uint32_t *record);
void hg_softmax(const struct hg_run *run, const uint32_t *record);
void hg_table(const struct hg_run *run, const uint32_t *record);
void hg_copy(const struct hg_run *run, const uint32_t *record);
void hg_fill(const struct hg_run *run, const uint32_t *record);
void hg_mean(const struct hg_run *run, const uint32_t *record);
void hg_requantize_op(const struct hg_run *run, const uint32_t *record);
void hg_svdf(const struct hg_run *run, const uint32_t *record);
void hg_lstm(const struct hg_run *run, const uint32_t *record);

#if HG_X64
// By cpuid: 25 us under a hypervisor, so better once per model than once per run.
__attribute__((visibility("default"))) int32_t hg_level(void);
// ADD for what the processor can do; 0: nothing done.
int32_t hg_add_fast(const struct hg_run *run, const uint32_t *record);
#endif

#pragma GCC visibility pop

// Runs records; see plan.c.
__attribute__((visibility("default"))) int32_t hg_run(
    const uint8_t *data, int8_t *arena, int32_t *cursor);
#if HG_X64
// The same with hg_level() known, or a lower one.
__attribute__((visibility("default"))) int32_t hg_run_level(
    const uint8_t *data, int8_t *arena, int32_t *cursor, int32_t level);
#endif

#endif
