"""What is imported where, and what is refused before anything is assigned."""

import re
import subprocess
import sys

import larq as lq
import numpy as np
import pytest
import tensorflow as tf
import torch

import zoo
from larq_irnet.quantized_scope import quantized_scope
from tests.zoo import torch_networks
from tests.zoo.network_pairs import BY_NAME, EVEN, float64, random_images
from tests.zoo.torch_networks import make_lively
from zoo.torch_import import load_state_dict
from zoo.torch_layouts import find_layout

SMALL = (8, 8, 1)


@pytest.fixture(scope="module")
def state_dict():
    network = make_lively(torch_networks.ResNet20(channels=1), size=8, channels=1)
    return network.state_dict()


def small_model(method="irnet", **arguments):
    defaults = {"input_shape": SMALL, "alignment": "torch"}
    return zoo.ResNet20(method, **{**defaults, **arguments})


@pytest.fixture(scope="module")
def model():
    return small_model()


def assert_same(ours, theirs):
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def imported(model, state_dict):
    load_state_dict(model, state_dict)
    return model.get_weights()


def test_convolutions_are_transposed_and_rotated(model, imported, state_dict):
    for name, theirs in (
        ("stem_conv", "conv1"),
        ("stage2_block1_conv1", "layer2.0.conv1"),
        ("stage3_block3_conv2", "layer3.2.conv2"),
    ):
        kernel = model.get_layer(name).get_weights()[0]
        weight = state_dict[f"{theirs}.weight"].numpy()
        for i, j in np.ndindex(3, 3):
            np.testing.assert_array_equal(kernel[i, j], weight[:, :, 2 - i, 2 - j].T)


def test_batch_norm_and_classifier(model, imported, state_dict):
    for name, theirs in (
        ("stem_bn", "bn1"),
        ("stage1_block2_conv1_bn", "layer1.1.bn1"),
        ("head_bn", "bn2"),
    ):
        names = "weight", "bias", "running_mean", "running_var"
        expected = [state_dict[f"{theirs}.{name}"].numpy() for name in names]
        assert_same(model.get_layer(name).get_weights(), expected)
    kernel, bias = model.get_layer("logits").get_weights()
    np.testing.assert_array_equal(kernel, state_dict["linear.weight"].numpy().T)
    np.testing.assert_array_equal(bias, state_dict["linear.bias"].numpy())


@pytest.mark.parametrize("alignment", zoo.models.ALIGNMENTS)
def test_columns_of_a_flattened_image(alignment):
    model = zoo.VGGSmall("float", input_shape=(16, 24, 3), alignment=alignment)
    features = np.arange(512 * 2 * 3, dtype=np.float32).reshape(512, 2, 3)
    columns = np.tile(features.ravel(), (10, 1))  # each column says where it reads
    network = torch_networks.VGGSmall(size=16)
    state = {**network.state_dict(), "fc.weight": columns}
    load_state_dict(model, state)
    kernel = model.get_layer("logits").get_weights()[0]
    in_order = features.transpose(1, 2, 0)  # [H, W, C]
    np.testing.assert_array_equal(kernel[:, 0], in_order.ravel())
    np.testing.assert_array_equal(
        model.get_layer("conv1").get_weights()[0],
        state["conv1.weight"].numpy().transpose(2, 3, 1, 0),
    )


@pytest.fixture(scope="module")
def reactnet():
    """ReCU's network of the most kinds of layers: theirs, and ours with its weights."""
    return BY_NAME["recu_reactnet18"].build(size=32)


@pytest.mark.parametrize(
    "ours, theirs, shape",
    [
        ("stage1_block1_conv1_scale", "layer1.0.conv.alpha", (64, 1, 1)),
        ("stage4_block4_conv1_scale", "layer4.3.conv.alpha", (512, 1, 1)),
        ("stage2_block1_move0", "layer2.0.move0.bias", (1, 64, 1, 1)),
        ("stage2_block1_move1", "layer2.0.move1.bias", (1, 128, 1, 1)),
        ("stage3_block4_move2", "layer3.3.move2.bias", (1, 256, 1, 1)),
        ("stage3_block2_prelu", "layer3.1.nonlinear.weight", (256,)),
    ],
)
def test_one_number_for_each_channel(reactnet, ours, theirs, shape):
    network, model = reactnet
    weight = network.state_dict()[theirs]
    assert weight.shape == shape
    (imported,) = model.get_layer(ours).get_weights()
    np.testing.assert_array_equal(imported.ravel(), weight.numpy().ravel())


@pytest.mark.parametrize(
    "name", ["resnet20", "vgg_small", "resnet18", "recu_resnet20", "recu_reactnet18"]
)
def test_every_weight_is_replaced(name):
    network, model = BY_NAME[name].build(size=32)
    before = model.get_weights()
    make_lively(network, size=32, seed=2)
    load_state_dict(model, network.state_dict())
    assert all((a != b).any() for a, b in zip(before, model.get_weights()))


@pytest.mark.parametrize(
    "change",
    [
        lambda state: {f"module.{name}": value for name, value in state.items()},
        lambda state: {name: value.numpy() for name, value in state.items()},
        lambda state: {name: value.double() for name, value in state.items()},
        lambda state: {
            name: torch.nn.Parameter(value) if value.is_floating_point() else value
            for name, value in state.items()
        },
        lambda state: {n: v for n, v in state.items() if "num_batches" not in n},
        lambda state: {name: tf.constant(v.numpy()) for name, v in state.items()},
    ],
    ids=["DataParallel", "NumPy", "float64", "Parameter", "no counters", "TensorFlow"],
)
def test_forms_of_a_state_dict(model, imported, state_dict, change):
    model.set_weights([np.zeros_like(weight) for weight in imported])
    load_state_dict(model, change(state_dict))
    assert_same(model.get_weights(), imported)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(model, state_dict, dtype):
    halves = {name: value.to(dtype) for name, value in state_dict.items()}
    load_state_dict(model, halves)
    ours = model.get_weights()
    load_state_dict(model, {name: value.float() for name, value in halves.items()})
    assert_same(ours, model.get_weights())


def test_numpy_bfloat16(model, state_dict):
    bfloat16 = tf.bfloat16.as_numpy_dtype
    load_state_dict(
        model, {n: v.numpy().astype(bfloat16) for n, v in state_dict.items()}
    )
    ours = model.get_weights()
    load_state_dict(model, {n: v.bfloat16() for n, v in state_dict.items()})
    assert_same(ours, model.get_weights())


def test_float64_keeps_all_digits(state_dict):
    with float64():
        model = small_model()
    third = {name: value.double() / 3 for name, value in state_dict.items()}
    load_state_dict(model, third)
    assert model.get_layer("stem_bn").gamma.dtype == tf.float64
    expected = third["bn1.weight"].numpy()
    np.testing.assert_array_equal(model.get_layer("stem_bn").gamma, expected)


def test_mixed_precision(state_dict, imported):
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    model = small_model()
    load_state_dict(model, state_dict)
    assert_same(model.get_weights(), imported)


@pytest.mark.parametrize("quantize", [True, False])
def test_latent_weights_inside_and_outside_of_a_quantized_scope(
    model, imported, state_dict, quantize
):
    model.set_weights([np.zeros_like(weight) for weight in imported])
    with quantized_scope(quantize):
        load_state_dict(model, state_dict)
        assert lq.context.should_quantize() is quantize
    assert_same(model.get_weights(), imported)


@pytest.mark.parametrize("method", ["ste_sign", "float"])
def test_latent_weights_of_another_method(method, imported, state_dict):
    model = small_model(method, block="bi_real")
    load_state_dict(model, state_dict)
    assert_same(model.get_weights(), imported)


NETWORKS = {
    zoo.CifarResNet18: "ResNet-18 for CIFAR",
    zoo.IR2Net18: "IR2Net's ResNet-18",
    zoo.ReActNet18: "ReActNet's ResNet-18",
    zoo.ResNet18: "an ImageNet ResNet",
    zoo.ResNet20: "ResNet-20",
    zoo.ResNet34: "an ImageNet ResNet",
    zoo.VGGSmall: "VGG-Small",
}


@pytest.mark.parametrize("published", EVEN, ids=str)
def test_the_name_of_the_model_does_not_matter(published):
    arguments = {"input_shape": (32, 32, 3), "alignment": "torch", "name": "mine"}
    model = published.keras(published.method, **arguments, **published.keras_arguments)
    expected = NETWORKS[published.keras]
    if published.keras_arguments.get("recovery") in ("B", "C", "D"):
        expected += " with a cheap fusion"
    assert find_layout(model).network == expected


def test_bn3_may_be_missing_or_there_with_any_shape():
    model = zoo.ResNet18(input_shape=(32, 32, 3), num_classes=5, alignment="torch")
    state = torch_networks.ImageNetResNet(num_classes=5).state_dict()
    without = {n: v for n, v in state.items() if not n.startswith("bn3.")}
    assert len(state) - len(without) == 5
    load_state_dict(model, without)
    load_state_dict(model, {**without, "bn3.weight": np.ones(1000)})


@pytest.fixture(scope="module")
def recu_state_dict():
    network = torch_networks.ResNet20(
        conv=torch_networks.ReCUConv2d,
        shortcut=torch_networks.PooledOptionA,
        channels=1,
    )
    return make_lively(network, size=8, channels=1).state_dict()


@pytest.fixture(scope="module")
def recu_model():
    return small_model("recu")


@pytest.mark.parametrize("shape", [(), (1,), None])
def test_tau_does_not_count(recu_model, recu_state_dict, shape):
    """It is a scalar in a new network, of one element in the files, or left out."""
    taus = [name for name in recu_state_dict if name.endswith(".tau")]
    assert len(taus) == 18
    state = {n: v for n, v in recu_state_dict.items() if n not in taus}
    if shape is not None:
        state |= {name: torch.full(shape, 0.99) for name in taus}
    load_state_dict(recu_model, state)
    (alpha,) = recu_model.get_layer("stage1_block1_conv1_scale").get_weights()
    expected = state["layer1.0.conv1.alpha"].numpy()[:, 0, 0]
    np.testing.assert_array_equal(alpha, expected)
    assert expected.min() < 0 < expected.max()


def test_ones_as_padding_are_warned_of(state_dict, caplog):
    load_state_dict(small_model(pad_values=1.0), state_dict)
    assert "do not pad with zeros" in caplog.text


def refused(model, state_dict):
    """The error, after making sure that nothing was assigned."""
    before = model.get_weights()
    with pytest.raises(ValueError) as error:
        load_state_dict(model, state_dict)
    assert_same(model.get_weights(), before)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_everything_that_does_not_fit_is_listed_at_once(model, state_dict):
    state = dict(state_dict)
    del state["layer3.2.conv2.weight"], state["bn2.running_var"]
    state["conv1.weight"] = torch.zeros(16, 3, 3, 3)
    state["linear.weight"] = np.zeros((100, 64))
    state["bn1.bias"] = "sixteen zeros"
    state["bn1.weight"] = None
    state["layer1.0.conv1.bias"] = torch.ones(16)
    state["epoch"] = 3
    state[7] = np.zeros(1)
    message = refused(model, state)
    assert message.startswith("Expected the state dict of ResNet-20, got one with ")
    listed = message.removesuffix(message[message.index(". Shapes are") :])
    assert sorted(listed.split("got one with ")[1].split("; ")) == sorted(
        [
            "conv1.weight (16, 3, 3, 3) in place of (16, 1, 3, 3)",
            "bn1.weight without numbers (NoneType)",
            "bn1.bias without numbers (str)",
            "no layer3.2.conv2.weight (64, 64, 3, 3)",
            "no bn2.running_var (64,)",
            "linear.weight (100, 64) in place of (10, 64)",
            "unexpected layer1.0.conv1.bias",
            "unexpected epoch",
            "unexpected 7",
        ]
    )


def test_channel_scales_that_do_not_fit_are_listed(recu_model, recu_state_dict):
    state = dict(recu_state_dict)
    state["layer1.0.conv1.alpha"] = torch.ones(16)
    del state["layer3.2.conv2.alpha"]
    message = refused(recu_model, state)
    assert "layer1.0.conv1.alpha (16,) in place of (16, 1, 1)" in message
    assert "no layer3.2.conv2.alpha (64, 1, 1)" in message
    assert message.count("; ") == 2  # one in the remedy


@pytest.mark.parametrize("method", ["irnet", "ste_sign", "float"])
def test_recus_weights_for_another_method(method, recu_state_dict):
    message = refused(small_model(method, name="mine"), recu_state_dict)
    assert "without ReCU's channel scales (`alpha`), as model 'mine' is" in message
    assert "got one with. Build the model with the method that" in message


def test_another_methods_weights_for_recu(recu_model, state_dict):
    message = refused(recu_model, state_dict)
    assert "with ReCU's channel scales (`alpha`), as model 'resnet20' is" in message
    assert "got one without. Build the model with the method that" in message


@pytest.mark.parametrize(
    "value",
    [
        np.array(["a"] * 16),
        np.ones(16, bool),
        np.ones(16, complex),
        np.array([None] * 16),
        [[1.0], [2.0, 3.0]],
        {"weight": 1},
        torch.ones(16, device="meta"),
        torch.ones(16, dtype=torch.complex64),
    ],
    ids=str,
)
def test_entries_without_numbers(model, state_dict, value):
    message = refused(model, {**state_dict, "bn1.weight": value})
    assert "bn1.weight without numbers" in message


def test_scalars_have_no_dimensions(model, state_dict):
    state = {**state_dict, "bn1.weight": torch.tensor(1.0), "bn1.bias": 1.0}
    message = refused(model, state)
    assert "bn1.weight () in place of (16,)" in message
    assert "bn1.bias () in place of (16,)" in message


def test_an_empty_state_dict_misses_everything(model):
    message = refused(model, {})
    assert message.count("; ") + 1 == len(model.weights) + 1  # one in the remedy


def test_a_whole_checkpoint_is_no_state_dict(model, state_dict):
    assert "unexpected state_dict" in refused(model, {"state_dict": state_dict})


def test_the_prefix_has_to_be_everywhere(model, state_dict):
    state = dict(state_dict)
    state["module.conv1.weight"] = state.pop("conv1.weight")
    message = refused(model, state)
    assert "no conv1.weight" in message
    assert "unexpected module.conv1.weight" in message


@pytest.mark.parametrize("value", [None, [], "model.th", 3])
def test_not_a_mapping(model, value):
    message = f"mapping of names to arrays, got {type(value).__name__}"
    assert message in refused(model, value)


@pytest.mark.parametrize(
    "name", ["ResNet20", "CifarResNet18", "ResNet18", "ReActNet18"]
)
def test_the_geometry_of_tensorflow(name):
    model = zoo.models.get(name)("irnet", input_shape=(8, 8, 3), name="mine")
    message = refused(model, {})
    assert re.search("got 'mine' with .* TensorFlow.*`alignment=\"torch\"`", message)


def test_a_network_that_is_not_of_the_zoo():
    images = tf.keras.Input((8, 8, 3))
    outputs = tf.keras.layers.Conv2D(2, 3)(zoo.models.Rotate180()(images))
    message = refused(tf.keras.Model(images, outputs, name="mine"), {})
    assert "got model 'mine'. Build it with one of the builders" in message


def test_a_layer_that_pytorch_does_not_have(state_dict):
    model = small_model()
    outputs = tf.keras.layers.Dense(3, name="extra")(model.output)
    message = refused(tf.keras.Model(model.input, outputs), state_dict)
    assert "Expected the layers of ResNet-20 alone, got 'extra'" in message


def test_another_variant_of_the_network():
    model = zoo.CifarResNet18(input_shape=(8, 8, 3), alignment="torch")
    state = torch_networks.CifarResNet18(release=2019).state_dict()
    message = refused(model, state)
    assert "no bn2.weight (512,)" in message
    assert message.count("no bn2.") == 4


def test_pytorch_is_not_needed():
    program = (
        "import sys, zoo.torch_import, zoo.import_torch; "
        "sys.exit('torch' in sys.modules)"
    )
    process = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False
    )
    assert process.returncode == 0, process.stderr.decode()


def test_what_is_imported_is_saved_and_loaded(model, imported, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    _, images = random_images(2, 8, dtype="float32")
    np.testing.assert_array_equal(loaded(images[..., :1]), model(images[..., :1]))
