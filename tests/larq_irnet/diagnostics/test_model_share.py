import math

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.diagnostics import (
    LayerShare,
    ModelShare,
    dead_share,
    dead_weights,
    snapshot,
    stuck_weights,
)


def model(method="irnet"):
    return tf.keras.Sequential(
        [
            tf.keras.layers.Dense(6, input_shape=(50,)),
            irnet.layers.QuantDense(40, quantizer=method, name="large"),
            irnet.layers.QuantDense(2, quantizer=method, name="small"),
        ]
    )


def test_total_is_weighted_by_the_number_of_weights():
    share = ModelShare((LayerShare("a", 300, 0.1), LayerShare("b", 100, 0.5)))
    assert share.total == pytest.approx(0.2)


def test_total_of_no_layers():
    assert math.isnan(ModelShare(()).total)
    assert dead_weights([]).layers == stuck_weights([], []).layers == ()


def test_a_layer_that_is_nan_makes_the_total_nan():
    assert math.isnan(ModelShare((LayerShare("a", 3, math.nan),)).total)


def test_dead_weights_by_layer():
    network = model()
    shares = dead_weights(snapshot(network), tau=0.85)
    large, small = (network.get_layer(name) for name in ("large", "small"))
    assert shares.layers == (
        LayerShare("large", 240, dead_share(large.get_weights()[0], tau=0.85)),
        LayerShare("small", 80, dead_share(small.get_weights()[0], tau=0.85)),
    )
    dead = 240 * shares.layers[0].share + 80 * shares.layers[1].share
    assert shares.total == pytest.approx(dead / 320)
    assert 0 < shares.total < 1


@pytest.mark.parametrize("method, expected", [("ste_sign", 79 / 80), ("recu", 0.975)])
def test_stuck_weights_count_the_signs_of_the_quantizer(method, expected):
    network = model(method)
    small = network.get_layer("small")
    # the mean of the first filter is 0.5: its small weights are close to the threshold
    kernel = np.tile([[1.0, -1.0]], (40, 1))
    kernel[20:, 0], kernel[0, 0] = 0.0, 0.5
    small.set_weights([kernel, np.zeros(2)])
    before = snapshot(network)
    kernel[1, 0] = 11.0  # brings the mean to 0.74: the 0.5 is below it now
    small.set_weights([kernel, np.zeros(2)])
    large, changed = stuck_weights(before, snapshot(network)).layers
    assert large == LayerShare("large", 240, 1.0)
    assert changed == LayerShare("small", 80, expected)


def test_snapshots_of_different_models():
    kernels = snapshot(model())
    with pytest.raises(ValueError, match=r"\['large', 'small'\] and \['large'\]"):
        stuck_weights(kernels, kernels[:1])
