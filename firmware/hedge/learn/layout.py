"""Words of a .hgl header (SPEC.md), by name, for the reader and for the writer on the host."""

MAGIC = b"HGL1"
VERSION = 1
HEADER_BYTES = 80
HEADER = "<4sIIIHBBHHIIIfIIIIIIIIIi"

# Indices in the unpacked header.
FILE_BYTES = 2
CRC = 3
KIND = 4
INPUT = 5
DECISION = 6
LINK = 7
NEIGHBOURS = 8
FEATURES = 9
SCORES = 10
LABELS = 11  # how many
SCORE_SCALE = 12
QUANT_AT = 13
LABELS_AT = 14
ROWS = 15
A, B, C, D = 16, 17, 18, 19  # file offsets of the sections of a kind
EXTRA = 20
STEP = 21
THRESHOLD = 22

# Kinds.
TREES = 1
LINEAR = 2
DISTANCES = 3
GAUSSIANS = 4

# Inputs.
FLOAT32 = 0
INT16 = 1

# Decisions.
VALUE = 0
ARGMAX = 1
SIGN_GE = 2
SIGN_GT = 3
NEAREST = 4
VOTE = 5
OUTSIDE = 6
DENSITY = 7

# Links: how scores become probabilities.
NO_LINK = 0
SHARE = 1
LOGISTIC = 2
SOFTMAX = 3
LOGISTIC_SHARE = 4
EXP_NEGATIVE = 5

LEAF = 0xFFFF  # "feature" of a leaf node
SOFTPLUS_ENTRIES = 513  # steps of 1/32 nat up to 16 nats
MAX_SCORE = (1 << 30) - 1  # a small int on every board
MAX_DISTANCE = (1 << 29) - 1  # of a distance as a score: two of them differ by a small int
CENTRE = 1 << 14  # DISTANCES store q + CENTRE, 0..32767
