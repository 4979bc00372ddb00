import re

import larq as lq
import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.layers import NamedActivation

layers = tf.keras.layers
IMAGES = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype("float32")


def conv(filters, name, kernel_size=3, **options):
    return layers.Conv2D(
        filters, kernel_size, **{"padding": "same", "name": name, **options}
    )


def model_of(*middle, stem=32, head=10):
    """A stem, the layers to look at, and a head; both ends stay float by default."""
    return tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 3)),
            conv(stem, "stem"),
            *middle,
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(head, name="head"),
        ],
        name="small",
    )


def residual(x, filters, name, stride=1):
    """A float block of two convolutions, as in ResNet."""
    y = conv(filters, f"{name}_conv1", strides=stride)(x)
    y = layers.BatchNormalization(name=f"{name}_bn1")(y)
    y = layers.ReLU(name=f"{name}_relu1")(y)
    y = conv(filters, f"{name}_conv2")(y)
    y = layers.BatchNormalization(name=f"{name}_bn2")(y)
    if stride > 1:
        x = conv(filters, f"{name}_down", 1, strides=stride)(x)
        x = layers.BatchNormalization(name=f"{name}_down_bn")(x)
    x = layers.Add(name=f"{name}_add")([x, y])
    return layers.ReLU(name=f"{name}_relu2")(x)


def small_resnet():
    images = tf.keras.Input((8, 8, 3))
    x = conv(32, "stem")(images)
    x = layers.BatchNormalization(name="stem_bn")(x)
    x = layers.ReLU(name="stem_relu")(x)
    x = residual(x, 32, "block1")
    x = residual(x, 64, "block2", stride=2)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return tf.keras.Model(images, layers.Dense(10, name="head")(x), name="resnet")


def squeeze_excite(x):
    gate = layers.GlobalAveragePooling2D(name="squeeze", keepdims=True)(x)
    gate = conv(8, "reduce", 1, activation="relu")(gate)
    gate = conv(x.shape[-1], "expand", 1, activation="sigmoid")(gate)
    return layers.Multiply(name="excite")([x, gate])


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


# Which layers


def test_all_but_the_ends_become_binary():
    binary = irnet.binarize(small_resnet(), "irnet")
    assert sorted(binary.binarization.binarized) == [
        *("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2"),
        "block2_down",
    ]
    for name in binary.binarization.binarized:
        layer = binary.get_layer(name)
        assert type(layer) is irnet.layers.QuantConv2D
        assert type(layer.input_quantizer) is irnet.quantizers.EDESign
        assert type(layer.kernel_quantizer) is irnet.quantizers.LibraPB
    assert type(binary.get_layer("stem")) is layers.Conv2D
    assert type(binary.get_layer("head")) is layers.Dense
    assert binary.binarization.binary_convolutions == 5
    assert binary.name == "resnet"


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        ((), set()),
        ("first", {"stem"}),
        (["last"], {"head"}),
        (("downsample",), {"block2_down"}),
        (["block1_conv2", "last"], {"block1_conv2", "head"}),
    ],
)
def test_what_is_kept(keep, kept):
    binary = irnet.binarize(small_resnet(), keep=keep, min_filter_size=1)
    assert set(binary.binarization.kept) == kept


def test_reasons_of_what_is_kept():
    images = tf.keras.Input((8, 8, 3))
    x = conv(32, "stem")(images)
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = layers.SeparableConv2D(32, 3, padding="same", name="separable")(x)
    x = conv(32, "grouped", groups=2)(x)
    x = irnet.layers.QuantConv2D(8, 3, quantizer="recu", name="own")(x)
    x = conv(32, "thin", 1)(x)
    x = conv(32, "binary")(x)
    x = squeeze_excite(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(16, name="hidden")(x)
    model = tf.keras.Model(images, layers.Dense(10, name="head")(x))
    report = irnet.binarize(model, "dirnet").binarization
    assert report.binarized == ["binary", "hidden"]
    expected = {
        "stem": "it is a first layer (keep='first')",
        "depthwise": "its filters have 9 weights, fewer than min_filter_size=32",
        "separable": "SeparableConv2D has no quantized counterpart here",
        "grouped": "it has 2 groups, which Larq Compute Engine does not run",
        "own": "it is quantized already",
        "thin": "its filters have 8 weights, fewer than min_filter_size=32",
        "reduce": "it computes a gate, from averages over all pixels",
        "expand": "it computes a gate, from averages over all pixels",
        "head": "it is a last layer (keep='last')",
    }
    assert report.kept == expected
    assert report.binary_convolutions == 2  # the dense layer is one of them


@pytest.mark.parametrize(
    ("layer", "counterpart", "accelerated"),
    [
        (layers.DepthwiseConv2D(7, name="x"), "QuantDepthwiseConv2D", 0),
        (layers.Conv2DTranspose(4, 2, name="x"), "QuantConv2DTranspose", 0),
        (layers.Dense(4, name="x"), "QuantDense", 0),  # of pixels, not of vectors
    ],
)
def test_other_kinds_of_layers(layer, counterpart, accelerated):
    binary = irnet.binarize(model_of(layer))
    assert type(binary.get_layer("x")).__name__ == counterpart
    assert binary.binarization.binary_convolutions == accelerated
    assert binary.output_shape == (None, 10)
    axes = {"QuantDepthwiseConv2D": (-2, -1), "QuantConv2DTranspose": (-2,)}
    quantizer = (
        getattr(binary.get_layer("x"), "depthwise_quantizer", None)
        or binary.get_layer("x").kernel_quantizer
    )
    assert quantizer.filter_axes == axes.get(counterpart, (-1,))


def test_conv1d():
    model = tf.keras.Sequential(
        [
            tf.keras.Input((16, 8)),
            layers.Conv1D(16, 3, name="stem"),
            layers.Conv1D(16, 3, padding="causal", name="middle"),
            layers.Conv1D(16, 3, padding="same", name="next"),
            layers.Flatten(),
            layers.Dense(4, name="head"),
        ]
    )
    binary = irnet.binarize(model)
    assert binary.get_layer("middle").padding == "causal"
    assert binary.get_layer("next").pad_values == 1.0
    assert binary.binarization.binary_convolutions == 0


def test_weights_alone():
    binary = irnet.binarize(small_resnet(), "irnet_w1a32")
    assert binary.get_layer("block1_conv1").input_quantizer is None
    assert type(binary.get_layer("block1_conv1").kernel_quantizer).__name__ == "LibraPB"
    assert binary.binarization.replaced_activations == ()
    assert binary.binarization.binary_convolutions == 0


def test_a_method_of_ones_own_and_its_constants():
    method = irnet.methods.get("dirnet").with_estimator(epsilon=0.25)
    binary = irnet.binarize(small_resnet(), method)
    assert binary.get_layer("block1_conv1").input_quantizer.epsilon == 0.25
    assert binary.binarization.method == "dirnet"


def test_the_constraint_is_the_methods():
    model = model_of(conv(32, "x", kernel_constraint="max_norm"))
    assert irnet.binarize(model, "irnet").get_layer("x").kernel_constraint is None
    clipped = irnet.binarize(model, "ste_sign").get_layer("x").kernel_constraint
    assert isinstance(clipped, lq.constraints.WeightClip)


def test_configuration_stays():
    options = {
        "strides": 2,
        "dilation_rate": 1,
        "use_bias": False,
        "kernel_regularizer": "l2",
        "kernel_initializer": "he_normal",
    }
    model = model_of(conv(32, "x", 5, **options))
    layer = irnet.binarize(model, pad_values=0.0).get_layer("x")
    assert (layer.filters, layer.kernel_size, layer.strides) == (32, (5, 5), (2, 2))
    assert layer.padding == "same" and layer.pad_values == 0.0
    assert layer.bias is None
    assert layer.kernel_regularizer is not None
    assert isinstance(layer.kernel_initializer, tf.keras.initializers.HeNormal)


# Activations


def test_activations_that_binary_layers_read_are_replaced():
    binary = irnet.binarize(small_resnet())
    names = ("stem_relu", "block1_relu1", "block1_relu2", "block2_relu1")
    assert binary.binarization.replaced_activations == names
    for name in names:
        assert binary.get_layer(name).get_config()["activation"] == "hard_tanh"
    assert type(binary.get_layer("block2_relu2")) is layers.ReLU  # for the float head


def test_activations_are_found_behind_pools_sums_and_padding():
    images = tf.keras.Input((8, 8, 3))
    x = conv(32, "stem", activation="relu")(images)
    x = layers.MaxPooling2D(name="max")(layers.Dropout(0.1)(x))
    y = layers.ELU(name="elu")(x)
    x = layers.Concatenate(name="both")([x, y])
    x = conv(32, "binary", padding="valid")(layers.ZeroPadding2D(name="pad")(x))
    x = layers.Dense(10, name="head")(layers.Flatten()(layers.PReLU(name="prelu")(x)))
    binary = irnet.binarize(tf.keras.Model(images, x))
    assert binary.binarization.replaced_activations == ("stem", "elu")
    assert binary.get_layer("stem").activation is lq.activations.hard_tanh
    assert type(binary.get_layer("prelu")) is layers.PReLU


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.ReLU(6.0, name="act"),
        lambda: layers.LeakyReLU(name="act"),
        lambda: layers.PReLU(name="act"),
        lambda: layers.Activation("swish", name="act"),
        lambda: layers.Activation(tf.nn.silu, name="act"),
        lambda: layers.Activation("gelu", name="act"),
    ],
)
def test_the_family_of_relu(make):
    model = model_of(make(), layers.MaxPooling2D(name="max"), conv(32, "x"))
    binary = irnet.binarize(model)
    assert type(binary.get_layer("act")) is NamedActivation


@pytest.mark.parametrize(
    ("function", "name"),
    [(tf.nn.relu, "tf.nn.relu"), (tf.nn.softplus, "tf.math.softplus")],
)
def test_functions_of_the_family(function, name):
    images = tf.keras.Input((8, 8, 3))
    x = conv(32, "x")(function(conv(32, "stem")(images)))
    x = layers.Dense(10, name="head")(layers.Flatten()(x))
    binary = irnet.binarize(tf.keras.Model(images, x))
    assert binary.binarization.replaced_activations == (name,)
    assert binary(IMAGES).shape == (4, 10)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[:, 2:6],
        lambda x: tf.split(x, 2, axis=1)[1],
        lambda x: tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]),
        lambda x: tf.transpose(x, [0, 2, 1, 3]),
        lambda x: tf.image.resize(x, (4, 4)),
        lambda x: tf.concat([x, x], axis=-1),
        lambda x: tf.nn.max_pool2d(x, 2, 2, "SAME"),
        layers.Resizing(4, 4),
        layers.GaussianNoise(0.1),
    ],
)
def test_activations_are_found_behind_functions(function):
    images = tf.keras.Input((8, 8, 3))
    x = layers.ReLU(name="act")(conv(32, "stem")(images))
    x = layers.Flatten()(conv(32, "x")(function(x)))
    model = tf.keras.Model(images, layers.Dense(10, name="head")(x))
    assert irnet.binarize(model).binarization.replaced_activations == ("act",)


def test_layers_of_inner_models_that_get_other_names():
    def body(name, channels):
        x = [conv(32, "conv", activation="relu"), conv(32, "last")]
        return tf.keras.Sequential([tf.keras.Input((8, 8, channels)), *x], name=name)

    head = [layers.GlobalAveragePooling2D(), layers.Dense(10, name="head")]
    images = tf.keras.Input((8, 8, 3))
    model = tf.keras.Sequential([images, body("one", 3), body("two", 32), *head])
    twin = irnet.binarize(model, method="recu", shortcuts="bireal")
    assert twin.binarization.binarized == ["last", "two_conv", "two_last"]
    for name, layer in (("last", "one"), ("two_last", "two")):
        original = model.get_layer(layer).get_layer("last")
        np.testing.assert_array_equal(
            twin.get_layer(name).get_weights()[0], original.get_weights()[0]
        )
    assert twin(IMAGES).shape == (4, 10)


def doubled(x):
    """A non-linearity in name only."""
    return 2.0 * x


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (layers.LeakyReLU(0.3), lq.activations.hard_tanh),
        (layers.Softmax(1), layers.Softmax(1)),
        (doubled, doubled),
        ("tanh", tf.keras.activations.tanh),
    ],
    ids=["LeakyReLU", "Softmax", "doubled", "tanh"],
)
def test_activations_of_all_kinds_within_layers(activation, expected):
    binary = irnet.binarize(
        model_of(conv(32, "a", activation=activation), conv(32, "b"))
    )
    x = np.random.default_rng(1).normal(size=(2, 8, 8, 32)).astype("float32")
    behind = binary.get_layer("a_activation")
    np.testing.assert_array_equal(behind(x), expected(tf.constant(x)))


def test_cells_of_recurrent_layers_stay():
    sequences = tf.keras.Input((5, 3))
    x = layers.LSTM(32, activation="relu", name="lstm")(sequences)
    x = layers.Dense(32, name="x")(x)
    twin = irnet.binarize(
        tf.keras.Model(sequences, layers.Dense(10, name="head")(x)), method="dirnet"
    )
    assert twin.get_layer("lstm").activation is tf.keras.activations.relu
    assert twin.binarization.replaced_activations == ()
    assert twin.binarization.binarized == ["x"]
    assert twin.binarization.binary_convolutions == 1


def test_other_activations_stay():
    tanh = layers.Activation("tanh", name="act")
    binary = irnet.binarize(model_of(tanh, conv(32, "x")))
    assert binary.get_layer("act").activation is tf.keras.activations.tanh
    assert binary.binarization.replaced_activations == ()


def test_behind_a_normalisation_signs_tell_something():
    model = model_of(
        layers.ReLU(name="act"), layers.BatchNormalization(name="bn"), conv(32, "x")
    )
    assert irnet.binarize(model).binarization.replaced_activations == ()


@pytest.mark.parametrize(
    ("activation", "expected"), [("tanh", "tanh"), ("as_is", None), ("relu", None)]
)
def test_activation_of_choice(activation, expected):
    binary = irnet.binarize(small_resnet(), activation=activation)
    layer = binary.get_layer("stem_relu")
    if expected is None:
        assert type(layer) is layers.ReLU
    else:
        assert layer.get_config()["activation"] == expected


# What is put in


def test_normalisation_is_put_in_where_there_is_none():
    model = model_of(
        conv(32, "bare"),
        layers.ReLU(name="act"),
        conv(32, "normalised"),
        layers.BatchNormalization(name="bn"),
        conv(32, "pooled"),
        layers.MaxPooling2D(name="max"),
        layers.BatchNormalization(name="late"),
    )
    binary = irnet.binarize(model)
    added = {one.layer: one.added for one in binary.binarization.decisions}
    assert added["bare"] == ("bare_bn",)
    assert added["normalised"] == added["pooled"] == ()
    order = [layer.name for layer in binary.layers]
    assert order.index("bare_bn") == order.index("bare") + 1
    plain = irnet.binarize(model, normalize=False)
    assert not any(one.added for one in plain.binarization.decisions)


def test_activation_within_a_convolution_goes_behind_its_normalisation():
    model = model_of(
        conv(32, "a", activation="relu"),
        conv(32, "b", activation="tanh"),
        layers.BatchNormalization(name="b_norm"),
    )
    binary = irnet.binarize(model)
    order = [layer.name for layer in binary.layers]
    assert order[2:8] == ["a", "a_bn", "a_activation", "b", "b_norm", "b_activation"]
    assert binary.get_layer("a").activation is tf.keras.activations.linear
    assert binary.get_layer("a_activation").get_config()["activation"] == "hard_tanh"
    assert binary.get_layer("b_activation").get_config()["activation"] == "tanh"


def test_channel_scales_of_recu():
    binary = irnet.binarize(small_resnet(), "recu")
    assert kinds(binary).count("ChannelScale") == 5
    order = [layer.name for layer in binary.layers]
    at = order.index("block1_conv1")
    assert order[at : at + 3] == ["block1_conv1", "block1_conv1_scale", "block1_bn1"]


def test_shortcuts_of_bireal_net():
    binary = irnet.binarize(small_resnet(), shortcuts="bireal")
    shortcuts = [name for name in _names(binary) if name.endswith("_shortcut")]
    expected = ["block1_conv1_shortcut", "block1_conv2_shortcut"]
    assert shortcuts == [*expected, "block2_conv2_shortcut"]
    block = tf.keras.Model(
        binary.inputs,
        [
            binary.get_layer(name).output
            for name in ("stem_relu", "block1_bn1", "block1_conv1_shortcut")
        ],
    )
    x, y, total = block(IMAGES)
    np.testing.assert_array_equal(total, x + y)
    readers = [node.layer.name for node in binary.get_layer(expected[0]).outbound_nodes]
    assert "block1_relu1" in readers
    assert not any(
        "shortcut" in name for name in _names(irnet.binarize(small_resnet()))
    )


def _names(model):
    return [layer.name for layer in model.layers]


@pytest.mark.parametrize(
    "strides, padding, taken",
    [(1, "same", True), (2, "same", False), (1, "valid", False)],
)
def test_shortcuts_where_sizes_of_images_are_not_known(strides, padding, taken):
    images = tf.keras.Input((None, None, 3))
    x = conv(32, "conv", strides=strides, padding=padding)(conv(32, "stem")(images))
    x = layers.Dense(10, name="head")(layers.GlobalAveragePooling2D()(x))
    twin = irnet.binarize(tf.keras.Model(images, x), shortcuts="bireal")
    (decision,) = [one for one in twin.binarization.decisions if one.binarized]
    assert ("conv_shortcut" in decision.added) == taken
    twin(np.ones((1, 8, 8, 3), "float32"))


def test_a_frozen_model_in_the_model_becomes_binary_and_learns():
    body = tf.keras.Sequential(
        [tf.keras.Input((8, 8, 3)), conv(32, "stem"), conv(32, "conv", use_bias=False)]
        + [layers.BatchNormalization(name="bn")],
        name="body",
    )
    body.trainable = False
    images = tf.keras.Input((8, 8, 3))
    x = layers.GlobalAveragePooling2D()(body(images, training=False))
    model = tf.keras.Model(images, layers.Dense(10, name="head")(x))
    twin = irnet.binarize(model)
    assert twin.binarization.binarized == ["conv"]
    assert isinstance(twin.get_layer("conv"), irnet.layers.QuantConv2D)
    np.testing.assert_array_equal(
        body.get_layer("stem").kernel, twin.get_layer("stem").kernel
    )
    assert len(twin.trainable_weights) == 2 + 1 + 2 + 2
    twin.compile("sgd", "mse")
    before = twin.get_layer("bn").moving_mean.numpy()
    twin.fit(IMAGES, np.ones((4, 10)), verbose=0)
    assert (twin.get_layer("bn").moving_mean.numpy() != before).any()
    assert not body.trainable and not model.get_layer("body").trainable_weights


def test_a_teacher_with_models_in_it_is_flattened_to_be_aligned():
    body = tf.keras.Sequential(
        [tf.keras.Input((8, 8, 3)), conv(32, "stem"), conv(32, "conv")], name="body"
    )
    images = tf.keras.Input((8, 8, 3))
    x = conv(32, "outer")(body(images))
    x = layers.Dense(10, name="head")(layers.GlobalAveragePooling2D()(x))
    nested = tf.keras.Model(images, x)
    distillation, twin = irnet.distillation, irnet.binarize(nested)

    def unmatched(teacher):
        alignment = distillation.RepresentationAlignment()
        return distillation.Distiller(twin, teacher, alignment=alignment).unmatched

    assert re.search(r"within \['body'\].*flattened", unmatched(nested)["conv"])
    teacher = irnet.binarization.flattened(nested)
    assert unmatched(teacher) == {}
    np.testing.assert_array_equal(teacher(IMAGES), nested(IMAGES))


def test_channels_that_are_split_go_where_they_went():
    images = tf.keras.Input((8, 8, 3))
    both = conv(128, "stem")(images)
    one, other = tf.split(both, 2, axis=-1)
    x = [conv(64, "a")(one), conv(64, "b")(other)]
    x = layers.GlobalAveragePooling2D()(layers.Concatenate()(x))
    model = tf.keras.Model(images, layers.Dense(10, name="head")(x))
    twin = irnet.binarize(model, shortcuts="bireal")
    inner = tf.keras.Model(
        twin.input, [twin.get_layer(n).output for n in ("stem", "b", "b_shortcut")]
    )
    assert twin.get_layer("b").input is not twin.get_layer("a").input
    stem, b, total = inner(IMAGES)
    np.testing.assert_allclose(total - stem[..., 64:], twin.get_layer("b_bn")(b), 1e-4)


def test_sums_and_products_that_operators_make():
    images = tf.keras.Input((8, 8, 3))
    x = conv(32, "stem")(images)
    x = x + layers.BatchNormalization()(conv(32, "c")(x))
    down = layers.BatchNormalization()(conv(64, "down", 1, strides=2)(x))
    x = down + layers.BatchNormalization()(conv(64, "d", strides=2)(x))
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = conv(64, "expand", 1, activation="sigmoid")(conv(32, "reduce", 1)(gate))
    x = layers.GlobalAveragePooling2D()(x * gate)
    model = tf.keras.Model(images, layers.Dense(10, name="head")(x))
    keep = ("first", "last", "downsample")
    report = irnet.binarize(model, keep=keep, shortcuts="bireal").binarization
    assert report.binarized == ["c", "d"]
    assert all(not decision.added for decision in report.decisions)


def test_what_is_computed_with_a_non_linearity_stays():
    x = tf.keras.Input((32, 32, 3))
    model = tf.keras.applications.MobileNetV3Small(input_tensor=x, weights=None)
    twin = irnet.binarize(model, method="dirnet")  # hard sigmoids: relu6(x + 3) / 6
    relu6 = [layer.name for layer in model.layers if isinstance(layer, layers.ReLU)]
    hard = [
        name for name in relu6 if twin.get_layer(name).get_config().get("max_value")
    ]
    assert len(hard) == sum(model.get_layer(name).max_value == 6.0 for name in relu6)


def test_channels_first_stays():
    model = tf.keras.Sequential([tf.keras.Input((32, 8, 8))])
    for name in "abc":
        model.add(conv(32, name, data_format="channels_first"))
    with pytest.raises(ValueError, match="'b': 'it is channels_first, which Larq"):
        irnet.binarize(model)


@pytest.mark.parametrize("kind", [layers.LayerNormalization, layers.Normalization])
def test_normalisations_over_several_axes_are_no_first_layers(kind):
    first = kind(axis=[1, 2, 3], name="normalization")
    model = tf.keras.Sequential([tf.keras.Input((8, 8, 3)), first])
    for name in "abc":
        model.add(conv(32, name))
    twin = irnet.binarize(model)
    assert twin.binarization.binarized == ["b"]
    assert list(twin.binarization.kept) == ["a", "c"]


@pytest.mark.parametrize("nested", [False, True])
def test_a_loss_that_the_model_adds_is_refused(nested):
    plain = model_of(conv(32, "x"))
    model = tf.keras.Model(plain.inputs, plain.outputs)
    model.add_loss(tf.reduce_mean(model.output))
    if nested:
        images = tf.keras.Input((8, 8, 3))
        model = tf.keras.Model(images, model(images), name="model")
    with pytest.raises(ValueError, match="a model without add_loss, got 'model"):
        irnet.binarize(model)
    irnet.binarize(tf.keras.Model(plain.input, plain.output))


def test_what_is_no_model():
    with pytest.raises(ValueError, match="functional or sequential Keras model, got"):
        irnet.binarize("MobileNet")


def test_shortcuts_that_are_there_are_not_put_in_again():
    images = tf.keras.Input((8, 8, 3))
    x = conv(32, "stem")(images)
    y = layers.BatchNormalization(name="bn")(conv(32, "x")(x))
    x = layers.Add(name="add")([x, y])
    x = layers.Dense(10, name="head")(layers.Flatten()(x))
    binary = irnet.binarize(tf.keras.Model(images, x), shortcuts="bireal")
    assert _names(binary) == _names(tf.keras.Model(images, x))


# Weights


def test_float_weights_become_latent_weights():
    model = small_resnet()
    before = model.get_weights()
    binary = irnet.binarize(model, "irnet")
    for layer in model.layers:
        for ours, theirs in zip(
            binary.get_layer(layer.name).get_weights(), layer.get_weights()
        ):
            np.testing.assert_array_equal(ours, theirs)
    kernel = model.get_layer("block1_conv1").kernel
    with lq.context.quantized_scope(True):
        quantized = binary.get_layer("block1_conv1").get_weights()[0]
    np.testing.assert_array_equal(quantized, irnet.quantizers.libra_pb(kernel))
    fit(binary)
    for ours, theirs in zip(model.get_weights(), before):
        np.testing.assert_array_equal(ours, theirs)


def test_initial_weights():
    model = small_resnet()
    binary = irnet.binarize(model, transfer_weights=False)
    for name in ("stem", "block1_conv1"):
        ours, theirs = (m.get_layer(name).get_weights()[0] for m in (binary, model))
        assert not np.array_equal(ours, theirs)


def fit(model, **options):
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, **options)
    scheduler = irnet.callbacks.EstimatorScheduler()
    return model.fit(
        IMAGES, np.arange(4), epochs=2, verbose=0, callbacks=[scheduler]
    ).history


@pytest.mark.parametrize("method", [n for n in irnet.methods.names() if n != "float"])
def test_every_method_trains(method):
    binary = irnet.binarize(small_resnet(), method, shortcuts="bireal")
    before = binary.get_layer("block2_conv2").get_weights()[0]
    history = fit(binary)
    assert np.isfinite(history["loss"]).all()
    assert (binary.get_layer("block2_conv2").get_weights()[0] != before).any()
    scheduled = irnet.callbacks.scheduled_quantizers(binary)
    assert all(float(quantizer.progress) == 0.5 for quantizer in scheduled)


@pytest.mark.parametrize("policy", ["float64", "mixed_float16", "mixed_bfloat16"])
def test_precisions_stay(policy):
    tf.keras.mixed_precision.set_global_policy(policy)
    model = small_resnet()
    tf.keras.mixed_precision.set_global_policy("float32")
    binary = irnet.binarize(model, "recu", shortcuts="bireal")
    assert {layer.dtype_policy.name for layer in binary.layers[1:]} == {policy}
    assert np.isfinite(fit(binary)["loss"]).all()


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_the_twin_is_saved_and_loaded(tmp_path, suffix):
    binary = irnet.binarize(small_resnet(), "dirnet", shortcuts="bireal")
    binary.save(tmp_path / f"model{suffix}")
    loaded = tf.keras.models.load_model(tmp_path / f"model{suffix}")
    np.testing.assert_array_equal(loaded(IMAGES), binary(IMAGES))
    assert kinds(loaded) == kinds(binary)


# The report


def test_report_counts_and_prints():
    report = irnet.binarize(small_resnet(), "dirnet", shortcuts="bireal").binarization
    binary = 9 * (32 * 32 * 2 + 32 * 64 + 64 * 64) + 32 * 64
    total = binary + 9 * 3 * 32 + 64 * 10
    assert report.binary_share == pytest.approx(binary / total)
    lines = str(report).splitlines()
    assert lines[0] == (
        "dirnet: 5 of 7 layers binary, 98.1% of the weights; 4 activations replaced; "
        "5 LceBconv2d expected"
    )
    assert (
        lines[1].split() == "stem 864 float: it is a first layer (keep='first')".split()
    )
    assert (
        lines[2].split()
        == "block1_conv1 9,216 binary, with block1_conv1_shortcut".split()
    )


# Errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "float"}, "a method with binary weights, got 'float'"),
        ({"method": "irnett"}, "Expected a method out of"),
        (
            {"keep": ("frist",)},
            r"`keep` out of .*'first'.*got \['frist'\]. 'resnet' has",
        ),
        ({"keep": ("stem_bn",)}, r"got \['stem_bn'\]"),
        ({"shortcuts": "resnet"}, r"`shortcuts` out of \['as_is', 'bireal'\], got"),
        ({"pad_values": -1.0}, r"`pad_values` out of \[0.0, 1.0\], .* got -1.0"),
        ({"min_filter_size": 0}, "`min_filter_size` to be positive, got 0"),
        ({"min_filter_size": 9999}, "to have layers to binarize, got none: .*'head'"),
        ({"activation": "no such"}, "no such"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        irnet.binarize(small_resnet(), **options)


class Subclassed(tf.keras.Model):
    def call(self, inputs):
        return inputs


def test_subclassed_models():
    with pytest.raises(
        ValueError, match="got Subclassed .*Rebuild it with tf.keras.In"
    ):
        irnet.binarize(Subclassed())


def test_shared_layers():
    images, shared = tf.keras.Input((8, 8, 3)), conv(3, "shared")
    model = tf.keras.Model(images, layers.Flatten()(shared(shared(images))))
    with pytest.raises(
        ValueError, match=r"\['shared'\], which are shared.*for each call"
    ):
        irnet.binarize(model)
