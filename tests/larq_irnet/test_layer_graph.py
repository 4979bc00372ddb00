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
    copy = LayerGraph(model).build(transfer_weights=True)
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
    changed = graph.build(transfer_weights=True)
    x = _numbers(model)
    total = 2.0 * model.get_layer("left")(x[0]) + model.get_layer("right")(x[1])
    head = model.get_layer("head")(total * model.get_layer("right")(x[1]))
    outputs = changed(x)
    np.testing.assert_allclose(outputs[0], head, rtol=1e-6)  # float32
    np.testing.assert_array_equal(outputs[1], 2.0 * model.get_layer("left")(x[0]))
    assert graph.names().index("double") == graph.names().index("left") + 1


def test_a_layer_in_front_of_another_is_read_by_that_alone():
    model = _branching()
    graph = LayerGraph(model)
    graph.insert_before("head", layers.Rescaling(2.0, name="double"))
    outputs = graph.build(transfer_weights=True)(_numbers(model))
    np.testing.assert_array_equal(outputs[1], model(_numbers(model))[1])
    assert graph.reads("head") == ["double"]
    assert graph.reads("double") == ["tf.math.multiply"]


def _split():
    """The layer "second" reads the second half of its input."""
    images = tf.keras.Input((4,))
    one, other = tf.split(layers.Dense(6, name="both")(images), 2, axis=-1)
    x = layers.Dense(3, name="first")(one) - layers.Dense(3, name="second")(other)
    return tf.keras.Model(images, x)


def test_layers_read_the_outputs_that_those_before_them_read():
    model = _split()
    graph = LayerGraph(model)
    (source,) = graph.sources("second")
    assert source == ["tf.split", 0, 1]
    graph.replace("second", layers.Dense(3, name="second"))
    graph.insert_before("second", layers.Rescaling(1.0, name="same"))
    graph.insert("second", layers.Add(name="sum"), also=[source])
    zero = layers.Rescaling(0.0, name="zero")
    graph.insert_before("same", zero)
    graph.remove("zero")
    x = _numbers(model)[0]
    changed = graph.build(transfer_weights=True)(x)
    other = tf.split(model.get_layer("both")(x), 2, axis=-1)[1]
    np.testing.assert_allclose(changed, model(x) - other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("names", ["a", "ab"])
def test_structures_of_inputs_and_outputs_stay(names):
    inputs = {name: tf.keras.Input((4,), name=f"{name}_input") for name in names}
    total = layers.Concatenate()([*inputs.values(), *inputs.values()])
    outputs = {name: layers.Dense(2, name=name)(total) for name in ("z", "b")}
    model = tf.keras.Model(inputs, outputs)
    copy = LayerGraph(model).build(transfer_weights=True)
    x = {name: np.random.rand(3, 4).astype("float32") for name in names}
    ours, theirs = copy(x), model(x)
    assert {*ours} == {*theirs}
    for name, values in theirs.items():
        np.testing.assert_array_equal(ours[name], values)


def test_what_is_never_trained_stays_without_the_other_weights():
    data = np.random.rand(9, 4)
    normalization = layers.Normalization(mean=None, name="statistics")
    normalization.adapt(data)
    model = tf.keras.Sequential([normalization, layers.Dense(2, name="d")])
    model(data)
    copy = LayerGraph(model).build(transfer_weights=False)
    np.testing.assert_array_equal(copy.get_layer("statistics").mean, normalization.mean)
    ours, theirs = (one.get_layer("d").kernel.numpy() for one in (copy, model))
    assert (ours != theirs).any()


def test_inserted_layer_may_read_several():
    model = _branching()
    graph = LayerGraph(model)
    graph.insert("head", layers.Concatenate(name="both"), also=[["left", 0, 0]])
    changed = graph.build(transfer_weights=True)
    x = _numbers(model)
    np.testing.assert_array_equal(changed(x)[0], tf.concat(model(x), -1))


def test_removed_and_replaced_layers():
    model = _branching()
    graph = LayerGraph(model)
    graph.insert("left", layers.Rescaling(2.0, name="double"))
    graph.remove("double")
    _assert_same_outputs(graph.build(transfer_weights=True), model)
    graph.replace("head", layers.Dense(7, name="head"))
    changed = graph.build(transfer_weights=True)
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


def tripled(x):
    """An activation that is not registered with Keras."""
    return 3.0 * x


@pytest.mark.parametrize(
    "layer",
    [
        lambda: Doubling(),
        lambda: layers.TimeDistributed(Doubling()),
        lambda: layers.Lambda(lambda x: x / 2.0, arguments={}),
        lambda: layers.Lambda(tripled),
        lambda: layers.Activation(tripled),
        lambda: layers.Dense(2, activation=tripled),
        lambda: layers.Dense(2, activation=layers.LeakyReLU(0.3)),
    ],
)
def test_layers_that_are_not_registered(layer):
    model = tf.keras.Sequential([tf.keras.Input((3, 4)), layer()])
    _assert_same_outputs(LayerGraph(model).build(transfer_weights=True), model)


def _named(name):
    def function(x):
        return 2.0 * x

    function.__name__ = name
    return function


@pytest.mark.parametrize("name", ["<lambda>", "own"])
def test_activations_that_cannot_be_told_by_their_names_are_refused(name):
    functions = [_named(name), _named(name)]
    model = tf.keras.Sequential([tf.keras.Input((4,))])
    for index, function in enumerate(functions):
        model.add(layers.Dense(4, activation=function, name=f"d{index}"))
    with pytest.raises(ValueError, match=f"another one called '{name}' in 'd[01]'"):
        LayerGraph(model).build(transfer_weights=True)


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


def _features(name="features"):
    """A sequential model in a functional one with two inputs and two outputs."""
    pair = tf.keras.Input((4,), name="a"), tf.keras.Input((4,), name="b")
    body = tf.keras.Sequential(
        [tf.keras.Input((4,)), layers.Dense(4), layers.BatchNormalization(name="bn")],
        name="body",
    )
    total = layers.Subtract(name="difference")([body(pair[1]), pair[0]])
    return tf.keras.Model([*pair], [total, pair[0]], name=name)


def _nesting(**arguments):
    x = tf.keras.Input((4,), name="b")
    y = layers.Dense(4, name="difference")(x)
    total, same = _features()([y, x], **arguments)
    return tf.keras.Model(x, layers.Concatenate(name="both")([total, same]))


@pytest.mark.parametrize("mode", [False, True])
@pytest.mark.parametrize("arguments", [{}, {"training": False}, {"training": True}])
def test_models_in_the_model_are_taken_apart(arguments, mode):
    model = _nesting(**arguments)
    for layer in model.get_layer("features").get_layer("body").layers:
        layer.set_weights([np.random.rand(*w.shape) for w in layer.get_weights()])
    graph = LayerGraph(model)
    assert graph.names() == [
        "b",
        "difference",
        "dense",
        "bn",
        "features_difference",
        "both",
    ]
    assert graph.reads("dense") == ["b"]
    assert graph.reads("features_difference") == ["bn", "difference"]
    assert graph.reads("both") == ["features_difference", "difference"]
    flat = graph.build(transfer_weights=True)
    assert not any(isinstance(layer, tf.keras.Model) for layer in flat.layers)
    x = _numbers(model)[0]
    np.testing.assert_array_equal(flat(x, training=mode), model(x, training=mode))


def test_a_model_that_gives_its_input_is_taken_apart():
    x, y = tf.keras.Input((4,)), tf.keras.Input((4,), name="inner")
    identity = tf.keras.Model(y, y, name="identity")
    model = tf.keras.Model(x, identity(layers.Dense(2, name="d")(x)))
    assert LayerGraph(model).names() == [x.node.layer.name, "d"]
    assert LayerGraph(model).is_output("d")


def test_names_within_and_without_an_inner_model_are_told_apart():
    x = tf.keras.Input((4,))
    inner = [layers.Lambda(lambda x: x + 1, name="c"), layers.Dense(4, name="body_c")]
    body = tf.keras.Sequential([tf.keras.Input((4,)), *inner], name="body")
    y = layers.Dense(4, name="body_body_c")(body(layers.Dense(4, name="c")(x)))
    model = tf.keras.Model(x, y)
    graph = LayerGraph(model)
    assert len({*graph.names()}) == len(graph.names()) == 5
    _assert_same_outputs(graph.build(transfer_weights=True), model)


def test_models_that_are_called_several_times_are_refused():
    x, inner = tf.keras.Input((4,)), tf.keras.Sequential([layers.Dense(4)], name="m")
    model = tf.keras.Model(x, inner(inner(x)))
    assert shared_layers(model) == ["m"]
    with pytest.raises(ValueError, match=r"got \['m'\], which are shared"):
        LayerGraph(model)


def test_layers_within_and_without_an_inner_model_are_refused():
    shared = layers.Dense(4, name="shared")
    x = tf.keras.Input((4,))
    inner = tf.keras.Sequential([tf.keras.Input((4,)), shared], name="inner")
    model = tf.keras.Model(x, shared(inner(x)))
    assert shared_layers(model) == ["inner_shared", "shared"]


class Doubled(tf.keras.Sequential):
    """A model that computes something else than its layers."""

    def call(self, inputs, training=None, mask=None):
        return 2.0 * super().call(inputs, training=training, mask=mask)


@pytest.mark.parametrize(
    "kind, arguments",
    [(Doubled, {}), (tf.keras.Sequential, {"mask": None})],
    ids=["a call of its own", "more than tensors"],
)
def test_models_that_stay_one_layer(kind, arguments):
    x = tf.keras.Input((4,))
    inner = kind([tf.keras.Input((4,)), layers.Dense(4)], name="inner")
    model = tf.keras.Model(x, inner(x, **arguments))
    graph = LayerGraph(model)
    assert graph.names()[1:] == ["inner"]
    _assert_same_outputs(graph.build(transfer_weights=True), model)


def test_a_model_that_computes_something_else_than_its_layers_is_refused():
    model = Doubled([tf.keras.Input((4,)), layers.Dense(4)])
    with pytest.raises(ValueError, match="functional or sequential .* got Doubled"):
        LayerGraph(model)


def test_each_call_of_a_shared_layer_gets_a_layer_of_its_own():
    x, y = tf.keras.Input((4,), name="x"), tf.keras.Input((4,), name="y")
    shared = irnet.layers.QuantDense(4, quantizer="irnet", name="shared")
    total = layers.Add(name="total")
    inner = tf.keras.Sequential([tf.keras.Input((4,)), shared], name="inner")
    twice = total([shared(shared(x)), inner(y)])
    again = total([twice, shared(y)])
    model = tf.keras.Model([x, y], [shared(again), twice], name="model")
    graph = LayerGraph(model, allow_shared=True)
    assert {*graph.shared} >= {"shared", "total"}
    graph.separate_calls()
    assert graph.shared == []
    result = graph.build(transfer_weights=True)
    _assert_same_outputs(result, model)
    assert shared_layers(result) == []
    dense = [one for one in result.layers if isinstance(one, layers.Dense)]
    assert len(dense) == 5
    assert len({id(weight) for one in dense for weight in one.weights}) == 10
    LayerGraph(result).build(transfer_weights=True)  # may be changed like any other
