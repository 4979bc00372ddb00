import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given

import larq_irnet as irnet
from larq_irnet.diagnostics import flip_ratio, flipped_weights, snapshot

signs = hnp.arrays(np.int8, (3, 7), elements=st.sampled_from([-1, 1]))


@given(signs, signs)
def test_it_counts_what_differs(before, after):
    assert flip_ratio(before, after) == pytest.approx(np.mean(before != after))
    assert flip_ratio(before, after) == flip_ratio(after, before)
    assert flip_ratio(before, -before) == 1
    # as scaled signs, which are no integers
    assert flip_ratio(before * 0.125, after * 0.5) == flip_ratio(before, after)


def test_nan_and_shapes():
    assert np.isnan(flip_ratio(np.array([1, np.nan]), np.array([1, 1])))
    with pytest.raises(ValueError, match=r"one shape, got \(2,\) and \(3,\)"):
        flip_ratio(np.ones(2), np.ones(3))


def test_by_layer():
    model = tf.keras.Sequential(
        [
            irnet.layers.QuantDense(
                4, quantizer="ste_sign", input_shape=(5,), name="a"
            ),
            irnet.layers.QuantDense(2, quantizer="irnet", name="b"),
        ]
    )
    before = snapshot(model)
    kernel = model.get_layer("a").kernel
    flipped = before[0].latent.copy()
    flipped[:2] *= -1
    kernel.assign(flipped)
    share = flipped_weights(before, snapshot(model))
    assert [(one.layer, one.share) for one in share.layers] == [("a", 0.4), ("b", 0)]
    assert share.total == pytest.approx(8 / 28)
    with pytest.raises(ValueError, match="snapshots of one model"):
        flipped_weights(before, before[:1])
