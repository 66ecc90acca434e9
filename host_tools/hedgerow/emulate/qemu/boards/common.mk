# What all our boards share: time and a file system, which the port leaves out.

CFLAGS += -DMP_CONFIGFILE='<hedge_config.h>' -I$(BOARD_DIR)/..

# main() of the port, after the counter has started and the FPU is on: modules/ticks/ticks.c.
LDFLAGS += -Wl,--wrap=main

MICROPY_VFS_LFS2 = 1

# As much as a Pico has left for Python objects.
MICROPY_HEAP_SIZE = 229376
