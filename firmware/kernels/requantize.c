// The rounding of requantize.h as functions, for the small build: each would be there three times.

#define HG_REQUANTIZE_C 1
#include "requantize.h"
