QEMU_ARCH = riscv32
QEMU_MACHINE = virt

# Debian's GCC 12 has no library for the port's own rv32imac_zicsr, but one for rv32imac; in
# version 2.2 of the ISA the CSR instructions belong to the base set.
RV32_ARCH = rv32imac
AFLAGS += -misa-spec=2.2

CFLAGS += -DQEMU_SOC_VIRT
CFLAGS += -DMICROPY_HW_MCU_NAME='"$(RV32_ARCH)"'

LDSCRIPT = mcu/rv32/virt.ld

SRC_BOARD_O += shared/runtime/gchelper_native.o shared/runtime/gchelper_rv32i.o

MPY_CROSS_FLAGS += -march=rv32imc

include $(BOARD_DIR)/../common.mk
