import json
import math
import subprocess
import sys

import larq as lq
import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.callbacks import (
    WEIGHT_METRICS,
    BinarizationMonitor,
    EstimatorScheduler,
)
from larq_irnet.diagnostics import (
    EpochHistogram,
    HistogramFile,
    KernelReader,
    dead_weights,
    snapshot,
    stuck_weights,
)
from larq_irnet.quantized_scope import quantized_scope
from larq_irnet.quantizers import ReCU, recu_schedule

X = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
Y = (X[:, :1] > 0).astype(np.float32)


def network(method="irnet", width=12, eager=True):
    policy = tf.keras.mixed_precision.global_policy()
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Dense(width, input_shape=(8,)),
            irnet.layers.QuantDense(width, quantizer=method, name="binary"),
            tf.keras.layers.BatchNormalization(),
            tf.keras.layers.Dense(1, dtype=policy.variable_dtype),
        ]
    )
    # a few steps are not worth a graph
    model.compile(tf.keras.optimizers.Adam(0.05), "mse", run_eagerly=eager)
    return model


def fit(model, *callbacks, **options):
    options = {"epochs": 3, "batch_size": 32, "verbose": 0, "shuffle": False, **options}
    return model.fit(X, Y, callbacks=list(callbacks), **options).history


class Recorder(tf.keras.callbacks.Callback):
    """Measures by itself, and sees what the monitor has put into the logs."""

    def __init__(self, tau=0.99, threshold=0.01):
        super().__init__()
        self.tau, self.threshold = tau, threshold
        self.expected, self.seen = [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.before = snapshot(self.model)

    def on_epoch_end(self, epoch, logs=None):
        after = snapshot(self.model)
        stuck = stuck_weights(self.before, after, threshold=self.threshold)
        dead = dead_weights(after, tau=self.tau)
        self.expected.append((dead.total, stuck.total))
        self.seen.append((logs["dead_share"], logs["stuck_share"]))


@pytest.mark.parametrize("method", ["ste_sign", "irnet", "recu", "irnet_w1a32"])
def test_figures_of_each_epoch(method):
    recorder = Recorder(tau=0.85, threshold=0.2)
    history = fit(
        network(method), BinarizationMonitor(tau=0.85, threshold=0.2), recorder
    )
    assert recorder.seen == recorder.expected
    assert list(zip(history["dead_share"], history["stuck_share"])) == recorder.seen
    assert len(set(history["dead_share"])) > 1
    assert len(set(history["stuck_share"])) > 1
    assert all(0 < share < 1 for pair in recorder.seen for share in pair)


def test_resumed_training_has_the_same_figures_and_histograms(tmp_path):
    whole, parts = (HistogramFile(tmp_path / name) for name in ("whole", "parts"))
    expected = fit(
        network("recu"),
        EstimatorScheduler(total_epochs=4),
        BinarizationMonitor(on_histogram=whole.append),
        epochs=4,
    )
    tf.keras.utils.set_random_seed(1)
    model = network("recu")
    found: dict[str, list[float]] = {}
    for epochs in range(2), range(2, 4):
        history = fit(
            model,
            EstimatorScheduler(total_epochs=4),
            BinarizationMonitor(on_histogram=parts.append),
            initial_epoch=epochs.start,
            epochs=epochs.stop,
        )
        for name, values in history.items():
            found.setdefault(name, []).extend(values)
    assert found == expected
    assert parts.path.read_bytes() == whole.path.read_bytes()
    assert [one.epoch for one in whole.read()] == [0, 1, 2, 3]


def test_histograms_have_the_quantile_of_the_schedule():
    histograms: list[EpochHistogram] = []
    monitor = BinarizationMonitor(on_histogram=histograms.append)
    fit(network("recu"), EstimatorScheduler(), monitor, epochs=4)
    taus = [float(recu_schedule(epoch / 4)) for epoch in range(4)]
    # progress and schedule are float32
    assert [one.tau for one in histograms] == pytest.approx(taus, rel=1e-6)
    assert [sum(one.counts) + one.beyond for one in histograms] == [144] * 4


@pytest.mark.parametrize("method", ["ste_sign", "irnet"])
def test_histograms_of_methods_without_a_quantile_have_the_default(method):
    histograms: list[EpochHistogram] = []
    monitor = BinarizationMonitor(tau=0.9, on_histogram=histograms.append)
    fit(network(method), EstimatorScheduler(), monitor, epochs=2)
    assert [one.tau for one in histograms] == [0.9, 0.9]


def test_histograms_where_layers_have_different_quantiles():
    model = tf.keras.Sequential(
        [
            lq.layers.QuantDense(
                8, kernel_quantizer=ReCU(tau_min=tau), input_shape=(8,)
            )
            for tau in (0.8, 0.9)
        ]
        + [tf.keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse", run_eagerly=True)
    histograms: list[EpochHistogram] = []
    fit(model, BinarizationMonitor(on_histogram=histograms.append), epochs=1)
    assert histograms[0].tau == 0.99


@pytest.mark.parametrize("method", ["ste_sign", "recu"])
def test_a_quantized_scope_that_was_left_on_changes_nothing(method):
    expected = fit(network(method), BinarizationMonitor(), epochs=2)
    tf.keras.utils.set_random_seed(1)
    model = network(method)

    left_on = tf.keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: lq.context.quantized_scope(False).__enter__(),
        on_epoch_end=lambda *_: lq.context.quantized_scope(True).__enter__(),
    )
    with quantized_scope(False):
        history = fit(model, left_on, BinarizationMonitor(), epochs=2)
    assert history == expected


@pytest.mark.parametrize(
    "policy", ["mixed_float16", "mixed_bfloat16", "float64", "bfloat16"]
)
@pytest.mark.parametrize("method", ["ste_sign", "recu"])
def test_precisions(policy, method):
    tf.keras.mixed_precision.set_global_policy(policy)
    histograms: list[EpochHistogram] = []
    monitor = BinarizationMonitor(on_histogram=histograms.append)
    recorder = Recorder()
    fit(network(method), monitor, recorder)
    assert recorder.seen == recorder.expected
    assert all(0 <= share <= 1 for pair in recorder.seen for share in pair)
    (kernel,) = snapshot(recorder.model)
    assert (
        kernel.latent.dtype == tf.keras.mixed_precision.global_policy().variable_dtype
    )
    assert len(np.unique(np.abs(kernel.latent.astype(np.float64)))) > 20  # are latent


def test_weights_that_are_not_finite():
    model = network()
    model.get_layer("binary").kernel[0, 0].assign(math.nan)
    histograms: list[EpochHistogram] = []
    monitor = BinarizationMonitor(on_histogram=histograms.append)
    history = fit(model, monitor, epochs=1)
    assert math.isnan(history["dead_share"][0])
    assert math.isnan(history["stuck_share"][0])
    assert histograms[0].beyond == 144


def test_training_is_the_same_with_the_monitor():
    trained = []
    for callbacks in [], [BinarizationMonitor(on_histogram=lambda histogram: None)]:
        tf.keras.backend.clear_session()  # the same names
        tf.keras.utils.set_random_seed(1)
        with lq.context.metrics_scope(["flip_ratio"]):
            model = network(eager=False)
            history = fit(model, *callbacks)
        trained.append((model.get_weights(), history))
    (plain, plain_history), (watched, watched_history) = trained
    for one, other in zip(plain, watched, strict=True):
        np.testing.assert_array_equal(one, other)
    figures = set(WEIGHT_METRICS)
    assert {k: v for k, v in watched_history.items() if k not in figures} == (
        plain_history
    )
    assert any(name.startswith("flip_ratio") for name in plain_history)


def test_layers_that_are_not_built():
    model = tf.keras.Sequential([irnet.layers.QuantDense(1, quantizer="irnet")])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="layers that are built"):
        fit(model, BinarizationMonitor())


@pytest.mark.parametrize(
    "options, message",
    [
        ({"tau": 1.0}, r"`tau` within \[0.5, 1\), got 1.0"),
        ({"tau": 0.4}, r"`tau` within \[0.5, 1\), got 0.4"),
        ({"threshold": 0.0}, r"0 < `threshold` < infinity, got 0.0"),
    ],
)
def test_invalid_options(options, message):
    with pytest.raises(ValueError, match=message):
        BinarizationMonitor(**options)


def test_only_the_chief_makes_histograms(monkeypatch):
    strategy = type(tf.distribute.get_strategy().extended)
    monkeypatch.setattr(strategy, "should_checkpoint", False)
    called: list[EpochHistogram] = []
    history = fit(network(), BinarizationMonitor(on_histogram=called.append), epochs=1)
    assert "dead_share" in history
    assert called == []


MIRRORED = """
import larq_irnet as irnet
import json
import tensorflow as tf
from tests.larq_irnet.callbacks.test_binarization_monitor import fit, network

(cpu,) = tf.config.list_physical_devices("CPU")
virtual = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, virtual)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for policy in "float64", "mixed_float16":
    tf.keras.mixed_precision.set_global_policy(policy)
    tf.keras.utils.set_random_seed(2)
    taus = []
    monitor = irnet.callbacks.BinarizationMonitor(
        on_histogram=lambda histogram: taus.append(histogram.tau)
    )
    with strategy.scope():
        model = network("recu", eager=False)
    history = fit(model, irnet.callbacks.EstimatorScheduler(), monitor)
    print(json.dumps([history["dead_share"], history["stuck_share"], taus]))
"""


def test_mirrored_strategy():
    # virtual devices have to be there before TensorFlow starts
    process = subprocess.run(
        [sys.executable, "-c", MIRRORED], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    expected = [float(recu_schedule(epoch / 3)) for epoch in range(3)]
    for line in process.stdout.splitlines()[-2:]:
        dead, stuck, taus = json.loads(line)
        assert len(dead) == len(stuck) == 3
        assert all(0 <= share <= 1 for share in dead + stuck)
        # the search for the loss scale of float16 skips steps at first
        assert 0 < stuck[-1] < 1
        # schedules are computed in float32 or float64
        assert taus == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "metrics, is_needed",
    [
        (["activation_entropy", "weight_gradient_share"], False),
        (["activation_entropy", "flip_ratio"], True),
    ],
)
def test_weights_are_read_where_something_is_made_of_them(
    metrics, is_needed, monkeypatch
):
    read, reads = KernelReader.snapshots, []

    def counted(reader):
        reads.append(reader)
        return read(reader)

    monkeypatch.setattr(KernelReader, "snapshots", counted)
    history = fit(network(), BinarizationMonitor(metrics=metrics, inputs=X), epochs=2)
    assert "activation_entropy" in history
    assert len(reads) == (3 if is_needed else 0)
