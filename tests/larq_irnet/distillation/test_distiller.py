import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.distillation import Distiller, LogitMatching, logit_matching

CLASSES = 5
# `fit` makes float32 of NumPy arrays
IMAGES = np.float32(np.random.default_rng(0).normal(size=(12, 6, 6, 2)))
LABELS = np.arange(12) % CLASSES


_scheduled = irnet.callbacks.scheduled_quantizers


def network(seed, quantizer="irnet"):
    """A binary convolution between two in full precision, all normalised."""
    tf.keras.utils.set_random_seed(seed)
    layers = tf.keras.layers
    full_precision = tf.keras.mixed_precision.global_policy().variable_dtype
    return tf.keras.Sequential(
        [
            tf.keras.Input((6, 6, 2), dtype=full_precision),
            layers.Conv2D(4, 3, name="stem"),
            layers.BatchNormalization(name="stem_bn"),
            irnet.layers.QuantConv2D(4, 3, quantizer=quantizer, name="binary"),
            layers.BatchNormalization(name="binary_bn"),
            layers.Flatten(name="flatten"),
            layers.Dense(CLASSES, dtype=full_precision, name="logits"),
        ]
    )


def distiller(quantizer="irnet", **compiled):
    model = Distiller(network(1, quantizer), network(2, quantizer))
    defaults = {"loss": LogitMatching(), "metrics": ["accuracy"]}
    model.compile(**{"optimizer": "sgd", **defaults, **compiled})
    return model


def fit(model, **options):
    defaults = {"batch_size": 6, "epochs": 2, "shuffle": False, "verbose": 0}
    return model.fit(IMAGES, LABELS, **{**defaults, **options}).history


def assert_same(ours, theirs):
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs):
        np.testing.assert_array_equal(one, other)


def test_one_step_by_hand():
    tf.keras.mixed_precision.set_global_policy("float64")
    model = distiller("ste_sign", optimizer=tf.keras.optimizers.SGD(0.5))
    twin = network(1, "ste_sign")  # has the weights of the student
    targets = model.teacher(IMAGES, training=False)
    with tf.GradientTape() as tape:
        outputs = twin(IMAGES, training=True)
        loss = tf.reduce_mean(logit_matching(targets, outputs))
    gradients = tape.gradient(loss, twin.trainable_variables)
    for weight, gradient in zip(twin.trainable_variables, gradients):
        weight.assign_sub(0.5 * gradient)

    history = fit(model, batch_size=12, epochs=1)
    assert history["loss"] == pytest.approx([float(loss)], rel=1e-6)  # a float32 mean
    accuracy = np.mean(np.argmax(outputs, -1) == LABELS)
    assert history["accuracy"] == pytest.approx([accuracy])
    for ours, expected in zip(model.student.get_weights(), twin.get_weights()):
        # float64; the graph may sum in another order
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)


def test_the_teacher_does_not_change():
    model = distiller()
    before, student = model.teacher.get_weights(), model.student.get_weights()
    fit(model, callbacks=[irnet.callbacks.EstimatorScheduler()])
    assert_same(model.teacher.get_weights(), before)
    assert all((a != b).any() for a, b in zip(student, model.student.get_weights()))
    progress = [float(q.progress) for q in _scheduled(model.teacher)]
    assert progress == [0.0, 0.0]
    assert [float(q.progress) for q in _scheduled(model.student)] == [0.5, 0.5]


def test_all_but_the_targets_is_the_students():
    model = distiller()
    assert model.trainable_variables == model.student.trainable_variables
    assert_same(model.get_weights(), model.student.get_weights())
    assert _scheduled(model) == _scheduled(model.student)
    np.testing.assert_array_equal(
        model.predict(IMAGES, verbose=0), model.student.predict(IMAGES, verbose=0)
    )


def test_checkpoints_hold_the_student_alone(tmp_path):
    student = network(1)
    paths = [
        tf.train.Checkpoint(model=model).save(tmp_path / name)
        for name, model in (
            ("alone", student),
            ("distilled", Distiller(student, network(2))),
        )
    ]
    shapes = [
        sorted(str(shape) for _, shape in tf.train.list_variables(path))
        for path in paths
    ]
    assert shapes[0] == shapes[1]


def test_validation_compares_with_the_teacher_in_inference_mode():
    model = distiller()
    expected = np.mean(
        logit_matching(
            model.teacher(IMAGES, training=False), model.student(IMAGES, training=False)
        )
    )
    figures = model.evaluate(IMAGES, LABELS, batch_size=5, return_dict=True, verbose=0)
    assert figures["loss"] == pytest.approx(expected, rel=1e-5)  # float32
    assert set(figures) == {"loss", "accuracy"}


def test_a_student_comes_to_agree_with_its_teacher():
    model = distiller("float", optimizer=tf.keras.optimizers.Adam(0.01))

    def disagreement():
        ours, theirs = (n.predict(IMAGES, verbose=0) for n in (model, model.teacher))
        return np.abs(ours - theirs).mean()

    before = disagreement()
    fit(model, epochs=60)
    assert disagreement() < before / 2


@pytest.mark.parametrize("policy", ["float64", "mixed_float16", "mixed_bfloat16"])
def test_precisions(policy):
    tf.keras.mixed_precision.set_global_policy(policy)
    model = distiller()
    history = fit(model, validation_data=(IMAGES, LABELS))
    assert np.isfinite([history["loss"], history["val_loss"]]).all()
    full_precision = tf.float64 if policy == "float64" else tf.float32
    assert {weight.dtype for weight in model.weights} == {full_precision}


def test_xla():
    graph, compiled = distiller(), distiller(jit_compile=True)
    ours, theirs = fit(compiled), fit(graph)
    # signs may flip where float32 sums differ
    assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-2)
    assert_same(compiled.teacher.get_weights(), graph.teacher.get_weights())


def test_what_is_saved_is_the_student(tmp_path):
    model = distiller()
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is tf.keras.Sequential
    assert_same(loaded.get_weights(), model.student.get_weights())


def test_weights_that_are_saved_and_loaded_are_the_students(tmp_path):
    model, other = distiller(), network(3)
    model.save_weights(tmp_path / "student.weights.h5")
    other.load_weights(tmp_path / "student.weights.h5")
    assert_same(other.get_weights(), model.student.get_weights())
    fit(model)
    model.load_weights(tmp_path / "student.weights.h5")
    assert_same(model.student.get_weights(), other.get_weights())


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been b")
def test_a_distiller_is_not_saved_by_itself(tmp_path):
    with pytest.raises(
        NotImplementedError, match="network to be saved, got the Distiller"
    ):
        tf.keras.models.save_model(distiller(), tmp_path / "model.keras")
    assert not (tmp_path / "model.keras").exists()


def _flat(*, inputs=(6, 6, 2), classes=CLASSES):
    images = tf.keras.Input(inputs)
    outputs = tf.keras.layers.Dense(classes)(tf.keras.layers.Flatten()(images))
    return tf.keras.Model(images, outputs)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"classes": 3}, r"one output shape, got \(None, 5\) of .*\(None, 3\) of"),
        ({"inputs": (8, 8, 2)}, r"one input shape, got \(None, 6, 6, 2\) of .* Build"),
        ({"inputs": (6, 6, 1)}, r"one input shape, got .*\(None, 6, 6, 1\) of"),
    ],
)
def test_networks_of_other_shapes(other, message):
    with pytest.raises(ValueError, match=f"student and teacher to have {message}"):
        Distiller(network(1), _flat(**other))


def test_a_teacher_of_any_size_fits():
    images = tf.keras.Input((None, None, 2))
    pooled = tf.keras.layers.GlobalAveragePooling2D()(images)
    Distiller(
        network(1), tf.keras.Model(images, tf.keras.layers.Dense(CLASSES)(pooled))
    )


def test_networks_that_are_not_built_yet():
    class Subclassed(tf.keras.Model):
        pass

    assert Distiller(network(1), Subclassed()).student.name


def test_unknown_targets():
    with pytest.raises(ValueError, match=r"`targets` out of \['teacher', 'labels'\]"):
        Distiller(network(1), network(2), targets="logits")


def test_labels_without_an_alignment():
    with pytest.raises(ValueError, match="nothing would be learned from the teacher"):
        Distiller(network(1), network(2), targets="labels")


@pytest.mark.parametrize("last", ["layer", "activation"])
def test_probabilities_are_no_logits(last):
    def model(activation=None):
        layers = [tf.keras.Input((4,)), tf.keras.layers.Dense(3, activation=activation)]
        return tf.keras.Sequential(layers)

    teacher = model("softmax" if last == "activation" else None)
    if last == "layer":
        teacher.add(tf.keras.layers.Softmax(name="probabilities"))
    distiller = Distiller(model(), teacher)
    with pytest.raises(ValueError, match="to give logits.*ends in a softmax. Leave"):
        distiller.compile("sgd", LogitMatching())
    distiller.compile("sgd", "kld")  # compares probabilities


def test_heads_learn_from_the_heads_of_the_teacher():
    def model(seed):
        tf.keras.utils.set_random_seed(seed)
        x = tf.keras.Input((4,))
        heads = [tf.keras.layers.Dense(3, name=name)(x) for name in ("a", "b")]
        return tf.keras.Model(x, heads)

    student, teacher = model(1), model(2)
    distiller = Distiller(student, teacher)
    distiller.compile("sgd", "mse")
    x = np.random.rand(8, 4).astype("float32")
    results = distiller.evaluate(x, verbose=0, return_dict=True)
    for number, ours, theirs in zip((1, 2), student(x), teacher(x)):
        loss = np.mean((ours - theirs) ** 2)
        assert results[f"output_{number}_loss"] == pytest.approx(loss, rel=1e-5)
