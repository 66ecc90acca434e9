"""Parts of a record's 32-bit words (SPEC.md), from low to high. word: as u32 or i32."""


def u16(word, i):
    return word >> 16 * i & 0xFFFF


def i16(word, i):
    return (u16(word, i) ^ 0x8000) - 0x8000


def u8(word, i):
    return word >> 8 * i & 0xFF


def i8(word, i):
    return (u8(word, i) ^ 0x80) - 0x80


def image(op):
    """(in_h, in_w, in_c, out_c, out_h, out_w) of CONV and DEPTHWISE."""
    return tuple(u16(op[at], i) for at in (5, 6, 7) for i in (0, 1))


def window(op, at):
    """(kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left)."""
    return tuple(u8(op[at + k], i) for k in (0, 1) for i in range(4))
