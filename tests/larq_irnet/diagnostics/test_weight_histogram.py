import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.diagnostics import (
    dead_weights,
    epoch_histogram,
    snapshot,
    standardized_weights,
)


@pytest.fixture
def model():
    network = tf.keras.Sequential(
        [
            irnet.layers.QuantDense(9, quantizer="recu", input_shape=(300,)),
            irnet.layers.QuantDense(50, quantizer="recu", use_bias=False),
        ]
    )
    generator = np.random.default_rng(0)
    for layer in network.layers:
        layer.kernel.assign(generator.standard_t(4, size=layer.kernel.shape))
    return network


def test_all_weights_are_counted_once(model):
    histogram = epoch_histogram(snapshot(model), epoch=3, tau=0.9)
    assert (histogram.epoch, histogram.tau) == (3, 0.9)
    assert sum(histogram.counts) + histogram.beyond == 300 * 9 + 9 * 50
    assert histogram.beyond > 0


def test_counts_agree_with_the_weights(model):
    histogram = epoch_histogram(snapshot(model), epoch=0, tau=0.9)
    weights = np.concatenate(
        [standardized_weights(layer.kernel.numpy()).ravel() for layer in model.layers]
    )
    edges = np.linspace(-histogram.reach, histogram.reach, len(histogram.counts) + 1)
    for count, low, high in zip(histogram.counts, edges, edges[1:]):
        assert count == np.sum((low <= weights) & (weights < high))


def test_dead_weights_are_what_lies_outside_the_quantile(model):
    tau = 1 - np.exp(-2.0) / 2  # whose quantile is 2, on the edge of a bin
    histogram = epoch_histogram(snapshot(model), epoch=0, tau=tau)
    counts = np.array(histogram.counts)
    edges = np.linspace(-histogram.reach, histogram.reach, len(counts) + 1)
    inside = counts[(edges[:-1] >= -2) & (edges[1:] <= 2)].sum()
    share = dead_weights(snapshot(model), tau=tau).total
    assert share == pytest.approx(1 - inside / 3150, rel=1e-12)  # sums of float64


def test_weights_that_are_not_finite_are_beyond(model):
    kernel = model.layers[1].kernel
    kernel[0, 0].assign(np.nan)
    histogram = epoch_histogram(snapshot(model), epoch=0, tau=0.9)
    assert histogram.beyond >= 450  # the whole layer
