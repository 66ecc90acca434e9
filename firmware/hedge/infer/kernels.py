"""Which code runs a plan: the native module, viper, or plain Python. All speak one cursor.

Needed at load only; model.py forgets it.
"""

import sys

from ..core.errors import ModelError

ABI = 2  # the version of the .hgm file


def choose(wanted, opcodes):
    """(name, run, is_aligned): the best that the firmware has, or what is wanted.

    wanted: "native", "viper", "portable" or None. run(data, arena, cursor): see portable.run.
    is_aligned(buffer): None if any place will do. Raises ModelError if it is not there.
    """
    if wanted not in (None, "native", "viper", "portable"):
        raise ModelError("kernels %r, expected native, viper, portable or None" % wanted)
    if wanted in (None, "native"):
        module = _native(wanted is None)
        if module is not None:
            return "native", module.run, _is_aligned
    if wanted in (None, "viper"):
        found = _viper(opcodes, wanted is None)
        if found is not None:
            return found
    from . import portable

    return "portable", portable.run, None


def fall_back(opcodes):
    """choose() without the native module, which lacks an op of this model."""
    return _viper(opcodes, True) or choose("portable", opcodes)


def _native(may_lack):
    """The native module, or None."""
    try:
        import hedge_infer_native as module
    except ImportError:
        if may_lack:
            return None
        raise ModelError("no kernel module: install hedge_infer_native.mpy")
    except ValueError as error:  # "incompatible .mpy arch", of another MicroPython or processor
        message = "hedge_infer_native.mpy is not for this board: %s" % error
        if not may_lack:
            raise ModelError(message)
        print("hedge.infer: %s; running without it" % message)
        return None
    if module.abi() != ABI:
        what = (module.abi(), ABI)
        raise ModelError("kernel module speaks ABI %d, this firmware %d: reinstall both" % what)
    return module


def _viper(opcodes, may_lack):
    """As choose(), or None on a firmware without viper."""
    if sys.implementation.name == "micropython":
        try:
            from . import viper

            viper.load(opcodes)
            return "viper", viper.run, viper.is_aligned
        except SyntaxError:  # "invalid micropython decorator": built without native emitter
            pass
    if may_lack:
        return None
    raise ModelError("this firmware runs no viper code: use kernels=None")


def _is_aligned(buffer):
    import uctypes

    return uctypes.addressof(buffer) & 3 == 0
