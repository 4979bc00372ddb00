"""Every published recipe trains, on synthetic images of the shape of its dataset."""

import math

import pytest

from zoo import recipes, training
from zoo.workdir import Workdir

# a ResNet-18 on large images takes half a minute: of its four fusions one plain and one
# cheap one
LEFT_OUT = ("ir2net18_b_imagenet", "ir2net18_c_imagenet")
PUBLISHED = [
    name
    for name in recipes.names()
    if recipes.get(name).published_accuracy and name not in LEFT_OUT
]
CONSTANTS = {
    "ir2net": set(),
    "irnet": {"t", "k"},
    "irnet_w1a32": {"t", "k"},
    "recu": {"tau"},
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_smoke_run(name, tmp_path):
    config = recipes.get(name).config.shrunk()
    assert config.dataset == f"synthetic_{recipes.get(name).config.dataset}"
    results = training.run(config, tmp_path, progress="none")
    history = Workdir(tmp_path).history()
    assert len(history) == config.epochs
    assert all(math.isfinite(row["loss"]) for row in history)
    assert {*CONSTANTS[config.method], "lr"} <= set(history[0])
    has_top5 = "imagenet" in config.dataset
    assert ("top5_accuracy" in results["test"]) == has_top5
    assert Workdir(tmp_path).model().name
