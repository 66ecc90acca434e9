# Instead of MicroPython's own of the RP2 port, in a firmware with a region of raw flash. As there,
# machine and rp2 are names at the prompt.
import hedge_region
import machine  # noqa: F401
import rp2  # noqa: F401

hedge_region.mount()
del hedge_region
