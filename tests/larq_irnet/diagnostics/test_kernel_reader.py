import larq as lq
import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.callbacks import set_progress
from larq_irnet.diagnostics import KernelReader, binary_kernels
from larq_irnet.quantized_scope import quantized_scope


def network(*methods):
    model = tf.keras.Sequential([tf.keras.Input((8,))])
    for method in methods:
        model.add(irnet.layers.QuantDense(6, quantizer=method, use_bias=False))
    return model


def assert_same(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        assert (one.name, one.filter_axes, one.centered) == (
            other.name,
            other.filter_axes,
            other.centered,
        )
        np.testing.assert_array_equal(one.latent, other.latent)
        np.testing.assert_array_equal(one.signs, other.signs)


def test_results_are_those_of_each_kernel_at_any_time():
    model = network("ste_sign", "irnet", "recu", "dirnet")
    kernels = binary_kernels(model)
    reader = KernelReader(kernels)
    for progress in 0.0, 1.0:  # the second time nothing is traced
        set_progress(model, progress)
        with quantized_scope(progress == 1.0):
            snapshots = reader.snapshots()
            shares = reader.surrogate_shares(probes=5, seed=3)
        assert_same(snapshots, [kernel.snapshot() for kernel in kernels])
        assert shares == [one.surrogate_share(probes=5, seed=3) for one in kernels]
        model.set_weights([-weights for weights in model.get_weights()])
    assert 0 < min(shares) < 1


def test_schedules_follow_progress():
    model = network("ste_sign", "irnet", "recu")
    reader = KernelReader(binary_kernels(model))
    for progress, tau in (0.0, 0.85), (1.0, 0.99):
        set_progress(model, progress)
        plain, ede, recu = reader.schedules()
        assert plain == {}
        assert set(ede) == {"t", "k"}
        assert recu == pytest.approx({"tau": tau})


@pytest.mark.parametrize("method", ["ste_sign", "irnet"])
def test_no_flips_are_counted(method):
    with lq.context.metrics_scope(["flip_ratio"]):
        model = network(method)
    model(tf.ones((2, 8)))
    flips = model.layers[0].kernel_quantizer.flip_ratio
    reader = KernelReader(binary_kernels(model))
    for _ in range(2):
        model.set_weights([-weights for weights in model.get_weights()])
        reader.snapshots()
        reader.surrogate_shares()
    assert float(flips.count) == 1.0
    assert model.layers[0].kernel_quantizer.flip_ratio is flips  # put back
    model(tf.ones((2, 8)))
    assert float(flips.count) == 2.0
