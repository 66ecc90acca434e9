"""Audio front end: samples as they come -> log-mel or MFCC frames -> int8 input of a model.

    mel = LogMel("kws.hfe")               # made by hedgerow.convert.dsp
    if mel.push(samples):                 # array("h") of any length, e.g. from I2S.readinto()
        if mel.ready:
            mel.vector_into(model.input)  # the last mel.frames frames, oldest first
            model.invoke()

From -> to (DESIGN.md): filter -> features is int16 at a fixed rate, features -> model an int8
vector quantised with the model's scale and zero point. .frame_into() hands out one frame alone.

Memory: 4 n_fft + 2 window + (2 features + 3) frames + 2 bands bytes, and the file if it is not
in memory-mapped flash. push() and vector_into() do not allocate with viper.
"""

import array

from ..core.errors import ConfigError
from .choose import kernels
from .fft import RealFFT
from .frontend import EMPHASIS, MATRIX, NORMALISE, POWER, FrontEnd

_K = kernels("mel")


class LogMel:
    """source: path or bytes of a .hfe file. Raises ModelError if it is damaged, OSError.

    .frames, .features: shape of the model's input. .hop: samples per frame. .seen: frames so far.
    """

    def __init__(self, source):
        file = FrontEnd(source, _K.TAKES_BYTES, getattr(_K, "is_aligned", None))
        self._file = file
        self.frames, self.features, self.hop = file.frames, file.features, file.hop
        sine, roots, self._logs, window, self._bands, self._weights, self._rows, self._gains = (
            file.tables
        )
        emphasis = bool(file.flags & EMPHASIS)
        self._fft = RealFFT(file.n_fft, window, emphasis, (sine, roots), file.window)
        self._levels = array.array("h", bytes(2 * file.bands))
        self._ring = array.array("h", bytes(2 * (file.window + 1)))  # one more: for emphasis
        self._store = array.array("h", bytes(2 * file.frames * file.features))
        self._peaks = array.array("h", bytes(2 * file.frames))  # largest sample of a hop
        self._live = bytearray(file.frames)  # 0: all bands at the floor
        self.reset()

    def reset(self):
        """Forget all samples and frames, as after a gap in the signal."""
        for i in range(len(self._ring)):
            self._ring[i] = 0
        self._place = 1
        self._missing = self._file.window
        self._peak = 0
        for i in range(len(self._levels)):
            self._levels[i] = self._file.floor
        for slot in range(self.frames):
            self._keep(slot)
            self._peaks[slot] = self._live[slot] = 0
        self.seen = 0

    @property
    def ready(self):
        """True once there are as many frames as the model takes."""
        return self.seen >= self.frames

    def push(self, samples, count=None):
        """Take count int16 samples (default all); returns how many frames they completed.

        The samples are copied: the buffer is the caller's again. Blocks for the frames' work.
        """
        count = len(samples) if count is None else count
        if not 0 <= count <= len(samples):
            raise ConfigError("logmel: %d samples of %d" % (count, len(samples)))
        at = frames = 0
        size = len(self._ring)
        while at < count:
            n = min(count - at, self._missing, size - self._place)
            self._peak = _K.store(samples, at, n, self._ring, self._place, self._peak)
            self._place = (self._place + n) % size
            self._missing -= n
            at += n
            if not self._missing:
                self._frame()
                self._missing = self.hop
                frames += 1
        return frames

    def _frame(self):
        file, fft = self._file, self._fft
        slot = self.seen % self.frames
        place = self._place  # of the oldest sample, the one before the window
        fft.run(self._ring, (place + 1) % len(self._ring), self._ring[place])
        if file.flags & POWER:
            fft.power_into(fft.bins, file.first_bin, file.bin_count)
            base = file.base + 1024 * fft.power_exponent
        else:
            fft.magnitude_into(fft.bins, file.first_bin, file.bin_count)
            base = file.base + 1024 * fft.magnitude_exponent
        live = _K.log_bands(
            fft.bins,
            self._bands,
            self._weights,
            self._logs,
            file.bands,
            base,
            file.floor,
            self._levels,
        )
        self._keep(slot)
        self._live[slot] = live > 0
        self._peaks[slot] = self._peak
        self._peak = 0
        self.seen += 1

    def _keep(self, slot):
        file, at = self._file, slot * self.features
        if file.flags & MATRIX:
            _K.matrix(
                self._levels,
                file.bands,
                self._rows,
                file.matrix_shift,
                file.features,
                self._store,
                at,
            )
        else:
            for i in range(self.features):
                self._store[at + i] = self._levels[i]

    def gain_q10(self):
        """1024 log2(32768 / largest sample of the last frames); 0 before a sample above zero."""
        peak = 0
        for i in range(min(self.seen, self.frames)):
            peak = max(peak, self._peaks[i])
        if not peak:
            return 0
        gain = 0
        while peak < 16384:
            peak <<= 1
            gain += 1024
        return gain + 1024 - self._log2(peak)

    def _log2(self, value):
        """1024 log2(value / 16384) of 16384 .. 32767, truncated between table entries."""
        i, rest = (value >> 8) - 64, value & 255
        low = self._entry(i)
        return (low + ((self._entry(i + 1) - low) * rest >> 8) + 8) >> 4

    def _entry(self, i):
        if _K.TAKES_BYTES:
            return self._logs[2 * i] | self._logs[2 * i + 1] << 8
        return self._logs[i]

    def vector_into(self, out, at=0):
        """Write frames * features int8 to out[at:], oldest frame first; frames that
        have not been are silence. out: e.g. Model.input. Raises ConfigError if out is short.
        """
        if at < 0 or len(out) - at < self.frames * self.features:
            raise ConfigError("logmel: needs %d int8" % (self.frames * self.features))
        gain = self.gain_q10() if self._file.flags & NORMALISE else 0
        for i in range(self.frames):
            self._quantise((self.seen + i) % self.frames, gain, out, at)
            at += self.features

    def frame_into(self, out, at=0):
        """Write the newest frame alone, features int8, without normalisation; for models that
        keep their own history."""
        if not self.seen or at < 0 or len(out) - at < self.features:
            raise ConfigError("logmel: no frame yet, or no room for %d int8" % self.features)
        self._quantise((self.seen - 1) % self.frames, 0, out, at)

    def _quantise(self, slot, gain, out, at):
        file, n = self._file, self.features
        gain *= self._live[slot]
        zero, factor, shift = file.zero, file.factor, file.quant_shift
        _K.quantise(
            self._store, slot * n, n, self._gains, gain, factor, shift, zero, out, at
        )  # fmt: skip
