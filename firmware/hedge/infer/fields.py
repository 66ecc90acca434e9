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
    a, b, c = op[5], op[6], op[7]
    return u16(a, 0), u16(a, 1), u16(b, 0), u16(b, 1), u16(c, 0), u16(c, 1)


def window(op, at):
    """(kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left)."""
    a, b = op[at], op[at + 1]
    return u8(a, 0), u8(a, 1), u8(a, 2), u8(a, 3), u8(b, 0), u8(b, 1), u8(b, 2), u8(b, 3)
