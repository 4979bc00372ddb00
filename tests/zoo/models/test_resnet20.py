import dataclasses

import larq as lq
import numpy as np
import pytest
import tensorflow as tf
from larq.models import ModelProfile

import larq_irnet as irnet
import zoo
from tests.zoo.models import reference

# of the authors' network
TRAINABLE = 269_850
BINARY = 267_264
BINARY_MACS = 40_108_032
FLOAT_MACS = 443_008

SMALL = (8, 8, 1)


def parameters(weights):
    return sum(weight.shape.num_elements() for weight in weights)


def binary_convolutions(model):
    return [layer for layer in model.layers if isinstance(layer, lq.layers.QuantConv2D)]


def randomize(model):
    """Weights, batch norm statistics included, that no formula can confuse."""
    generator = np.random.default_rng(7)
    for layer in model.layers:
        weights = [generator.normal(size=w.shape) for w in layer.get_weights()]
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            gamma, _, _, variance = weights
            gamma[:] = generator.uniform(0.2, 1.0, gamma.shape)
            variance[:] = generator.uniform(1.0, 9.0, variance.shape)
        layer.set_weights(weights)


def random_images(*shape):
    return np.random.default_rng(3).normal(size=shape)


def float64_model(method="irnet", **arguments):
    tf.keras.mixed_precision.set_global_policy("float64")
    model = zoo.ResNet20(method, **arguments)
    randomize(model)
    return model


@pytest.fixture(scope="module")
def cifar_model():
    return zoo.ResNet20()


@pytest.fixture(scope="module")
def irnet_model():
    return zoo.ResNet20("irnet", input_shape=SMALL)


@pytest.fixture(scope="module")
def ste_sign_model():
    return zoo.ResNet20("ste_sign", input_shape=SMALL)


def test_parameters_are_those_of_the_paper(cifar_model):
    assert parameters(cifar_model.trainable_weights) == TRAINABLE
    binary = [w for w in cifar_model.weights if getattr(w, "precision", 32) == 1]
    assert parameters(binary) == BINARY
    assert len(binary) == 18


def test_operations_are_those_of_the_paper(cifar_model):
    profile = ModelProfile(cifar_model)
    assert profile.weight_count(1) == BINARY
    assert profile.op_count("mac", 1) == BINARY_MACS
    assert profile.op_count("mac", 32) == FLOAT_MACS


@pytest.fixture(scope="module")
def recu_model():
    return zoo.ResNet20("recu")


def test_recu_is_that_of_its_paper(recu_model):
    profile = ModelProfile(recu_model)
    assert parameters(recu_model.trainable_weights) == 270_522
    assert profile.weight_count(1) == BINARY
    assert profile.op_count("mac", 1) == BINARY_MACS
    assert profile.op_count("mac", 32) == FLOAT_MACS


@pytest.mark.parametrize(
    "method, shortcut, pooled",
    [
        ("recu", None, True),
        ("irnet", None, False),
        ("recu", "strided", False),
        ("irnet", "average_pool", True),
    ],
)
def test_shortcuts(method, shortcut, pooled):
    model = zoo.ResNet20(method, input_shape=SMALL, shortcut=shortcut)
    names = {layer.name for layer in model.layers}
    for stage in (2, 3):
        name = f"stage{stage}_block1"
        assert (f"{name}_pool" in names) == pooled
        assert (f"{name}_pixels" in names) == (not pooled)
        halved = model.get_layer(f"{name}_pool" if pooled else f"{name}_pixels")
        assert model.get_layer(name).input is halved.output
        assert model.get_layer(f"{name}_conv1_add").input[1] is (
            model.get_layer(name).output
        )


@pytest.mark.parametrize("block", ["bi_real", "normal"])
def test_recu_in_every_block(block):
    model = zoo.ResNet20("recu", input_shape=SMALL, block=block)
    assert np.isfinite(model(tf.zeros((2, *SMALL)))).all()
    assert len(binary_convolutions(model)) == 18


def test_recus_classifier_starts_from_pytorchs_default(recu_model, cifar_model):
    for weight in recu_model.get_layer("logits").get_weights():
        assert abs(weight).max() <= 1 / 8  # uniform, of 64 inputs
    kernel, _ = cifar_model.get_layer("logits").get_weights()
    assert abs(kernel).max() > 1 / 4  # normal, of deviation 0.18


def test_binary_layers(cifar_model):
    convolutions = binary_convolutions(cifar_model)
    assert len(convolutions) == 18
    assert not any(layer.use_bias for layer in convolutions)
    assert all(layer.padding == "same" for layer in convolutions)
    assert [layer.strides[0] for layer in convolutions].count(2) == 2
    assert {type(layer.input_quantizer) for layer in convolutions} == {
        irnet.quantizers.EDESign
    }


def test_every_layer_has_its_own_quantizers(cifar_model):
    assert len(irnet.callbacks.scheduled_quantizers(cifar_model)) == 2 * 18


def test_batch_norm_is_that_of_the_authors(irnet_model):
    norms = [
        layer
        for layer in irnet_model.layers
        if isinstance(layer, tf.keras.layers.BatchNormalization)
    ]
    assert len(norms) == 20
    assert {(layer.epsilon, layer.momentum) for layer in norms} == {(1e-5, 0.9)}


@pytest.mark.parametrize("name", irnet.methods.names())
def test_every_method_builds_and_runs(name):
    model = zoo.ResNet20(name, input_shape=SMALL)
    logits = model(tf.random.normal((2, *SMALL)))
    assert logits.shape == (2, 10)
    assert np.isfinite(logits).all()
    is_float = irnet.methods.get(name).kernel_quantizer is None
    assert ModelProfile(model).weight_count(1) == (0 if is_float else BINARY)


def test_a_method_that_is_not_registered():
    method = dataclasses.replace(irnet.methods.get("irnet"), name="mine")
    model = zoo.ResNet20(method, input_shape=SMALL)
    assert {layer.method for layer in binary_convolutions(model)} == {"mine"}


@pytest.mark.parametrize(
    "input_shape, last",
    [((28, 29, 2), (7, 8)), ((9, 2, 1), (3, 1))],
)
def test_shapes(input_shape, last):
    model = zoo.ResNet20("irnet", input_shape=input_shape, num_classes=7)
    assert model.input_shape == (None, *input_shape)
    assert model.get_layer("stage3_block3_conv2_act").output_shape == (None, *last, 64)
    assert model(tf.zeros((3, *input_shape))).shape == (3, 7)


@pytest.mark.parametrize("method", ["irnet", "recu"])
def test_initial_kernels_have_the_deviation_of_kaiming(method, request):
    name_of_fixture = {"irnet": "cifar_model", "recu": "recu_model"}[method]
    model = request.getfixturevalue(name_of_fixture)
    for name, fan_in in ("stem_conv", 27), ("stage3_block3_conv2", 576):
        kernel = model.get_layer(name).get_weights()[0]
        # four standard errors of a sample deviation
        tolerance = 4 * np.sqrt(2 / fan_in) / np.sqrt(2 * kernel.size)
        assert kernel.std() == pytest.approx(np.sqrt(2 / fan_in), abs=tolerance)


def test_every_weight_gets_a_gradient(irnet_model):
    with tf.GradientTape() as tape:
        logits = irnet_model(tf.random.normal((4, *SMALL)), training=True)
        loss = tf.reduce_mean(tf.square(logits - 1.0))
    gradients = tape.gradient(loss, irnet_model.trainable_weights)
    assert all(tf.reduce_max(tf.abs(gradient)) > 0 for gradient in gradients)


def test_irnet_costs_what_ste_sign_costs(irnet_model, ste_sign_model):
    ours, theirs = ModelProfile(irnet_model), ModelProfile(ste_sign_model)
    for bits in (1, 32):
        assert ours.weight_count(bits) == theirs.weight_count(bits) > 0
        assert ours.op_count("mac", bits) == theirs.op_count("mac", bits) > 0
    assert ours.memory == theirs.memory


def test_weights_move_between_methods(irnet_model, ste_sign_model, tmp_path):
    randomize(irnet_model)
    irnet_model.save_weights(tmp_path / "some.weights.h5")
    ste_sign_model.load_weights(tmp_path / "some.weights.h5")
    assert [w.name for w in irnet_model.weights] == [
        w.name for w in ste_sign_model.weights
    ]
    for ours, theirs in zip(irnet_model.get_weights(), ste_sign_model.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


@pytest.fixture(scope="module")
def torch_model():
    """With all the layers that are the zoo's own."""
    model = zoo.ResNet20("irnet", input_shape=SMALL, alignment="torch")
    randomize(model)
    return model


def test_keras_file_round_trip(tmp_path, torch_model):
    check_same(torch_model, tmp_path / "model.keras")


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_hdf5_round_trip(tmp_path, torch_model):
    check_same(torch_model, tmp_path / "model.h5")


def test_saved_model_round_trip(tmp_path, torch_model):
    # up to the first shortcut: tracing the whole network takes ten seconds
    last = torch_model.get_layer("stage2_block1_conv1_act").output
    first_stage = tf.keras.Model(torch_model.input, last)
    check_same(first_stage, tmp_path / "saved_model")


def check_same(model, path):
    model.save(path)
    loaded = tf.keras.models.load_model(path)
    images = random_images(4, *SMALL).astype(np.float32)
    # the same operations on the same weights: equal to the last bit
    np.testing.assert_array_equal(loaded(images), model(images))
    assert loaded.count_params() == model.count_params()


def test_configuration_round_trip(irnet_model):
    clone = tf.keras.models.clone_model(irnet_model)
    clone.set_weights(irnet_model.get_weights())
    images = tf.random.normal((2, *SMALL))
    np.testing.assert_array_equal(clone(images), irnet_model(images))


def test_float64(block_model):
    logits = block_model(tf.constant(random_images(2, 8, 7, 1)))
    assert logits.dtype == tf.float64
    assert {w.dtype for w in block_model.weights} == {tf.float64}


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_has_float32_logits(policy):
    tf.keras.mixed_precision.set_global_policy(policy)
    model = zoo.ResNet20("irnet", input_shape=SMALL)
    logits = model(tf.random.normal((2, *SMALL)))
    assert logits.dtype == tf.float32
    assert np.isfinite(logits).all()
    assert {w.dtype for w in model.weights} == {tf.float32}
    assert model.get_layer("stage1_block1_conv1").compute_dtype == policy[6:]


@pytest.mark.parametrize(
    "name, before, stride",
    [
        ("stage1_block2_conv1", "stage1_block1_conv2_act", 1),
        ("stage1_block2_conv2", "stage1_block2_conv1_act", 1),
        ("stage2_block1_conv1", "stage1_block3_conv2_act", 2),
        ("stage3_block1_conv1", "stage2_block3_conv2_act", 2),
    ],
)
def test_blocks_compute_the_formula(name, before, stride, block_model):
    ends = [block_model.get_layer(layer).output for layer in (before, f"{name}_act")]
    images = tf.constant(random_images(2, 8, 7, 1))
    x, y = tf.keras.Model(block_model.input, ends)(images)
    expected = reference.half_block(
        x.numpy(),
        block_model.get_layer(name).get_weights()[0],
        block_model.get_layer(f"{name}_bn").get_weights(),
        stride,
    )
    # 576 products at most of magnitude one, in float64
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12)


@pytest.fixture(scope="module")
def block_model():
    model = float64_model(input_shape=(8, 7, 1))
    tf.keras.mixed_precision.set_global_policy("float32")
    return model


@pytest.mark.parametrize("alignment", ["tensorflow", "torch"])
@pytest.mark.parametrize(
    "method, input_shape, value",
    [
        ("irnet", (8, 8, 1), 0.0),
        ("irnet", (10, 7, 3), 1.0),
        ("irnet", (9, 6, 2), 0.0),
        ("recu", (8, 8, 1), 1.0),
        ("recu", (12, 8, 3), 0.0),
    ],
)
def test_the_network_is_that_of_the_paper(method, alignment, input_shape, value):
    model = float64_model(
        method, input_shape=input_shape, pad_values=value, alignment=alignment
    )
    weights = {layer.name: layer.get_weights() for layer in model.layers}
    if alignment == "torch":  # the authors' kernels are those of the rotated frame
        weights = {name: list(map(as_in_torch, w)) for name, w in weights.items()}
    images = random_images(3, *input_shape)
    expected, of_the_other = (
        reference.resnet20(images, weights, geometry=geometry, value=value)
        for geometry in (alignment, *({"tensorflow", "torch"} - {alignment}))
    )
    assert np.abs(expected - of_the_other).max() > 1e-3
    # rounding alone; a sign that flips would change logits by more than 1e-3
    np.testing.assert_allclose(model(images), expected, rtol=0, atol=1e-9)


def as_in_torch(weight):
    return reference.rotate_kernel(weight) if weight.ndim == 4 else weight
