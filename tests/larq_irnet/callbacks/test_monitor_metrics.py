"""What the monitor measures beyond dead weights, and where it writes it."""

import json
import subprocess
import sys

import larq as lq
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.summary.summary_iterator import summary_iterator

import larq_irnet as irnet
from larq_irnet.callbacks import (
    BATCH_METRICS,
    METRICS,
    WEIGHT_METRICS,
    BinarizationMonitor,
    EstimatorScheduler,
    FigureFile,
)
from larq_irnet.diagnostics import (
    BinaryInputs,
    binary_entropy,
    flipped_weights,
    gradient_cosine,
    quantization_error,
    snapshot,
    weight_entropy,
)

X = np.random.default_rng(0).normal(size=(64, 6, 6, 2)).astype(np.float32)
Y = (X[:, 0, 0, 0] > 0).astype(np.int64)
LOSS = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def network(method="irnet", eager=True):
    policy = tf.keras.mixed_precision.global_policy()
    quantized = irnet.layers.QuantConv2D
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Conv2D(4, 3, input_shape=(6, 6, 2)),
            tf.keras.layers.BatchNormalization(),
            quantized(6, 3, quantizer=method, padding="same", name="first"),
            tf.keras.layers.BatchNormalization(),
            tf.keras.layers.Dropout(0.2),
            quantized(3, 3, quantizer=method, name="second"),
            tf.keras.layers.BatchNormalization(),
            tf.keras.layers.GlobalAveragePooling2D(),
            tf.keras.layers.Dense(2, dtype=policy.variable_dtype),
        ]
    )
    model.compile(tf.keras.optimizers.Adam(0.05), LOSS, run_eagerly=eager)
    return model


def fit(model, *callbacks, **options):
    options = {"epochs": 2, "batch_size": 32, "verbose": 0, "shuffle": False, **options}
    return model.fit(X, Y, callbacks=list(callbacks), **options).history


def monitor(**options):
    batch = {"inputs": X[:32], "labels": Y[:32], "batch_epochs": 1, "directions": 2}
    options = {**batch, **options}
    return BinarizationMonitor(**{"cosine_epochs": options["batch_epochs"], **options})


def events(folder):
    """Step, tag and tensor of all that TensorBoard would show."""
    return [
        (event.step, value.tag, tf.make_ndarray(value.tensor))
        for path in sorted(folder.iterdir())
        for event in summary_iterator(str(path))
        for value in event.summary.value
    ]


class Recorder(tf.keras.callbacks.Callback):
    """Measures by itself, with the pure functions."""

    def __init__(self):
        super().__init__()
        self.expected = []

    def on_epoch_begin(self, epoch, logs=None):
        self.before = snapshot(self.model)

    def on_epoch_end(self, epoch, logs=None):
        after = snapshot(self.model)
        inputs = BinaryInputs(self.model).snapshot(X[:32], seed=epoch)
        channels = np.concatenate([one.positive for one in inputs])
        self.expected.append(
            {
                "flip_ratio": flipped_weights(self.before, after).total,
                "weight_entropy": np.mean(
                    np.concatenate([weight_entropy(one.signs) for one in after])
                ),
                "quantization_error": np.mean(
                    np.concatenate(
                        [
                            quantization_error(
                                one.latent, one.signs, centered=one.centered
                            )
                            for one in after
                        ]
                    )
                ),
                "activation_entropy": np.mean(binary_entropy(channels)),
                "activation_balance": np.mean(1 - np.abs(2 * channels - 1)),
                "activation_gradient_share": np.average(
                    [one.surrogate_share for one in inputs],
                    weights=[32 * 4 * 4 * 4, 32 * 4 * 4 * 6],
                ),
                "gradient_cosine": gradient_cosine(
                    self.model, X[:32], Y[:32], loss=LOSS, directions=2, seed=epoch
                ),
            }
        )


@pytest.mark.parametrize("method", ["ste_sign", "irnet", "recu"])
def test_figures_are_those_of_the_pure_functions(method):
    recorder = Recorder()
    history = fit(network(method), EstimatorScheduler(), monitor(), recorder)
    for epoch, expected in enumerate(recorder.expected):
        found = {name: history[name][epoch] for name in expected}
        assert found == pytest.approx(expected, rel=1e-9)
    assert set(METRICS) <= set(history)
    assert all(0 < share <= 1 for share in history["weight_gradient_share"])
    assert len(set(history["flip_ratio"])) > 1


def test_whether_filters_are_centred():
    for method, centered in {"ste_sign": False, "irnet": True, "recu": True}.items():
        assert {one.centered for one in snapshot(network(method))} == {centered}


def trained_weights(*callbacks, method, eager=False):
    tf.keras.backend.clear_session()  # the same names and seeds
    tf.keras.utils.set_random_seed(1)
    with lq.context.metrics_scope(["flip_ratio"]):
        model = network(method, eager=eager)
    history = fit(model, EstimatorScheduler(), *callbacks, epochs=3)
    return model.get_weights(), {
        name: values for name, values in history.items() if name not in METRICS
    }


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("method", ["recu", "dirnet"])
def test_training_is_the_same_to_the_last_bit(method, eager, tmp_path):
    plain, plain_history = trained_weights(method=method, eager=eager)
    everything = monitor(log_dir=tmp_path / "logs", csv_path=tmp_path / "figures.csv")
    watched, history = trained_weights(everything, method=method, eager=eager)
    for one, other in zip(plain, watched, strict=True):
        np.testing.assert_array_equal(one, other)
    assert history == plain_history
    assert any(name.startswith("flip_ratio/") for name in history)  # Larq's


def test_what_tensorboard_shows(tmp_path):
    history = fit(network(), monitor(log_dir=tmp_path, batch_epochs=2), epochs=3)
    found = events(tmp_path)
    scalars = {
        (step, tag): float(value) for step, tag, value in found if value.shape == ()
    }
    for name in METRICS:
        is_slow = name in BATCH_METRICS or name == "weight_gradient_share"
        steps = [0, 2] if is_slow else [0, 1, 2]
        shown = [scalars[step, f"binarization/{name}"] for step in steps]
        assert shown == pytest.approx(history[name], rel=1e-6)  # float32
        layers = {tag for _, tag in scalars if tag.startswith(f"{name}/")}
        by_layer = {f"{name}/first", f"{name}/second"}
        assert layers == (set() if name == "gradient_cosine" else by_layer)
    entropies = [scalars[1, f"weight_entropy/{one}"] for one in ("first", "second")]
    filters = np.array([6, 3])
    total = history["weight_entropy"][1]
    assert entropies @ filters / filters.sum() == pytest.approx(total, rel=1e-6)

    histograms = [
        (step, value) for step, tag, value in found if tag == "latent_weights/first"
    ]
    assert [step for step, _ in histograms] == [0, 2]
    assert histograms[0][1][:, 2].sum() == 3 * 3 * 4 * 6  # all weights are counted

    images = [(step, value) for step, tag, value in found if tag == "signs/first"]
    assert [step for step, _ in images] == [0, 2]
    width, height, png = images[0][1]
    assert (int(width), int(height)) == (4 * 4 - 1, 6 * 4 - 1)
    pixels = tf.io.decode_png(png).numpy()
    colours = {tuple(pixel) for pixel in pixels.reshape(-1, 3)}
    # white, black, lines, and what the first epoch has flipped either way
    drawn = {(235,) * 3, (40,) * 3, (120,) * 3, (255, 150, 40), (40, 110, 220)}
    assert colours == drawn


def test_histograms_and_images_can_be_left_out(tmp_path):
    options = {"log_dir": tmp_path, "histograms": False, "images": False}
    fit(network(), monitor(metrics=["weight_entropy"], **options), epochs=1)
    tags = {tag for _, tag, _ in events(tmp_path)}
    layers = {f"weight_entropy/{one}" for one in ("first", "second")}
    assert tags == {"binarization/weight_entropy", *layers}


@pytest.mark.parametrize("metric", METRICS)
def test_each_metric_alone_and_switched_off(metric):
    alone = fit(network(), monitor(metrics=[metric]), epochs=1)
    assert set(alone) == {"loss", metric}
    others = fit(network(), monitor(metrics={*METRICS} - {metric}), epochs=1)
    assert set(others) == {"loss", *METRICS} - {metric}


def test_what_the_arguments_allow():
    for one, expected in [
        (BinarizationMonitor(), WEIGHT_METRICS),
        (BinarizationMonitor(inputs=X[:8]), {*METRICS} - {"gradient_cosine"}),
        (BinarizationMonitor(inputs=X[:8], labels=Y[:8], directions=1), METRICS),
    ]:
        assert set(fit(network(), one, epochs=1)) == {"loss", *expected}
    weights_only = tf.keras.Sequential(
        [irnet.layers.QuantDense(2, quantizer="irnet_w1a32", input_shape=(6, 6, 2))]
        + [tf.keras.layers.GlobalAveragePooling2D()]
    )
    weights_only.compile("sgd", LOSS)
    assert set(fit(weights_only, monitor())) == {"loss", *WEIGHT_METRICS}


def test_a_resumed_run_has_the_same_figures(tmp_path):
    def run(path, *epochs):
        tf.keras.utils.set_random_seed(1)
        model = network()
        for first, last in zip((0, *epochs), epochs):
            scheduler = EstimatorScheduler(total_epochs=4)
            one = monitor(csv_path=path, batch_epochs=2)
            fit(model, scheduler, one, initial_epoch=first, epochs=last)
        return FigureFile(path).read()

    whole = run(tmp_path / "whole.csv", 4)
    assert run(tmp_path / "parts.csv", 1, 4) == whole
    assert {epoch for epoch, *_ in whole} == {0, 1, 2, 3}
    cosines = [row for row in whole if row[1] == "gradient_cosine"]
    assert [(epoch, layer) for epoch, _, layer, _ in cosines] == [(0, ""), (2, "")]
    # an epoch that a crash has cut off is run again
    with (tmp_path / "parts.csv").open("a") as file:
        file.write("4,weight_entropy,,0.5\n4,flip_ratio,fir")
    FigureFile(tmp_path / "parts.csv").forget_from(4)
    assert FigureFile(tmp_path / "parts.csv").read() == whole


@pytest.mark.parametrize("content", ["garbage\n", "epoch,metric,layer,value\n1,2\n"])
def test_files_with_something_else(content, tmp_path):
    path = tmp_path / "figures.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match="figures of binary layers in .*figures.csv"):
        fit(network(), monitor(csv_path=path))
    assert path.read_text() == content


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_precisions(policy):
    tf.keras.mixed_precision.set_global_policy(policy)
    dtype = "float64" if policy == "float64" else "float32"
    history = fit(network("recu"), monitor(inputs=X[:32].astype(dtype)), epochs=1)
    for name in METRICS:
        low = -1 if name == "gradient_cosine" else 0
        assert low <= history[name][0] <= 1


def test_wrappers_are_looked_into():
    student, teacher = network(), network("float")
    distiller = irnet.distillation.Distiller(student, teacher)
    distiller.compile("sgd", irnet.distillation.LogitMatching(), run_eagerly=True)
    history = fit(distiller, monitor(loss=LOSS), epochs=1)
    assert set(METRICS) <= set(history)
    with pytest.raises(ValueError, match="`loss` of labels .*'distiller'.* none of"):
        fit(distiller, monitor(), epochs=1)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"metrics": ["entropy"]}, r"`metrics` to be None or some of .*\['entropy'\]"),
        (
            {"metrics": "flip_ratio"},
            "`metrics` to be None or some of .*got 'flip_ratio'",
        ),
        ({"batch_epochs": 0}, "`batch_epochs` to be at least 1, got 0"),
        ({"cosine_epochs": 0}, "`cosine_epochs` to be at least 1, got 0"),
        ({"directions": 0}, "`directions` to be at least 1, got 0"),
        (
            {"metrics": ["gradient_cosine"], "inputs": X},
            r"`labels` of one batch for \['gradient_cosine'\], got None",
        ),
        (
            {"metrics": ["activation_entropy"]},
            r"`inputs` and `labels` of one batch for \['activation_entropy'\]",
        ),
    ],
)
def test_invalid_options(options, message):
    with pytest.raises(ValueError, match=message):
        BinarizationMonitor(**options)


def test_models_that_do_not_fit():
    plain = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(6, 6, 2))])
    plain.compile("sgd", LOSS)
    message = "with binary kernels and binary inputs of a layer to monitor, got 'seq"
    with pytest.raises(ValueError, match=message):
        fit(plain, BinarizationMonitor())
    weights_only = tf.keras.Sequential(
        [irnet.layers.QuantDense(2, quantizer="irnet_w1a32", input_shape=(6, 6, 2))]
    )
    weights_only.compile("sgd", LOSS)
    message = r"binary inputs of a layer to monitor for \['activation_entropy'\]"
    with pytest.raises(ValueError, match=message):
        fit(weights_only, monitor(metrics=["activation_entropy"]))


def test_without_tensorboard(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        BinarizationMonitor(log_dir=tmp_path)


MIRRORED = """
import json
import sys
import numpy as np
import tensorflow as tf
from larq_irnet.callbacks import EstimatorScheduler, METRICS
from tests.larq_irnet.callbacks.test_monitor_metrics import fit, monitor, network

(cpu,) = tf.config.list_physical_devices("CPU")
virtual = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, virtual)
tf.config.experimental.enable_op_determinism()
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for policy in "float32", "mixed_float16":
    tf.keras.mixed_precision.set_global_policy(policy)
    trained = []
    for watch in False, True:
        tf.keras.backend.clear_session()
        tf.keras.utils.set_random_seed(1)
        with strategy.scope():
            model = network("recu", eager=False)
        callbacks = [monitor(log_dir=sys.argv[1])] if watch else []
        history = fit(model, EstimatorScheduler(), *callbacks)
        trained.append(model.get_weights())
    same = all(map(np.array_equal, *trained))
    print(json.dumps([same, {name: history[name] for name in METRICS}]))
"""


def test_mirrored_strategy(tmp_path):
    # virtual devices have to be there before TensorFlow starts
    process = subprocess.run(
        [sys.executable, "-c", MIRRORED, str(tmp_path)], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    for line in process.stdout.splitlines()[-2:]:
        is_same, history = json.loads(line)
        assert is_same
        for name, values in history.items():
            assert len(values) == 2
            assert np.isfinite(values).all(), name
    assert len(events(tmp_path)) > 50


def test_layers_of_one_name_in_two_models_are_told_apart(tmp_path):
    def inner(units, kernel):
        dense = irnet.layers.QuantDense(
            units,
            quantizer="ste_sign",
            kernel_initializer=tf.keras.initializers.Constant(kernel),
            kernel_constraint=None,
            name="dense",
        )
        return tf.keras.Sequential([tf.keras.Input((4,)), dense], name=f"of{units}")

    half = np.array([[1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [-1.0, -1.0]])
    x = tf.keras.Input((4,))
    outputs = tf.keras.layers.Concatenate()(
        [inner(6, np.ones((4, 6)))(x), inner(2, half)(x)]
    )
    model = tf.keras.Model(x, outputs)
    model.compile(tf.keras.optimizers.SGD(0.0), "mse")
    inputs = np.array([[1.0, -1.0, 2.0, -2.0]], np.float32)
    monitor = BinarizationMonitor(inputs=inputs, csv_path=tmp_path / "figures.csv")
    history = model.fit(inputs, np.zeros((1, 8)), callbacks=[monitor], verbose=0)
    assert history.history["weight_entropy"] == pytest.approx([(6 * 0.0 + 2 * 1.0) / 8])
    rows = FigureFile(tmp_path / "figures.csv").read()
    found = {(m, layer): value for _, m, layer, value in rows}
    assert found["weight_entropy", "dense"] == pytest.approx(0.0)
    assert found["weight_entropy", "dense_1"] == pytest.approx(1.0)
    assert {("activation_balance", name) for name in ("dense", "dense_1")} <= {*found}


def test_the_share_of_activations_with_gradient_is_of_single_ones():
    x = tf.keras.Input((8,))
    wide = irnet.layers.QuantDense(2, quantizer="ste_sign", name="wide")(x)
    narrow = irnet.layers.QuantDense(1, quantizer="ste_sign", name="narrow")(wide * 9.0)
    model = tf.keras.Model(x, narrow)
    model.compile(tf.keras.optimizers.SGD(0.0), "mse")
    inputs = np.full((4, 8), 0.5, np.float32)  # all of them get gradient
    monitor = BinarizationMonitor(metrics=["activation_gradient_share"], inputs=inputs)
    history = model.fit(inputs, np.zeros((4, 1)), callbacks=[monitor], verbose=0)
    snapshots = BinaryInputs(model).snapshot(inputs)
    assert [one.values for one in snapshots] == [32, 8]
    narrow_share = snapshots[1].surrogate_share
    assert snapshots[0].surrogate_share == 1.0 and narrow_share < 1.0
    expected = (32 * 1.0 + 8 * narrow_share) / 40
    found = history.history["activation_gradient_share"]
    assert found == pytest.approx([expected])


class Hidden(tf.keras.Model):
    """Its layers are called by a graph that was made before anybody looks."""

    def __init__(self):
        super().__init__()
        self.dense = irnet.layers.QuantDense(2, quantizer="ste_sign")

    @tf.function
    def call(self, inputs):
        return self.dense(inputs)


def test_calls_that_cannot_be_seen_are_an_error_before_training(tmp_path):
    model = Hidden()
    x = np.ones((4, 3), np.float32)
    model(x)
    model.compile("sgd", "mse")
    before = model.get_weights()
    with pytest.raises(ValueError, match="saw none called. If a `tf.function`"):
        model.fit(x, x[:, :2], callbacks=[BinarizationMonitor(inputs=x)], verbose=0)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    weights_only = BinarizationMonitor()
    assert "dead_share" in model.fit(x, x[:, :2], callbacks=[weights_only]).history
    with pytest.raises(ValueError, match="`csv_path` in an existing folder"):
        BinarizationMonitor(csv_path=tmp_path / "nowhere" / "figures.csv")
