"""The `>>>` examples of all docstrings run and print what they say."""

import importlib
import inspect

import pytest

from tests.docstring_examples import assert_prints_what_it_says, find_examples
from tests.zoo.test_public_names import MODULES

EXAMPLES = list(find_examples(MODULES))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example_prints_what_it_says(example):
    assert_prints_what_it_says(example)


def test_the_search_finds_the_examples():
    names = {example.name for example in EXAMPLES}
    assert {
        "zoo.datasets.digit_scenes.DigitScenes",
        "zoo.datasets.digits.Digits",
        "zoo.datasets.get",
        "zoo.models.alignment.Rotate180",
        "zoo.models.get",
        "zoo.models.cifar_resnet18.CifarResNet18",
        "zoo.models.darts.DARTS",
        "zoo.models.efficientnet_b0.EfficientNetB0",
        "zoo.models.imagenet_resnet.ResNet18",
        "zoo.models.imagenet_resnet.ResNet34",
        "zoo.models.mobilenet_v1.MobileNetV1",
        "zoo.models.pad_channels.PadChannels",
        "zoo.models.reactnet18.ReActNet18",
        "zoo.models.resnet20.ResNet20",
        "zoo.models.vgg_small.VGGSmall",
        "zoo.recipes.get",
        "zoo.torch_import.load_state_dict",
        "zoo.torch_layouts.find_layout",
    } <= names


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_a_summary(name):
    summary = (inspect.getdoc(importlib.import_module(name)) or "").splitlines()[:1]
    assert summary and summary[0].endswith((".", "`"))


@pytest.mark.parametrize("name", MODULES)
def test_every_public_object_has_a_docstring(name):
    module = importlib.import_module(name)
    public = [getattr(module, public_name) for public_name in module.__all__]
    described = [o for o in public if inspect.isclass(o) or inspect.isfunction(o)]
    assert [o for o in described if not inspect.getdoc(o)] == []
