// Configuration of the port, with what hedge needs besides: time, asyncio, select, littlefs.

#include "mpconfigport.h"

#undef MICROPY_PY_TIME
#define MICROPY_PY_TIME (1)

#undef MICROPY_PY_SELECT
#define MICROPY_PY_SELECT (1)

#undef MICROPY_PY_ASYNCIO
#define MICROPY_PY_ASYNCIO (1)
