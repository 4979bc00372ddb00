"""The teacher of a run: which network it is, and whose weights it has."""

import numpy as np
import pytest
import torch

import zoo
from larq_irnet.distillation import Distiller
from tests.zoo.models.published_sizes import parameters
from tests.zoo.network_pairs import float64, random_images, relative_difference
from tests.zoo.runs import assert_same
from tests.zoo.small_network import small_config, small_network
from tests.zoo.torch_networks import TorchvisionResNet, make_lively
from zoo.compilation import compile_for
from zoo.teacher import with_teacher
from zoo.torch_import import load_state_dict

RESNET34 = {"network": "ResNet34", "block": "normal", "head_norm": False}
OF_TORCHVISION = {
    "dataset": "synthetic_cifar10",
    "teacher": RESNET34,
    "alignment": "torch",
}


def test_torchvisions_resnet34():
    model = zoo.ResNet34("float", block="normal", head_norm=False, alignment="torch")
    assert sum(parameters(model)) == 21_797_672
    network = TorchvisionResNet()
    assert sum(weight.numel() for weight in network.parameters()) == 21_797_672
    names = list(network.state_dict())
    assert len(names) == 218
    assert names[0] == "conv1.weight"
    assert {"layer1.0.conv1.weight", "layer2.0.downsample.1.running_var"} <= set(names)


def test_it_computes_what_torchvision_computes():
    network = make_lively(TorchvisionResNet(num_classes=5).double(), size=35)
    with float64():
        model = zoo.ResNet34(
            "float",
            input_shape=(35, 35, 3),
            num_classes=5,
            block="normal",
            head_norm=False,
            alignment="torch",
        )
    load_state_dict(model, network.state_dict())
    images, same_images = random_images(3, 35)
    with torch.no_grad():
        expected = network.eval()(images).numpy()
    # float64, through 34 layers
    logits = model(same_images, training=False)
    assert relative_difference(logits, expected) < 1e-10


def test_a_run_without_a_teacher():
    config = small_config()
    network = small_network(config)
    assert with_teacher(network, config) is network


def test_the_teacher_is_in_full_precision_and_has_the_geometry_of_the_run():
    config = small_config(**OF_TORCHVISION, teacher_weights="untrained")
    network = small_network(config)
    model = with_teacher(network, config)
    assert isinstance(model, Distiller)
    assert model.student is network
    layer = model.teacher.get_layer("stage1_block1_conv1")
    assert (layer.input_quantizer, layer.kernel_quantizer) == (None, None)
    assert model.teacher.get_layer("rotate")
    assert model.teacher.output_shape == (None, 10)


DIGITS_TEACHER = {"teacher": {"network": "ResNet20"}, "teacher_weights": "untrained"}


@pytest.mark.parametrize(
    ("distillation", "learns_logits", "aligned", "loss"),
    [
        ({}, True, 0, "LogitMatching"),
        ({"gamma": 0.5}, True, 18, "LogitMatching"),
        (
            {"targets": "labels", "gamma": 0.5, "layers": ["stage1_block1_conv1"]},
            False,
            1,
            "SparseCategoricalCrossentropy",
        ),
    ],
)
def test_what_is_learned_from_the_teacher(distillation, learns_logits, aligned, loss):
    config = small_config(**DIGITS_TEACHER, distillation=distillation)
    model = with_teacher(zoo.ResNet20("dirnet", input_shape=(8, 8, 1)), config)
    assert model.learns_logits == learns_logits
    assert len(model.pairs) == aligned
    compile_for(model, config)
    assert type(model.loss).__name__ == loss
    figures = model.evaluate(*digits(), verbose=0, return_dict=True)
    assert ("alignment" in figures) == bool(aligned)


def digits():
    arrays = zoo.datasets.get("digits").arrays("test", limit=20)
    return arrays.images, arrays.labels


def test_weights_of_torchvision(tmp_path):
    network = TorchvisionResNet(num_classes=10)
    path = tmp_path / "resnet34-b627a593.pth"
    torch.save(network.state_dict(), path)
    config = small_config(**OF_TORCHVISION, teacher_weights=str(path))
    teacher = with_teacher(small_network(config), config).teacher
    kernel = teacher.get_layer("stem_conv").get_weights()[0]
    weight = network.conv1.weight.detach().numpy()
    np.testing.assert_array_equal(kernel[::-1, ::-1], weight.transpose(2, 3, 1, 0))


def taught_by(path):
    return small_config(teacher={"network": "ResNet20"}, teacher_weights=str(path))


def test_weights_of_another_run(tmp_path):
    trained = small_config(method="float").build_model()
    trained.save(tmp_path / "model.keras")
    config = taught_by(tmp_path / "model.keras")
    teacher = with_teacher(small_network(config), config).teacher
    assert_same(teacher.get_weights(), trained.get_weights())


def test_weights_of_a_binary_network(finished_run):
    config = taught_by(finished_run.path)
    message = (
        "Expected a teacher in full precision, got `teacher_weights` of 'resnet20' "
        "with binary kernels in 'stage1_block1_conv1'."
    )
    with pytest.raises(ValueError, match=message):
        with_teacher(small_network(config), config)


def test_weights_of_a_network_with_binary_inputs(tmp_path):
    trained = small_config(binary_weights=False).build_model()
    trained.save(tmp_path / "model.keras")
    config = taught_by(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="precision, .* with quantized inputs in 'sta"):
        with_teacher(small_network(config), config)


def test_weights_that_are_missing():
    config = small_config(**OF_TORCHVISION, teacher_weights="runs/resnet34.pth")
    message = (
        "`teacher_weights` to be .*nothing at 'runs/resnet34.pth'. .* torchvision's "
        "resnet34-b627a593.pth.* --set=teacher_weights="
    )
    with pytest.raises(ValueError, match=message):
        with_teacher(small_network(config), config)
