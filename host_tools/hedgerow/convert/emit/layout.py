"""Numbers of firmware/hedge/infer/SPEC.md that lowering and emit keep to."""

MAGIC = b"HGM2"
VERSION = 2
HEADER_BYTES = 60
MAX_OPS = 1024
MAX_RESETS = 64
MAX_ARENA_BYTES = 1 << 24
MAX_TAPS = 65_534
MAX_SIDE = 65_535  # u16: image sides, channels, units
MAX_STEP = 255  # u8: kernel sides, strides, dilations, padding
MAX_DEPTH = 511  # of SOFTMAX

CONV, DEPTHWISE, POOL, ADD, MUL, SOFTMAX, TABLE = range(1, 8)
COPY, FILL, MEAN, REQUANTIZE, SVDF, LSTM = range(8, 14)
WORDS = {
    CONV: 12,
    DEPTHWISE: 12,
    POOL: 9,
    ADD: 13,
    MUL: 10,
    SOFTMAX: 7,
    TABLE: 5,
    COPY: 15,
    FILL: 5,
    MEAN: 9,
    REQUANTIZE: 6,
    SVDF: 18,
    LSTM: 44,
}
