import logging

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.distillation import (
    Distiller,
    LogitMatching,
    RepresentationAlignment,
    logit_matching,
    representation_distance,
)
from larq_irnet.restriction import RestrictedTraining
from tests.larq_irnet.distillation.test_distiller import (
    IMAGES,
    LABELS,
    assert_same,
    fit,
    network,
)
from tests.larq_irnet.python_process import run_python

CROSS_ENTROPY = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def aligned(targets="labels", optimizer="sgd", quantizer="dirnet", **options):
    """A distiller with RBD, compiled for what it compares with."""
    alignment = RepresentationAlignment(**{"gamma": 0.5, **options})
    model = Distiller(
        network(1, quantizer), network(2, "float"), targets=targets, alignment=alignment
    )
    loss = CROSS_ENTROPY if targets == "labels" else LogitMatching()
    model.compile(optimizer, loss=loss, metrics=["accuracy"])
    return model


@pytest.mark.parametrize("targets", ["labels", "teacher"])
def test_one_step_by_hand(targets):
    tf.keras.mixed_precision.set_global_policy("float64")
    model = aligned(targets, tf.keras.optimizers.SGD(0.5), "ste_sign", gamma=3.0)
    twin = network(1, "ste_sign")  # has the weights of the student
    taught = model.teacher(IMAGES, training=False)
    taught_features = _features(model.teacher)(IMAGES, training=False)
    with tf.GradientTape() as tape:
        features, outputs = _features_and_outputs(twin)(IMAGES, training=True)
        losses = (
            tf.keras.losses.sparse_categorical_crossentropy(LABELS, outputs, True)
            if targets == "labels"
            else logit_matching(taught, outputs)
        )
        distance = representation_distance(features, taught_features)
        loss = tf.reduce_mean(losses) + 3.0 * distance
    gradients = tape.gradient(loss, twin.trainable_variables)
    for weight, gradient in zip(twin.trainable_variables, gradients):
        weight.assign_sub(0.5 * gradient)

    history = fit(model, batch_size=12, epochs=1)
    assert history["loss"] == pytest.approx([float(loss)], rel=1e-6)  # a float32 mean
    assert history["alignment"] == pytest.approx([float(distance)], rel=1e-6)
    for ours, expected in zip(model.student.get_weights(), twin.get_weights()):
        # float64; the graph may sum in another order
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)


def _features(model, layer="binary"):
    return tf.keras.Model(model.inputs, model.get_layer(layer).output)


def _features_and_outputs(model):
    return tf.keras.Model(
        model.inputs, (model.get_layer("binary").output, model.output)
    )


def test_validation_has_both_terms():
    model = aligned()
    outputs = model.student(IMAGES, training=False)
    cross_entropy = float(CROSS_ENTROPY(LABELS, outputs))
    features = (
        _features(one)(IMAGES, training=False) for one in (model.student, model.teacher)
    )
    distance = float(representation_distance(*features))
    figures = model.evaluate(IMAGES, LABELS, batch_size=12, return_dict=True, verbose=0)
    assert set(figures) == {"loss", "accuracy", "alignment"}
    assert figures["alignment"] == pytest.approx(distance, rel=1e-5)  # float32
    assert figures["loss"] == pytest.approx(cross_entropy + 0.5 * distance, rel=1e-5)


def test_features_come_to_point_the_same_way():
    adam = tf.keras.optimizers.Adam(0.02)
    model = aligned("labels", adam, "float", layers=["binary"], gamma=10.0)
    history = fit(model, epochs=40)["alignment"]
    assert history[-1] < history[0] / 2


def test_all_but_the_loss_is_the_students(tmp_path):
    model = aligned()
    before = model.teacher.get_weights()
    fit(model, callbacks=[irnet.callbacks.EstimatorScheduler()])
    assert_same(model.teacher.get_weights(), before)
    assert_same(model.get_weights(), model.student.get_weights())
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    assert_same(loaded.get_weights(), model.student.get_weights())


def test_checkpoints_hold_the_student_alone(tmp_path):
    student, teacher = network(1, "dirnet"), network(2, "float")
    distiller = Distiller(student, teacher, alignment=RepresentationAlignment())
    paths = [
        tf.train.Checkpoint(model=model).save(tmp_path / model.name)
        for model in (student, distiller)
    ]
    shapes = [
        sorted(str(shape) for _, shape in tf.train.list_variables(path))
        for path in paths
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("policy", ["float64", "mixed_float16", "mixed_bfloat16"])
def test_precisions(policy):
    tf.keras.mixed_precision.set_global_policy(policy)
    history = fit(aligned(), validation_data=(IMAGES, LABELS))
    for figure in ("loss", "alignment", "val_loss", "val_alignment"):
        assert np.isfinite(history[figure]).all()


def test_xla():
    graph, compiled = aligned(), aligned()
    compiled.compile("sgd", loss=CROSS_ENTROPY, jit_compile=True)
    ours, theirs = fit(compiled), fit(graph)
    # signs may flip where float32 sums differ
    assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-2)


MIRRORED = """
import larq_irnet
import tensorflow as tf
from tests.larq_irnet.distillation import test_aligned_distiller as tested

cpu = tf.config.list_physical_devices("CPU")[0]
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [half, half])
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    model = tested.aligned(optimizer="adam", per_sample=True)
alone = tested.aligned(optimizer="adam", per_sample=True)
images, labels = tested.IMAGES, tested.LABELS
figures = [
    one.evaluate(images, labels, batch_size=12, return_dict=True, verbose=0)
    for one in (model, alone)
]
for name in ("loss", "alignment"):
    assert abs(figures[0][name] - figures[1][name]) < 1e-5, figures
before = model.student.get_weights()
model.fit(images, labels, batch_size=12, verbose=0)
assert all((a != b).any() for a, b in zip(before, model.student.get_weights()))
"""


def test_replicas_average_the_distance():
    process = run_python(MIRRORED)
    assert process.returncode == 0, process.stderr


def _named(*names, quantizer="float"):
    """Convolutions of these names, with four filters each."""
    model = tf.keras.Sequential([tf.keras.Input((6, 6, 4))])
    for name in names:
        model.add(irnet.layers.QuantConv2D(4, 3, quantizer=quantizer, name=name))
    return model


def test_quantized_layers_are_paired_by_name_and_what_is_not_is_told(caplog):
    student = _named("conv1", "conv2", quantizer="dirnet")
    teacher = _named("conv2", "conv3")  # of which conv2 is the first: another shape
    tall = _named("other", "conv2")
    with caplog.at_level(logging.WARNING):
        model = Distiller(student, tall, alignment=RepresentationAlignment())
    assert model.pairs == (("conv2", "conv2"),)
    assert dict(model.unmatched) == {
        "conv1": "the teacher has no layer of this name that is used once"
    }
    assert "conv1 is not aligned with the teacher: the teacher has no" in caplog.text
    with pytest.raises(
        ValueError, match=r"got none: .*conv2.*\(2, 2, 4\).*\(4, 4, 4\)"
    ):
        Distiller(student, teacher, alignment=RepresentationAlignment())


def test_layers_with_and_without_a_non_linearity_within_are_not_compared():
    def model(activation, quantizer):
        options = {"activation": activation, "quantizer": quantizer}
        return tf.keras.Sequential(
            [
                tf.keras.Input((6, 6, 4)),
                irnet.layers.QuantConv2D(4, 3, name="a", **options),
                irnet.layers.QuantConv2D(4, 3, name="b", quantizer=quantizer),
            ]
        )

    alignment = RepresentationAlignment()
    distiller = Distiller(
        model(None, "dirnet"), model("relu", "float"), alignment=alignment
    )
    assert distiller.pairs == (("b", "b"),)
    assert dict(distiller.unmatched) == {
        "a": "its output is behind no activation, that of the teacher behind relu"
    }


@pytest.mark.parametrize("unknown", ["labels", "loss"])
def test_features_alone_are_not_learned_by_mistake(unknown):
    model = aligned()
    if unknown == "loss":
        model.compile("sgd")
    labels = None if unknown == "labels" else LABELS
    for step in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=f"Expected .*{unknown}, got none"):
            step(IMAGES, labels, verbose=0)


@pytest.mark.parametrize("targets", ["labels", "teacher"])
@pytest.mark.parametrize("heads", [(3, 3), (3, 5)])
def test_networks_of_several_inputs_and_outputs(targets, heads):
    def model(seed):
        tf.keras.utils.set_random_seed(seed)
        image = tf.keras.Input((4,), name="img")
        x = irnet.layers.QuantDense(8, quantizer="ste_sign", name="x")(image)
        outputs = [
            tf.keras.layers.Dense(size, name=f"head{index}")(x)
            for index, size in enumerate(heads)
        ]
        return tf.keras.Model({"image": image}, outputs)

    student, teacher = model(1), model(2)
    distiller = Distiller(
        student, teacher, targets=targets, alignment=RepresentationAlignment()
    )
    distiller.compile("sgd", "mse")
    x = {"image": np.random.rand(8, 4).astype("float32")}
    y = [np.random.rand(8, size).astype("float32") for size in heads]
    results = distiller.evaluate(x, y, verbose=0, return_dict=True)
    for index, (ours, theirs) in enumerate(zip(student(x), teacher(x))):
        expected = theirs if targets == "teacher" else y[index]
        loss = np.mean((ours - expected) ** 2)
        assert results[f"output_{index + 1}_loss"] == pytest.approx(loss, rel=1e-5)
    assert {"loss", "alignment"} <= {*distiller.fit(x, y, verbose=0).history}


def test_features_of_several_precisions():
    alignment = RepresentationAlignment()
    ones = [tf.ones((2, 3), dtype) for dtype in ("float32", "float64", "float16")]
    assert alignment(ones, ones).dtype == tf.float64


def test_pairs_that_are_given():
    student, teacher = _named("a", "b"), _named("c", "d")
    alignment = RepresentationAlignment({"a": "c", "b": "d"})
    model = Distiller(student, teacher, alignment=alignment)
    assert model.pairs == (("a", "c"), ("b", "d"))
    assert model.unmatched == {}
    same = Distiller(
        student, _named("a", "b"), alignment=RepresentationAlignment(["b"])
    )
    assert same.pairs == (("b", "b"),)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (["a", "z"], "to name layers of .* that are used once, got 'z'. It has"),
        ({"a": "z"}, "to name layers of .* that are used once, got 'z'. It has"),
        ({"a": "b"}, r"'a' of the student and 'b' of the teacher .* \(4, 4, 4\) and"),
        (None, "got none: it has none. Give `layers`, such as"),
    ],
)
def test_layers_that_cannot_be_aligned(layers, message):
    with pytest.raises(ValueError, match=message):
        Distiller(
            _named("a", "b"),
            _named("a", "b"),
            alignment=RepresentationAlignment(layers),
        )


def test_a_subclassed_network_cannot_be_aligned():
    class Subclassed(tf.keras.Model):
        pass

    with pytest.raises(ValueError, match="models to align, got Subclassed"):
        Distiller(_named("a"), Subclassed(), alignment=RepresentationAlignment())


def test_restriction_has_no_place_for_an_alignment():
    with pytest.raises(ValueError, match="a distiller without `alignment`"):
        RestrictedTraining(aligned(), "binary")
