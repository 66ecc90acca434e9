"""BlockStats, Autocorrelation and Peaks against NumPy and scipy.signal."""

import array

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.signal import find_peaks

from hedge.core.errors import ConfigError
from hedge.dsp.peaks import Peaks
from hedge.dsp.stats import Autocorrelation, BlockStats, root

INT16 = hnp.arrays(np.int16, st.integers(1, 200), elements=st.integers(-32767, 32767))


def shorts(x):
    return array.array("h", np.asarray(x).tolist())


@settings(max_examples=100, deadline=None)
@given(INT16)
@example(np.full(200, 32767, dtype=np.int16))
@example(np.array([-32767], dtype=np.int16))
def test_levels(x):
    block = BlockStats()
    block.run(shorts(x))
    y = x.astype(float)
    rms = np.sqrt((y**2).mean())
    assert 0 <= rms - block.rms_q8 / 256 < 1 / 128
    assert block.mean == np.floor(y.mean() + 0.5)
    assert (block.min, block.max, block.peak) == (y.min(), y.max(), np.abs(y).max())
    crest = np.abs(y).max() / rms if rms else 0
    assert abs(block.crest_q8 / 256 - crest) < 0.003 + crest / 128 / max(rms, 1)
    signs = np.sign(y[y != 0])
    assert block.crossings == (np.diff(signs) != 0).sum()


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.int16, st.integers(1, 200), elements=st.integers(-16000, 16000)))
def test_without_dc(x):
    block = BlockStats()
    block.run(shorts(x))
    mean = block.mean
    block.run(shorts(x), zero=mean)
    wanted = np.sqrt(((x - float(mean)) ** 2).mean())
    assert abs(block.rms_q8 / 256 - wanted) < 1 / 128
    assert block.peak == np.abs(x.astype(int) - mean).max()


def test_crossings_with_a_dead_band():
    block = BlockStats()
    block.run(shorts([0, 5, -5, 5, 11, -9, -10, -11, 30, 3, -30]), level=10)
    assert block.crossings == 3


def test_longest_loudest_block():
    block = BlockStats()
    block.run(shorts(np.full(32767, -32768)))
    assert (block.mean, block.rms_q8, block.crest_q8) == (-32768, 32767 * 256, 256)


@pytest.mark.parametrize("value", [0, 1, 2, 3, 4, 1000003, (1 << 30) - 1])
def test_root(value):
    for bits in (0, 4, 8):
        assert root(value, 0, bits) == int(np.floor(np.sqrt(float(value)) * (1 << bits)))
    assert root(2, 0b1000, 2) == int(np.sqrt(2.5) * 4)


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.int16, st.integers(12, 100), elements=st.integers(-32767, 32767)))
def test_autocorrelation_equals_numpy(x):
    auto = Autocorrelation(10)
    auto.run(shorts(x))
    y = x.astype(np.int64)
    wanted = np.correlate(y, y, "full")[len(x) - 1 : len(x) + 9]
    assert np.array_equal(np.array(auto.out), wanted >> auto.shift)
    assert auto.out[0] < 1 << 21
    assert not auto.shift or auto.out[0] >= 1 << 20


@pytest.mark.parametrize("period", [37.3, 62.6, 100.25])
def test_period_of_a_noisy_tone(period):
    """A tone of 9 dB over the noise: its period within one percent."""
    rng = np.random.default_rng(int(period))
    x = 3000 + 2000 * np.sin(2 * np.pi * np.arange(4000) / period) + rng.normal(0, 500, 4000)
    auto = Autocorrelation(150)
    auto.run(shorts(np.round(x).astype(int)), zero=3000)
    assert abs(auto.lag_q8(20) / 256 / period - 1) < 0.01


def test_lag_of_a_slope_is_its_end():
    auto = Autocorrelation(4)
    auto.run(shorts([1000] * 30))
    assert auto.lag_q8(1) == 256
    assert auto.lag_q8(2, 3) == 2 * 256


PEAKS = hnp.arrays(np.int16, st.integers(0, 120), elements=st.integers(-40, 40))


@settings(max_examples=150, deadline=None)
@given(PEAKS, st.sampled_from([None, -20, 0, 15]), st.integers(0, 30), st.booleans())
def test_peaks_equal_scipy(x, height, prominence, wide):
    finder = Peaks(60, height=height, prominence=prominence, wide=wide)
    values = array.array("i", (x.astype(int) << 22).tolist()) if wide else shorts(x)
    if wide:
        finder.height = None if height is None else height << 22
        finder.prominence = prominence << 22
    count = finder.find(values)
    wanted, _ = find_peaks(x.astype(int), height=height, prominence=prominence)
    assert list(finder.at[:count]) == wanted.tolist()
    assert finder.dropped == 0


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(60)), st.integers(2, 20), st.integers(0, 20))
def test_distance_as_scipy(x, distance, prominence):
    """Without equal heights: among those SciPy's order is that of its sort."""
    finder = Peaks(30, distance=distance, prominence=prominence)
    count = finder.find(shorts(x))
    wanted, _ = find_peaks(x, distance=distance, prominence=prominence)
    assert list(finder.at[:count]) == wanted.tolist()


def test_room_for_peaks():
    finder = Peaks(3)
    assert finder.find(shorts([0, 1] * 6 + [0])) == 3
    assert (list(finder.at), finder.dropped) == ([1, 3, 5], 3)


def test_refuses():
    x = shorts([1, 2, 3])
    for wrong in (
        lambda: BlockStats().run(x, 4),
        lambda: BlockStats().run(shorts([])),
        lambda: BlockStats().run(x, level=-1),
        lambda: Autocorrelation(0),
        lambda: Autocorrelation(4).run(x),
        lambda: Autocorrelation(3).lag_q8(2, 1),
        lambda: Peaks(0),
        lambda: Peaks(3, distance=0),
        lambda: Peaks(3).find(x, 4),
    ):
        with pytest.raises(ConfigError):
            wrong()
