"""Which code runs a plan: the native module, viper, or plain Python. All speak one cursor.

Needed at load only; load.py forgets it.
"""

import array
import sys

from ..core.errors import ModelError
from ..core.once import forget

ABI = 2  # the version of the .hgm file

NATIVE, VIPER, PORTABLE = 0, -1, -2  # in cursor[4], for Model.kernels

# Opcodes -> viper_<what>.py and its kernel; a fully connected layer and TABLE are in viper.py.
# 0: a CONV or DEPTHWISE of an image.
_FAMILIES = (
    ((0,), "conv", "rows_of_image"),
    ((3,), "pool", "pool"),
    ((4, 5), "sums", "sums"),
    ((6,), "softmax", "softmax"),
    ((8, 9), "move", "move"),
    ((10, 11), "mean", "mean"),
    ((12, 13), "recurrent", "recurrent"),
)


def choose(wanted, opcodes):
    """(mark, run, is_aligned): the best that the firmware has, or what is wanted.

    wanted: "native", "viper", "portable" or None. mark: for cursor[4]. run(data, arena,
    cursor): see portable.run. is_aligned(buffer): None if any place will do. Raises ModelError if
    it is not there.
    """
    if wanted not in (None, "native", "viper", "portable"):
        raise ModelError("kernels %r, expected native, viper, portable or None" % wanted)
    if wanted in (None, "native"):
        module = _native(wanted is None)
        if module is not None:
            return NATIVE, module.run, _is_aligned
    if wanted in (None, "viper"):
        found = _viper(opcodes, wanted is None)
        if found is not None:
            return found
    from . import portable

    return PORTABLE, portable.run, None


def fall_back(model):
    """For a native module that raised ValueError before it did anything: it lacks an op of this
    model, which goes on in viper or plain Python. Raises ModelError if it was another."""
    if model.kernels != "native":
        raise ModelError("the file or the cursor has changed under the model")
    opcodes = range(14)
    model._cursor[4], model._run, _ = _viper(opcodes, True) or choose("portable", opcodes)
    forget("hedge.infer.kernels")


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

            _load(viper, opcodes)
            return VIPER, viper.run, _is_aligned
        except SyntaxError:  # "invalid micropython decorator": built without native emitter
            pass
    if may_lack:
        return None
    raise ModelError("this firmware runs no viper code: use kernels=None")


def viper_modules(opcodes):
    """Names of the modules here that a model with these opcodes needs beside viper.py."""
    return ["viper_" + stem for wanted, stem, _ in _FAMILIES if opcodes.intersection(wanted)]


def _load(viper, opcodes):
    """Import the kernels of these opcodes into viper.py: small models stay small."""
    for wanted, stem, name in _FAMILIES:
        if any([opcode in opcodes for opcode in wanted]):
            work = viper.WORK
            work.extend(array.array("i", (0,) * (79 - len(work))))
            module = __import__("hedge.infer.viper_" + stem, None, None, (name,))
            setattr(viper, name, getattr(module, name))


def _is_aligned(buffer):
    import uctypes

    return uctypes.addressof(buffer) & 3 == 0
