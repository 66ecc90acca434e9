// Runs the records of a plan, whole or in slices of output rows.

#include "record.h"

typedef void rows_function(const struct hg_run *, const uint32_t *, int32_t, int32_t);
typedef void whole_function(const struct hg_run *, const uint32_t *);

// Ops that can be cut into output rows; word 7 (CONV, DEPTHWISE) or 5 (POOL) holds their number.
static rows_function *rows_of(uint32_t opcode) {
    if (opcode == HG_CONV) {
        return hg_conv;
    }
    if (opcode == HG_DEPTHWISE) {
        return hg_depthwise;
    }
    return opcode == HG_POOL ? hg_pool : 0;
}

// Comparisons, not a table: a table of addresses would be data that a native module cannot have.
static whole_function *whole_of(uint32_t opcode) {
    if (opcode == HG_ADD) {
        return hg_add;
    }
    if (opcode == HG_SOFTMAX) {
        return hg_softmax;
    }
#if !HG_SMALL
    if (opcode == HG_MUL) {
        return hg_mul;
    }
    if (opcode == HG_TABLE) {
        return hg_table;
    }
    if (opcode == HG_COPY) {
        return hg_copy;
    }
    if (opcode == HG_FILL) {
        return hg_fill;
    }
    if (opcode == HG_MEAN) {
        return hg_mean;
    }
    if (opcode == HG_REQUANTIZE) {
        return hg_requantize_op;
    }
    if (opcode == HG_SVDF) {
        return hg_svdf;
    }
    if (opcode == HG_LSTM) {
        return hg_lstm;
    }
#endif
    return 0;
}

static const uint32_t *next(const uint32_t *record) {
    return record + hg_u8(record[0], 1);
}

// The first opcode of `count` records that this build lacks, or 0.
static int32_t missing_opcode(const uint32_t *record, int32_t count) {
    for (; count > 0; count--, record = next(record)) {
        uint32_t opcode = hg_u8(record[0], 0);
        if (!rows_of(opcode) && !whole_of(opcode)) {
            return (int32_t)opcode;
        }
    }
    return 0;
}

static int32_t out_rows(const uint32_t *record) {
    return (int32_t)hg_low(record[hg_u8(record[0], 0) == HG_POOL ? 5 : 7]);
}

// Runs from output row cursor[1] of the record at byte cursor[0] on, to the end of the cursor[2]
// records, or until cursor[3] rows are done if that is not 0. Updates cursor[0] to [2].
// Returns 0, or an opcode that this build lacks: then nothing was touched.
#if HG_X64
int32_t hg_run(const uint8_t *data, int8_t *arena, int32_t *cursor) {
    return hg_run_level(data, arena, cursor, hg_level());
}

int32_t hg_run_level(const uint8_t *data, int8_t *arena, int32_t *cursor, int32_t level) {
    struct hg_run run = {data, arena, level};
#else
int32_t hg_run(const uint8_t *data, int8_t *arena, int32_t *cursor) {
    struct hg_run run = {data, arena};
#endif
    const uint32_t *record = (const uint32_t *)(const void *)(data + cursor[0]);
    int32_t budget = cursor[3] > 0 ? cursor[3] : INT32_MAX;
    int32_t opcode = missing_opcode(record, cursor[2]);
    if (opcode) {
        return opcode;
    }
    while (cursor[2] > 0 && budget > 0) {
        opcode = (int32_t)hg_u8(record[0], 0);
        rows_function *rows = rows_of((uint32_t)opcode);
        int32_t total = rows ? out_rows(record) : 1;
        int32_t first = cursor[1];
        int32_t last = total - first > budget ? first + budget : total;
        if (rows) {
            rows(&run, record, first, last);
        } else {
            whole_of((uint32_t)opcode)(&run, record);
        }
        budget -= last - first;
        cursor[1] = last;
        if (last == total) {
            record = next(record);
            cursor[0] = (int32_t)((const uint8_t *)record - data);
            cursor[1] = 0;
            cursor[2]--;
        }
    }
    return 0;
}
