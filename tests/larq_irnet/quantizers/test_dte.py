import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import larq_irnet as irnet
from larq_irnet.quantizers import (
    IMB,
    DTESign,
    dte_constants,
    dte_sign,
    ede_schedule,
    ede_sign,
)
from tests.larq_irnet import dirnet_oracle, oracle
from tests.larq_irnet.differentiation import MODES, value_and_gradient
from tests.larq_irnet.python_process import run_python

# Rounding of tanh and of three products; in float64 what the project promises.
TOLERANCES = {"float64": 1e-9, "float32": 1e-5, "float16": 1e-2, "bfloat16": 8e-2}

seeds = st.integers(0, 2**32 - 1)
epsilons = st.floats(0.01, 1.0)
bands = st.floats(0.2, 3.0)

DISTRIBUTIONS = {
    "gaussian": lambda rng, size: rng.normal(size=size),
    "laplace": lambda rng, size: rng.laplace(size=size),
    "uniform": lambda rng, size: rng.uniform(-1, 1, size),
    "heavy-tailed": lambda rng, size: rng.standard_cauchy(size),
}
every_distribution = pytest.mark.parametrize("distribution", DISTRIBUTIONS)


@every_distribution
@given(st.data(), seeds)
def test_share_with_gradient_is_at_least_epsilon_at_every_progress(
    distribution, data, seed
):
    rng = np.random.default_rng(seed)
    epsilon, band = data.draw(epsilons), data.draw(bands)
    progress = data.draw(st.floats(0.0, 1.0))
    scale = 10.0 ** data.draw(st.floats(-3, 3))
    shift = data.draw(st.floats(-2, 2))
    x = scale * (
        shift + DISTRIBUTIONS[distribution](rng, data.draw(st.integers(1, 99)))
    )
    t, _ = ede_schedule(tf.constant(progress, tf.float64), 0.1, 100.0)
    _, dx = value_and_gradient(
        lambda x: dte_sign(x, t, epsilon=epsilon, band=band), x, np.ones_like(x)
    )
    _, peak = value_and_gradient(
        lambda x: ede_sign(x, *dte_constants(x, t, epsilon=epsilon, band=band)),
        np.zeros_like(x),
        np.ones_like(x),
    )
    # An element keeps gradient if it has the least of the band, 1 - tanh(band)^2 of
    # a peak that is at least one; the element at its edge may be off by roundings.
    peak = max(1.0, min(peak.max(), t.numpy()))
    keeps = dx >= (1.0 - np.tanh(band) ** 2) * (1 - 1e-9)
    assert keeps.mean() >= epsilon


@every_distribution
def test_cap_binds_where_ede_would_leave_fewer(distribution):
    # so that the property above does not hold of EDE itself
    x = 30.0 * DISTRIBUTIONS[distribution](np.random.default_rng(0), 1000)
    _, ede = value_and_gradient(lambda x: ede_sign(x, 10.0, 1.0), x, np.ones_like(x))
    _, dte = value_and_gradient(lambda x: dte_sign(x, 10.0), x, np.ones_like(x))
    least = 1.0 - np.tanh(1.0) ** 2
    assert (ede >= least).mean() < 0.1 <= (dte >= least - 1e-9).mean()


@pytest.mark.parametrize("dtype", TOLERANCES)
@given(st.data(), seeds, epsilons, bands, st.floats(1e-2, 30.0))
def test_signs_and_gradient_agree_with_the_oracle(dtype, data, seed, epsilon, band, t):
    rng = np.random.default_rng(seed)
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=4, max_side=5))
    x, dy = (tf.cast(rng.normal(0, 2, shape), dtype) for _ in range(2))
    y, dx = value_and_gradient(
        lambda x: dte_sign(x, tf.constant(t, tf.float64), epsilon=epsilon, band=band),
        x,
        dy,
    )
    x, dy = (np.float64(v) for v in (x, dy))
    assert y.dtype == dx.dtype == tf.as_dtype(dtype).as_numpy_dtype
    np.testing.assert_array_equal(np.float64(y), np.where(x < 0, -1.0, 1.0))
    expected = dirnet_oracle.dte_gradient(x, dy, t, epsilon, band)
    # half precision rounds t * x as well: the error grows with the slope, at most t
    tolerance = TOLERANCES[dtype] * max(t, 1.0) * np.abs(dy).max() * 2
    np.testing.assert_allclose(np.float64(dx), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("t", [0.5, 10.0], ids=["free", "capped"])
def test_all_modes_agree(mode, t):
    rng = np.random.default_rng(0)
    x, dy = rng.normal(0, 3, (2, 5, 7))
    _, dx = value_and_gradient(lambda x: dte_sign(x, t), x, dy, mode)
    # one minus a square that is almost one, relative to a peak of at most t
    np.testing.assert_allclose(
        dx, dirnet_oracle.dte_gradient(x, dy, t, 0.1, 1.0), rtol=1e-9, atol=1e-12
    )


def test_cap_is_below_the_schedule_for_wide_data_only():
    x = np.random.default_rng(0).normal(size=100_000)
    t, k = dte_constants(tf.constant(x), 10.0)
    # a tenth of a Gaussian lies within 0.12566 deviations
    assert float(t) == pytest.approx(1 / 0.12566, rel=0.02)
    assert float(k) == 1.0
    t, k = dte_constants(tf.constant(0.1 * x), 10.0)
    assert (float(t), float(k)) == (10.0, 1.0)
    t, k = dte_constants(tf.constant(100.0 * x), 10.0)
    assert float(k * t) == pytest.approx(1.0)  # as EDE below t = 1
    assert float(t) == pytest.approx(0.01 / 0.12566, rel=0.02)


def test_no_gradient_flows_to_the_constants():
    t, x = tf.constant(0.5), tf.constant([0.1, -0.2])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([t, x])
        y = dte_sign(x, t)
    assert tape.gradient(y, t) is None
    assert tape.gradient(y, x) is not None


@pytest.mark.parametrize("epsilon", [0.0, -0.1, 1.1, float("nan")])
def test_bad_epsilon(epsilon):
    for make in (lambda: DTESign(epsilon=epsilon), lambda: IMB(epsilon=epsilon)):
        with pytest.raises(ValueError, match=r"Expected 0 < `epsilon` <= 1, got"):
            make()
    with pytest.raises(ValueError, match=r"Expected 0 < `epsilon` <= 1, got"):
        dte_sign(tf.ones(3), epsilon=epsilon)


@pytest.mark.parametrize("band", [0.0, -1.0, float("inf"), float("nan")])
def test_bad_band(band):
    with pytest.raises(ValueError, match=r"Expected 0 < `band` < infinity, got"):
        DTESign(band=band)


@pytest.mark.parametrize("momentum", [-0.1, 1.0, float("nan")])
def test_bad_momentum(momentum):
    with pytest.raises(ValueError, match=r"Expected 0 <= `momentum` < 1, got"):
        DTESign(momentum=momentum)


@pytest.mark.parametrize("progress", [0.0, 0.6, 1.0])
def test_quantizer_follows_its_progress(progress):
    quantizer = DTESign(t_min=0.05, t_max=50.0, epsilon=0.4)
    quantizer.progress.assign(progress)
    x = np.linspace(-3, 3, 13, dtype=np.float32)
    y, dx = value_and_gradient(quantizer, x, np.ones_like(x))
    t, _ = oracle.ede_schedule(progress, 0.05, 50.0)
    np.testing.assert_array_equal(y, np.where(x < 0, -1.0, 1.0))
    # rounding of exp in t, enlarged by t * x <= 15, then of tanh
    expected = dirnet_oracle.dte_gradient(np.float64(x), 1.0, t, 0.4, 1.0)
    np.testing.assert_allclose(dx, expected, atol=1e-5)


def _trained_on(quantizer, *batches):
    for batch in batches:
        quantizer(tf.constant(batch), training=True)
    return float(quantizer.moving_quantile)


def test_moving_quantile_follows_the_batches_of_the_training():
    quantizer = DTESign(moving=True, momentum=0.75, epsilon=0.5)
    assert float(quantizer.moving_quantile) == -1.0
    assert (
        _trained_on(quantizer, [-4.0, 1.0, 9.0, 2.0]) == 2.0
    )  # the first counts whole
    assert _trained_on(quantizer, [-6.0, 8.0, 9.0, -5.0]) == 0.75 * 2.0 + 0.25 * 6.0
    quantizer(tf.constant([100.0]), training=False)
    quantizer(tf.constant([100.0]))
    assert float(quantizer.moving_quantile) == 3.0


def test_gradient_is_capped_by_the_moving_quantile():
    quantizer = DTESign(moving=True, momentum=0.0, epsilon=0.5)
    quantizer.progress.assign(1.0)
    _trained_on(quantizer, [4.0, -4.0])
    x = np.array([-0.1, 0.2, 3.0], np.float32)
    _, dx = value_and_gradient(quantizer, x, np.ones_like(x))
    # float32 tanh, near one
    np.testing.assert_allclose(dx, oracle.ede_gradient(x, 1.0, 0.25, 4.0), atol=1e-6)


def test_without_moving_nothing_is_followed():
    quantizer = DTESign()
    assert _trained_on(quantizer, [4.0, -4.0]) == -1.0


def test_moving_quantile_is_hidden_from_weights_and_kept_in_checkpoints(tmp_path):
    quantizer = DTESign(moving=True)
    _trained_on(quantizer, [4.0, -4.0])
    assert quantizer.weights == []
    tf.train.Checkpoint(quantizer=quantizer).write(str(tmp_path / "checkpoint"))
    restored = DTESign(moving=True)
    checkpoint = tf.train.Checkpoint(quantizer=restored)
    checkpoint.read(str(tmp_path / "checkpoint")).assert_consumed()
    assert float(restored.moving_quantile) == 4.0


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "jit"])
def test_moving_quantile_follows_within_fit(jit_compile):
    quantizer = DTESign(moving=True, momentum=0.5)
    layer = irnet.layers.QuantDense(2, quantizer="dirnet", input_quantizer=quantizer)
    model = tf.keras.Sequential([tf.keras.Input((4,)), layer])
    model.compile("sgd", "mse", jit_compile=jit_compile)
    x = np.full((8, 4), 3.0, np.float32)
    model.predict(x, verbose=0)
    assert float(quantizer.moving_quantile) == -1.0
    model.fit(x, np.zeros((8, 2)), verbose=0)
    assert float(quantizer.moving_quantile) == 3.0


MIRRORED = """
from larq_irnet.quantizers import DTESign
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [half, half])
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    quantizer = DTESign(moving=True, momentum=0.0)
inputs = strategy.experimental_distribute_values_from_function(
    lambda context: tf.fill([4], 2.0 + 4.0 * context.replica_id_in_sync_group)
)
strategy.run(tf.function(lambda x: quantizer(x, training=True)), args=(inputs,))
assert float(quantizer.moving_quantile.read_value()) == 4.0
"""


def test_replicas_average_the_moving_quantile():
    process = run_python(MIRRORED)
    assert process.returncode == 0, process.stderr
