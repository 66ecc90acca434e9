"""prune: channels really leave, zeros stay zero, tuning wins accuracy back on real digits."""

from dataclasses import replace

import digits
import numpy as np
import pytest
from float_models import conv_net, every_op

from hedgerow.convert.graph import Graph
from hedgerow.errors import UsageError
from hedgerow.train.channels import Channels, trace, without
from hedgerow.train.fit import Schedule, cross_entropy, fit
from hedgerow.train.float_ops import LAYERS, run_float
from hedgerow.train.graph_builder import GraphBuilder
from hedgerow.train.prune import prune_channels, prune_weights
from hedgerow.train.ptq import Pruning, layer_weights, quantize


def silenced(graph: Graph, channels: Channels, names: set[int]) -> Graph:
    """The graph with the rows that make these channels, and all biases, at 0."""
    tensors = list(graph.tensors)
    for number, op in enumerate(graph.ops):
        if op.kind not in LAYERS:
            continue
        _, weights, bias = LAYERS[op.kind]
        data = tensors[op.inputs[weights]].data.copy()
        rows = [r for n in names for o, r in channels.makers[n] if o == number]
        data[rows] = 0
        tensors[op.inputs[weights]] = replace(tensors[op.inputs[weights]], data=data)
        if len(op.inputs) > bias and op.inputs[bias] != -1:
            tensor = tensors[op.inputs[bias]]
            tensors[op.inputs[bias]] = replace(tensor, data=np.zeros_like(tensor.data))
    return replace(graph, tensors=tuple(tensors))


@pytest.mark.parametrize("make", [conv_net, every_op, lambda _: digits.small_net(6)])
def test_taking_out_channels_that_are_0_changes_nothing(make) -> None:
    graph = make(np.random.default_rng(0))
    channels = trace(graph)
    names = set([n for n in channels.makers if n not in channels.kept][::2])
    assert names
    quiet = silenced(graph, channels, names)
    x = np.random.default_rng(1).standard_normal((4, *graph.tensors[graph.input].shape[1:]))
    x = x.astype(np.float32)
    small = without(quiet, channels, names)
    np.testing.assert_allclose(run_float(small, x), run_float(quiet, x), atol=2e-6)
    assert sum(w.size for w in layer_weights(small)) < sum(w.size for w in layer_weights(graph))


def test_what_an_add_ties_together_leaves_together() -> None:
    rng, b = np.random.default_rng(0), GraphBuilder()
    x = b.computed("x", (1, 4))
    layers = [
        b.op("FULLY_CONNECTED", [x, b.constant(n, rng.standard_normal((8, 4)))], (1, 8))
        for n in ("left", "right")
    ]
    y = b.op("ADD", layers, (1, 8))
    y = b.op("FULLY_CONNECTED", [y, b.constant("last", rng.standard_normal((3, 8)))], (1, 3))
    small = prune_channels(b.finish(x, y), 0.5)
    assert [w.shape for w in layer_weights(small)] == [(4, 4), (4, 4), (3, 4)]


def test_input_and_output_keep_their_channels() -> None:
    graph = conv_net(np.random.default_rng(0))
    small = prune_channels(graph, 0.9)
    for index in (graph.input, graph.output):
        assert small.tensors[index].shape == graph.tensors[index].shape


def test_half_of_the_weights_become_0() -> None:
    weights = layer_weights(prune_weights(digits.small_net(8), 0.5))
    share = sum(int((w == 0).sum()) for w in weights) / sum(w.size for w in weights)
    assert share == pytest.approx(0.5, abs=0.001)
    assert all((w != 0).any() for w in weights)


def test_tuning_keeps_zeros() -> None:
    x, y, _, _ = digits.data()
    graph = prune_weights(digits.small_net(4), 0.6)
    tuned = fit(graph, x[:200], cross_entropy(y[:200]), Schedule(epochs=2))
    for before, after in zip(layer_weights(graph), layer_weights(tuned), strict=True):
        assert (after[before == 0] == 0).all()
        assert (after[before != 0] != before[before != 0]).any()


@pytest.mark.parametrize(
    ("pruning", "lost"),
    [(Pruning(channels=0.25, epochs=6), 0.03), (Pruning(weights=0.5, epochs=6), 0.02)],
)
def test_digits_keep_their_accuracy(pruning: Pruning, lost: float) -> None:
    """int8 after pruning and tuning against the float net; scored on samples not tuned on."""
    x, y, _, _ = digits.data()
    report = quantize(digits.trained_net(), x, labels=y, pruning=pruning).report
    assert report.pruned_accuracy is not None
    assert report.int8_accuracy >= report.float_accuracy - lost
    left = report.weights - report.zero_weights
    assert left < 0.7 * report.float_weights


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_that_cannot_be_is_named(share: float) -> None:
    for prune in (prune_weights, prune_channels):
        with pytest.raises(UsageError, match="cannot be pruned"):
            prune(digits.small_net(2), share)


def test_tuning_without_labels_is_named() -> None:
    x, _, _, _ = digits.data()
    with pytest.raises(UsageError, match="needs labels"):
        quantize(digits.small_net(2), x, pruning=Pruning(weights=0.5, epochs=1))
