// SVDF and LSTM: ops with a state that lives in the arena from invoke to invoke.
//
// Sources: tflite-micro micro/kernels/svdf_common.cc, lstm_eval.h, lstm_eval_common.cc;
// integer_ops/logistic.h and tanh.h for int16.

#include "record.h"
#include "requantize.h"

#if !HG_SMALL

static int32_t dot8(const int8_t *a, const int8_t *b, int32_t n) {
    int32_t sum = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

static int32_t clamp16(int32_t value) {
    return hg_clamp(value, -32768, 32767);
}

static int32_t element(const void *values, int32_t is_wide, int32_t i) {
    return is_wide ? ((const int16_t *)values)[i] : ((const int8_t *)values)[i];
}

// Moves a filter's row of states down by one and puts `newest` last; the row times its weights.
static int32_t svdf_row(
    int8_t *state, const uint8_t *weights, int32_t is_wide, int32_t memory, int32_t newest,
    int32_t zero) {
    int32_t sum = 0;
    for (int32_t i = 0; i < memory; i++) {
        int32_t value = i + 1 < memory ? element(state, is_wide, i + 1) : newest;
        if (is_wide) {
            ((int16_t *)(void *)state)[i] = (int16_t)value;
        } else {
            state[i] = (int8_t)value;
        }
        // The sum fits int32 in every model that TFLM runs; others must wrap, not trap.
        int32_t product = (value - zero) * element(weights, is_wide, i);
        sum = (int32_t)((uint32_t)sum + (uint32_t)product);
    }
    return sum;
}

void hg_svdf(const struct hg_run *run, const uint32_t *record) {
    int32_t is_wide = hg_flags(record) & HG_FLAG_WIDE_STATE;
    int32_t n_in = (int32_t)hg_low(record[4]), filters = (int32_t)hg_high(record[4]);
    int32_t memory = (int32_t)hg_low(record[5]), rank = (int32_t)hg_high(record[5]);
    int8_t *state = run->arena + record[3];
    const int8_t *feature = (const int8_t *)run->data + record[6];
    const uint8_t *time = run->data + record[7];
    const int32_t *bias = (const int32_t *)(const void *)(run->data + record[8]);
    const int32_t *feature_bias = (const int32_t *)(const void *)(run->data + record[13]);
    int32_t low = is_wide ? -32768 : -128, zero_state = hg_i8(record[12], 1);
    int32_t row_bytes = is_wide ? memory * 2 : memory;
    int8_t *out = hg_out(run, record);
    uint32_t sum = 0;
    for (int32_t f = 0, of_unit = 0; f < filters; f++) {
        int32_t newest = feature_bias[f] + dot8(hg_in(run, record), feature, n_in);
        newest = zero_state + hg_requantize(newest, (int32_t)record[9], hg_i8(record[11], 0));
        newest = hg_clamp(newest, low, ~low);
        sum += (uint32_t)svdf_row(state, time, is_wide, memory, newest, zero_state);
        feature += n_in;
        state += row_bytes;
        time += row_bytes;
        if (++of_unit == rank) {
            int32_t value = (int32_t)(sum + (uint32_t)*bias++);
            value = hg_requantize(value, (int32_t)record[10], hg_i8(record[11], 1));
            value += hg_i8(record[12], 2);
            *out++ = (int8_t)hg_clamp(value, hg_i8(record[11], 2), hg_i8(record[11], 3));
            of_unit = 0;
            sum = 0;
        }
    }
}

// sigmoid of size / (24 << bits) in Q0.16 with `bits` more fraction bits, by interpolation.
static int32_t interpolate(const uint16_t *table, int32_t size, int32_t bits) {
    int32_t place = size >> bits;
    int32_t rest = size & ((1 << bits) - 1);
    return (int32_t)(table[place] << bits) + rest * (table[place + 1] - table[place]);
}

// Three times a Q3.12 to Q0.15.
static int32_t sigmoid16(const uint16_t *table, int32_t scaled) {
    int32_t size = scaled < 0 ? -scaled : scaled;
    int32_t value = size >> 9 >= 255 ? 0x7fff << 10 : interpolate(table, size, 9);
    return (scaled >= 0 ? value + (1 << 9) : (1 << 25) - value + (1 << 9) - 1) >> 10;
}

// Three times a Q3.12 to Q0.15: 2 * sigmoid(2 * x) - 1.
static int32_t tanh16(const uint16_t *table, int32_t scaled) {
    int32_t size = scaled < 0 ? -scaled : scaled;
    int32_t value = size >> 8 >= 255 ? 0xffff << 8 : interpolate(table, size, 8);
    int32_t half = 1 << 23;
    return (scaled >= 0 ? value - half + (1 << 7) : -value + half + (1 << 7) - 1) >> 8;
}

enum { GATE_CELL = 2 }; // of input, forget, cell, output

struct lstm {
    const uint8_t *data;
    const uint32_t *record;
    const uint16_t *table;
    int8_t *hidden;
    int16_t *cell, *gates; // gates: [4][n] in the scratch
    int32_t n_in, n;
};

// One product of a gate: row i of the matrix times x, rounded to 2**-12.
static int32_t gate_part(const struct lstm *l, int gate, int is_recurrent, const int8_t *x, int32_t i) {
    const uint32_t *record = l->record + (is_recurrent ? 4 : 0) + gate;
    int32_t n = is_recurrent ? l->n : l->n_in;
    const int8_t *row = (const int8_t *)l->data + record[12] + i * n;
    int32_t bias = ((const int32_t *)(const void *)(l->data + record[20]))[i];
    int32_t shift = hg_i8(l->record[is_recurrent ? 37 : 36], gate);
    return clamp16(hg_requantize(bias + dot8(x, row, n), (int32_t)record[28], shift));
}

static void lstm_gates(const struct lstm *l, const int8_t *x) {
    int16_t *out = l->gates;
    for (int gate = 0; gate < 4; gate++) {
        for (int32_t i = 0; i < l->n; i++) {
            int32_t sum = gate_part(l, gate, 0, x, i) + gate_part(l, gate, 1, l->hidden, i);
            sum = 3 * clamp16(sum);
            sum = gate == GATE_CELL ? tanh16(l->table, sum) : sigmoid16(l->table, sum);
            *out++ = (int16_t)sum;
        }
    }
}

// Product of two int16 numbers by multiplier `which` (0 .. 2) of the record.
static int32_t product(const struct lstm *l, int which, int32_t a, int32_t b) {
    return hg_requantize(a * b, (int32_t)l->record[38 + which], hg_i8(l->record[41], which));
}

static void lstm_update(const struct lstm *l, int8_t *out) {
    int32_t n = l->n, power = (int16_t)hg_high(l->record[6]);
    int32_t clip = (int32_t)hg_low(l->record[11]), zero = hg_i8(l->record[11], 2);
    for (int32_t i = 0; i < n; i++) {
        const int16_t *gate = l->gates + i;
        int32_t cell = clamp16(product(l, 0, gate[n], l->cell[i]));
        cell = clamp16(cell + clamp16(product(l, 1, gate[0], gate[2 * n])));
        cell = clip < 32767 ? hg_clamp(cell, -clip, clip) : cell;
        int32_t scaled = power < 0 ? (3 * cell + (1 << (-power - 1))) >> -power : 3 * cell * (1 << power);
        int32_t activated = tanh16(l->table, scaled);
        int32_t hidden = zero + product(l, 2, gate[3 * n], activated);
        l->cell[i] = (int16_t)cell;
        l->hidden[i] = out[i] = (int8_t)hg_clamp(hidden, -128, 127);
    }
}

void hg_lstm(const struct hg_run *run, const uint32_t *record) {
    struct lstm l;
    l.data = run->data;
    l.record = record;
    l.table = (const uint16_t *)(const void *)(run->data + record[10]);
    l.hidden = run->arena + record[3];
    l.cell = (int16_t *)(void *)(run->arena + record[4]);
    l.gates = (int16_t *)(void *)(run->arena + record[9]);
    l.n_in = (int32_t)hg_low(record[5]);
    l.n = (int32_t)hg_high(record[5]);
    const int8_t *in = hg_in(run, record);
    int8_t *out = hg_out(run, record);
    for (int32_t steps = (int32_t)hg_low(record[6]); steps > 0; steps--) {
        lstm_gates(&l, in);
        lstm_update(&l, out);
        in += record[7];
        out += record[8];
    }
}

#endif
