"""Training with a second pass of restricted images, whatever the model is."""

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.distillation import Distiller, LogitMatching, logit_matching
from larq_irnet.restriction import RestrictedTraining, attention_erase

CLASSES = 5
# `fit` makes float32 of NumPy arrays
IMAGES = np.random.default_rng(0).normal(size=(12, 6, 6, 2)).astype(np.float32)
LABELS = np.arange(12) % CLASSES


def network(seed=1, method="ir2net", **options):
    """A binary convolution between two in full precision, all normalised."""
    tf.keras.utils.set_random_seed(seed)
    layers = tf.keras.layers
    full_precision = tf.keras.mixed_precision.global_policy().variable_dtype
    return tf.keras.Sequential(
        [
            tf.keras.Input((6, 6, 2), dtype=full_precision),
            layers.Conv2D(4, 3, name="stem"),
            layers.BatchNormalization(name="stem_bn"),
            irnet.layers.QuantConv2D(4, 3, quantizer=method, name="binary"),
            layers.BatchNormalization(name="binary_bn", **options),
            layers.Flatten(name="flatten"),
            layers.Dense(CLASSES, dtype=full_precision, name="logits"),
        ],
        name="network",
    )


def loss_function():
    return tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def restricted(model=None, layer="binary_bn", *, compiled=None, **options):
    model = RestrictedTraining(model or network(), layer, **options)
    defaults = {"optimizer": "sgd", "loss": loss_function(), "metrics": ["accuracy"]}
    model.compile(**{**defaults, **(compiled or {})})
    return model


def fit(model, x=IMAGES, y=LABELS, **options):
    defaults = {"batch_size": 6, "epochs": 2, "shuffle": False, "verbose": 0}
    return model.fit(x, y, **{**defaults, **options}).history


def assert_same(ours, theirs):
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs):
        np.testing.assert_array_equal(one, other)


def step_by_hand(twin, *, rate, loss_of, statistics="both", **options):
    """One step on all images, by calls of the network alone."""
    features_of = tf.keras.Model(
        twin.input, (twin.output, twin.get_layer("binary_bn").output)
    )
    with tf.GradientTape() as tape:
        first, features = features_of(IMAGES, training=True)
        erased = attention_erase(tf.cast(IMAGES, first.dtype), features, **options)
        averages = [weight.numpy() for weight in twin.non_trainable_weights]
        second = twin(erased, training=True)
        loss = (loss_of(first) + loss_of(second)) / 2
    if statistics == "first":
        for weight, value in zip(twin.non_trainable_weights, averages):
            weight.assign(value)
    gradients = tape.gradient(loss, twin.trainable_variables)
    for weight, gradient in zip(twin.trainable_variables, gradients):
        weight.assign_sub(rate * gradient)
    return float(loss), np.mean(np.argmax(first, -1) == LABELS)


OPTIONS = [
    {},
    {"normalize": "image", "threshold": 0.6},
    {"fill": [0.5, -0.5]},
    {"statistics": "first"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_one_step_by_hand(options):
    tf.keras.mixed_precision.set_global_policy("float64")
    model = restricted(compiled={"optimizer": tf.keras.optimizers.SGD(0.5)}, **options)
    twin = network()

    def loss_of(logits):
        return loss_function()(LABELS, logits)

    loss, accuracy = step_by_hand(twin, rate=0.5, loss_of=loss_of, **options)
    history = fit(model, batch_size=12, epochs=1)
    assert history["loss"] == pytest.approx([loss], rel=1e-6)  # a float32 mean
    assert history["accuracy"] == pytest.approx([accuracy])  # of the whole images
    for ours, expected in zip(model.get_weights(), twin.get_weights()):
        # float64; the graph may sum in another order
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)


def test_all_images_whole_is_plain_training():
    """Where nothing is erased both passes are one, but the averages move twice."""
    tf.keras.mixed_precision.set_global_policy("float64")
    kept = {"normalize": "image", "threshold": 1e-300, "statistics": "first"}
    model, plain = restricted(**kept), network()
    plain.compile("sgd", loss_function(), metrics=["accuracy"])
    assert fit(model)["accuracy"] == fit(plain)["accuracy"]
    for ours, expected in zip(model.get_weights(), plain.get_weights()):
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)


def averages(model):
    return [w.numpy() for w in model.network.get_layer("stem_bn").weights[2:]]


def test_averages_move_once_or_twice():
    """By 1 % of the way to the batch, twice that if both passes count."""
    once, twice = restricted(statistics="first"), restricted()
    for model in once, twice:
        fit(model, batch_size=12, epochs=1)
    assert np.abs(averages(once)[0]).max() < 0.65 * np.abs(averages(twice)[0]).max()


def test_regularization_counts_once():
    def build():
        images = tf.keras.Input((6, 6, 2))
        x = tf.keras.layers.Conv2D(
            4, 3, kernel_regularizer="l2", activity_regularizer="l2", name="features"
        )(images)
        x = tf.keras.layers.Flatten()(x)
        return tf.keras.Model(images, tf.keras.layers.Dense(CLASSES)(x))

    kept = {"normalize": "image", "threshold": 1e-30}
    model = restricted(build(), "features", **kept)
    plain = build()
    plain.set_weights(model.get_weights())
    plain.compile("sgd", loss_function(), metrics=["accuracy"])
    assert fit(model)["loss"] == pytest.approx(fit(plain)["loss"], rel=1e-5)


def test_weights_of_samples():
    weights = np.array([1, 0] * 6, np.float32)
    model, other = restricted(), restricted()
    kept = weights > 0
    fit(model, sample_weight=2 * weights, batch_size=12)
    # the statistics of a batch are of all its images
    labels = np.where(kept, LABELS, (LABELS + 1) % CLASSES)
    fit(other, y=labels, sample_weight=2 * weights, batch_size=12)
    assert_same(model.get_weights(), other.get_weights())


def test_evaluation_erases_nothing():
    model = restricted()
    plain = model.network
    plain.compile("sgd", loss_function(), metrics=["accuracy"])
    ours = model.evaluate(IMAGES, LABELS, return_dict=True, verbose=0)
    assert ours == plain.evaluate(IMAGES, LABELS, return_dict=True, verbose=0)
    np.testing.assert_array_equal(
        model.predict(IMAGES, verbose=0), plain.predict(IMAGES, verbose=0)
    )


def test_all_but_the_training_is_the_networks(tmp_path):
    plain = network(method="irnet")
    model = RestrictedTraining(plain, "binary_bn")
    scheduled = irnet.callbacks.scheduled_quantizers
    assert model.network is plain
    assert model.trainable_variables == plain.trainable_variables
    assert_same(model.get_weights(), plain.get_weights())
    assert scheduled(model) == scheduled(plain) != []
    assert len(irnet.diagnostics.binary_kernels(model)) == 1
    model.compile("sgd", loss_function())
    history = fit(model, callbacks=[irnet.callbacks.EstimatorScheduler()])
    assert {"loss", "t", "k"} == set(history)
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is tf.keras.Sequential
    assert_same(loaded.get_weights(), plain.get_weights())


def test_checkpoints_hold_the_network_alone(tmp_path):
    paths = [
        tf.train.Checkpoint(model=model).save(tmp_path / name)
        for name, model in (
            ("alone", network()),
            ("restricted", RestrictedTraining(network(), "binary_bn")),
        )
    ]
    shapes = [
        sorted(str(shape) for _, shape in tf.train.list_variables(path))
        for path in paths
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been b")
def test_it_is_not_saved_by_itself(tmp_path):
    message = "network to be saved, got the RestrictedTraining"
    with pytest.raises(NotImplementedError, match=message):
        tf.keras.models.save_model(restricted(), tmp_path / "model.keras")
    assert not (tmp_path / "model.keras").exists()


@pytest.mark.parametrize("policy", ["float64", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("statistics", ["both", "first"])
def test_precisions(policy, statistics):
    tf.keras.mixed_precision.set_global_policy(policy)
    model = restricted(statistics=statistics)
    before = model.get_weights()
    history = fit(model, validation_data=(IMAGES, LABELS))
    assert np.isfinite([history["loss"], history["val_loss"]]).all()
    full_precision = tf.float64 if policy == "float64" else tf.float32
    assert {weight.dtype for weight in model.weights} == {full_precision}
    assert all((a != b).any() for a, b in zip(before, model.get_weights()))


@pytest.mark.parametrize("statistics", ["both", "first"])
def test_xla(statistics):
    options = {"statistics": statistics, "model": None}
    graph, compiled = (
        restricted(compiled={"jit_compile": jit}, **options) for jit in (False, True)
    )
    # one step: signs may flip where float32 sums differ
    ours, theirs = (fit(m, batch_size=12, epochs=1) for m in (compiled, graph))
    assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-5)
    for one, other in zip(averages(compiled), averages(graph)):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("run_eagerly, steps", [(True, 1), (False, 2)])
def test_other_ways_to_run_a_step(run_eagerly, steps):
    model, other = restricted(), restricted(
        compiled={"run_eagerly": run_eagerly, "steps_per_execution": steps}
    )
    assert fit(other, batch_size=12)["loss"] == pytest.approx(
        fit(model, batch_size=12)["loss"], rel=1e-5
    )


def test_inputs_by_name():
    images = tf.keras.Input((6, 6, 2), name="images")
    x = tf.keras.layers.Conv2D(4, 3, name="features")(images)
    x = tf.keras.layers.Dense(CLASSES)(tf.keras.layers.Flatten()(x))
    tf.keras.utils.set_random_seed(1)
    model = restricted(tf.keras.Model({"images": images}, x), "features")
    twin = restricted(tf.keras.models.clone_model(model.network), "features")
    twin.set_weights(model.get_weights())
    fit(model, {"images": IMAGES})
    fit(twin)
    assert_same(model.get_weights(), twin.get_weights())


def distiller():
    return Distiller(network(1), network(2, "float"))


def test_with_a_teacher():
    tf.keras.mixed_precision.set_global_policy("float64")
    inner = distiller()
    compiled = {"loss": LogitMatching(), "optimizer": tf.keras.optimizers.SGD(0.5)}
    model = restricted(inner, compiled=compiled)
    targets = inner.teacher(IMAGES, training=False)  # of the whole images

    def loss_of(logits):
        return tf.reduce_mean(logit_matching(targets, logits))

    twin, teacher = network(1), inner.teacher.get_weights()
    loss, accuracy = step_by_hand(twin, rate=0.5, loss_of=loss_of)
    history = fit(model, batch_size=12, epochs=1)
    assert history["loss"] == pytest.approx([loss], rel=1e-6)
    assert history["accuracy"] == pytest.approx([accuracy])
    for ours, expected in zip(model.network.get_weights(), twin.get_weights()):
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)
    assert_same(inner.teacher.get_weights(), teacher)
    assert model.network is inner.student


def test_the_teacher_computes_once():
    calls = []

    def count(x):
        calls.append(1)
        return x

    images = tf.keras.Input((6, 6, 2))
    counted = tf.keras.layers.Lambda(count)(images)
    logits = tf.keras.layers.Dense(CLASSES)(tf.keras.layers.Flatten()(counted))
    teacher = tf.keras.Model(images, logits)
    calls.clear()
    model = restricted(
        Distiller(network(), teacher),
        compiled={"loss": LogitMatching(), "run_eagerly": True},
    )
    fit(model, batch_size=12, epochs=1)
    assert len(calls) == 1


def test_validation_with_a_teacher():
    inner = distiller()
    model = restricted(inner, compiled={"loss": LogitMatching()})
    inner.compile("sgd", LogitMatching(), metrics=["accuracy"])
    ours = model.evaluate(IMAGES, LABELS, return_dict=True, verbose=0)
    assert ours == inner.evaluate(IMAGES, LABELS, return_dict=True, verbose=0)


def test_training_reduces_both_losses():
    model = restricted(compiled={"optimizer": tf.keras.optimizers.Adam(0.02)})
    history = fit(model, epochs=40)
    assert history["loss"][-1] < history["loss"][0] / 2
    assert history["accuracy"][-1] > 0.8


def two_inputs():
    images = [tf.keras.Input((6, 6, 2)), tf.keras.Input((6, 6, 2))]
    x = tf.keras.layers.Add(name="features")(images)
    return tf.keras.Model(images, tf.keras.layers.Flatten()(x))


def shared():
    images = tf.keras.Input((6, 6, 2))
    layer = tf.keras.layers.Conv2D(2, 3, padding="same", name="features")
    return tf.keras.Model(images, layer(layer(images)))


def nested():
    inner = network()
    images = tf.keras.Input((6, 6, 2))
    return tf.keras.Model(images, inner(images))


class Subclassed(tf.keras.Model):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize(
    "build, layer, message",
    [
        (
            network,
            "binary_b",
            "one of the 6 layers of 'network', such as 'binary_bn', .*got 'binary_b'",
        ),
        (network, "", "such as 'binary_bn', 'flatten', 'logits', got ''"),
        (
            nested,
            "binary_bn",
            r"got 'binary_bn'. Layers within \['network'\] cannot be",
        ),
        (network, "flatten", r"features \[N, h, w, C\], got 'flatten' .*\(None, 16\)"),
        (shared, "features", "used once, got 'features', which is called 2 times"),
        (two_inputs, "features", "one input, images .* got 'model.*' with inputs of"),
        (Subclassed, "features", "functional or sequential Keras model, got Subclass"),
    ],
    ids=["unknown", "empty", "nested", "flat", "shared", "two inputs", "subclassed"],
)
def test_models_and_layers_that_do_not_fit(build, layer, message):
    with pytest.raises(ValueError, match=message):
        RestrictedTraining(build(), layer)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"threshold": 0.0}, "`threshold` to be a share .* got 0.0"),
        ({"threshold": 1.0}, "`threshold` to be a share .* got 1.0"),
        (
            {"normalize": "rows"},
            r"`normalize` out of \['column', 'image'\], got 'rows'",
        ),
        (
            {"statistics": "none"},
            r"`statistics` out of \['both', 'first'\], got 'none'",
        ),
        ({"fill": "black"}, "`fill` to be a finite number, .* got 'black'"),
        ({"fill": []}, r"`fill` to be a finite number, .* got \[\]"),
        ({"fill": float("inf")}, "`fill` to be a finite number, .* got inf"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        RestrictedTraining(network(), "binary_bn", **options)
