"""Numbers of firmware/hedge/infer/SPEC.md that lowering and emit keep to: the board's own.

WORDS[opcode]: 32-bit words of a record.
"""

from hedge.infer.check_image import MAX_TAPS as MAX_TAPS
from hedge.infer.check_small import MAX_DEPTH as MAX_DEPTH
from hedge.infer.ops import ADD as ADD
from hedge.infer.ops import CONV as CONV
from hedge.infer.ops import COPY as COPY
from hedge.infer.ops import DEPTHWISE as DEPTHWISE
from hedge.infer.ops import FILL as FILL
from hedge.infer.ops import LSTM as LSTM
from hedge.infer.ops import MEAN as MEAN
from hedge.infer.ops import MUL as MUL
from hedge.infer.ops import POOL as POOL
from hedge.infer.ops import REQUANTIZE as REQUANTIZE
from hedge.infer.ops import SOFTMAX as SOFTMAX
from hedge.infer.ops import SVDF as SVDF
from hedge.infer.ops import TABLE as TABLE
from hedge.infer.ops import WORDS as WORDS
from hedge.infer.plan import HEADER_BYTES as HEADER_BYTES
from hedge.infer.plan import MAGIC as MAGIC
from hedge.infer.plan import MAX_ARENA_BYTES as MAX_ARENA_BYTES
from hedge.infer.plan import MAX_OPS as MAX_OPS
from hedge.infer.plan import MAX_RESETS as MAX_RESETS
from hedge.infer.plan import VERSION as VERSION

MAX_SIDE = 65_535  # u16: image sides, channels, units
MAX_STEP = 255  # u8: kernel sides, strides, dilations, padding
