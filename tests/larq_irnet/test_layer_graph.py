import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.layer_graph import LayerGraph, shared_layers

layers = tf.keras.layers


def _branching():
    """Two inputs, a sum, an operation with a further argument, and two outputs."""
    first, second = tf.keras.Input((4,), name="first"), tf.keras.Input((4,), name="b")
    left = layers.Dense(4, name="left")(first)
    right = irnet.layers.QuantDense(4, quantizer="irnet", name="right")(second)
    total = layers.Add(name="total")([left, right])
    scaled = tf.math.multiply(total, right, name="scaled")
    return tf.keras.Model(
        [first, second], [layers.Dense(3, name="head")(scaled), left], name="branching"
    )


def _numbers(model, samples=5):
    rng = np.random.default_rng(0)
    shapes = [tensor.shape[1:] for tensor in model.inputs]
    return [rng.normal(size=(samples, *shape)).astype("float32") for shape in shapes]


def _assert_same_outputs(ours, theirs):
    x = _numbers(theirs)
    for one, other in zip(tf.nest.flatten(ours(x)), tf.nest.flatten(theirs(x))):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "model",
    [
        _branching,
        lambda: tf.keras.Sequential([layers.Dense(3, input_shape=(4,), name="d")]),
        lambda: tf.keras.applications.MobileNetV3Small((32, 32, 3), weights=None),
    ],
    ids=["branching", "sequential", "with functions"],
)
def test_unchanged_it_is_a_copy(model):
    model = model()
    before = model.get_weights()
    copy = LayerGraph(model).build(weights_of=model)
    assert copy.name == model.name
    assert not {id(w) for w in copy.weights} & {id(w) for w in model.weights}
    x = _numbers(model)
    ours, theirs = (
        tf.nest.flatten(m(x if len(x) > 1 else x[0])) for m in (copy, model)
    )
    for one, other in zip(ours, theirs):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(model.get_weights(), before):
        np.testing.assert_array_equal(one, other)


def test_what_reads_what():
    graph = LayerGraph(_branching())
    assert graph.names()[:2] == ["first", "b"]
    assert graph.reads("total") == ["left", "right"]
    assert graph.readers("right") == ["total", "tf.math.multiply"]
    assert graph.reads("tf.math.multiply") == ["total", "right"]
    assert [one for one in graph.names() if graph.is_output(one)] == ["left", "head"]


def test_inserted_layer_is_read_by_all_that_read_the_one_before():
    model = _branching()
    graph = LayerGraph(model)
    graph.insert("left", layers.Rescaling(2.0, name="double"))
    changed = graph.build(weights_of=model)
    x = _numbers(model)
    total = 2.0 * model.get_layer("left")(x[0]) + model.get_layer("right")(x[1])
    head = model.get_layer("head")(total * model.get_layer("right")(x[1]))
    outputs = changed(x)
    np.testing.assert_allclose(outputs[0], head, rtol=1e-6)  # float32
    np.testing.assert_array_equal(outputs[1], 2.0 * model.get_layer("left")(x[0]))
    assert graph.names().index("double") == graph.names().index("left") + 1


def test_inserted_layer_is_read_by_those_that_are_told():
    model = _branching()
    graph = LayerGraph(model)
    graph.insert("left", layers.Rescaling(2.0, name="double"), only=["total"])
    outputs = graph.build(weights_of=model)(_numbers(model))
    np.testing.assert_array_equal(outputs[1], model(_numbers(model))[1])
    assert graph.readers("left") == ["double"]


def test_inserted_layer_may_read_several():
    model = _branching()
    graph = LayerGraph(model)
    graph.insert("head", layers.Concatenate(name="both"), also=["left"])
    changed = graph.build(weights_of=model)
    x = _numbers(model)
    np.testing.assert_array_equal(changed(x)[0], tf.concat(model(x), -1))


def test_removed_and_replaced_layers():
    model = _branching()
    graph = LayerGraph(model)
    graph.insert("left", layers.Rescaling(2.0, name="double"))
    graph.remove("double")
    _assert_same_outputs(graph.build(weights_of=model), model)
    graph.replace("head", layers.Dense(7, name="head"))
    changed = graph.build(weights_of=model)
    assert changed.output_shape[0] == (None, 7)
    np.testing.assert_array_equal(
        changed.get_layer("left").kernel, model.get_layer("left").kernel
    )


def test_names_that_are_free_and_not():
    graph = LayerGraph(_branching())
    assert graph.unused("new") == "new"
    assert graph.unused("left") == "left_2"
    with pytest.raises(
        ValueError, match="that no layer of 'branching' has, got 'left'"
    ):
        graph.insert("head", layers.ReLU(name="left"))


class Doubling(tf.keras.layers.Layer):
    """A layer that is not registered with Keras."""

    def call(self, inputs):
        return 2.0 * inputs


def test_layers_that_are_not_registered():
    model = tf.keras.Sequential([tf.keras.Input((4,)), Doubling(name="own")])
    _assert_same_outputs(LayerGraph(model).build(), model)


class Subclassed(tf.keras.Model):
    def call(self, inputs):
        return inputs


def test_subclassed_models_are_refused():
    with pytest.raises(ValueError, match="functional or sequential .* got Subclassed"):
        LayerGraph(Subclassed())


def test_shared_layers_are_refused():
    shared, first = layers.Dense(4, name="shared"), tf.keras.Input((4,))
    model = tf.keras.Model(first, shared(shared(first)))
    assert shared_layers(model) == ["shared"]
    assert shared_layers(_branching()) == []
    with pytest.raises(ValueError, match=r"got \['shared'\], which are shared"):
        LayerGraph(model)
