"""The two recipes of ReCU's two-stage training, one after the other."""

import dataclasses

import pytest

from tests.zoo.models.published_sizes import binary_layers
from zoo import recipes, training
from zoo.learning_rate import learning_rate_for
from zoo.pretrained import load_initial_weights
from zoo.workdir import Workdir

FIRST = recipes.get("recu_reactnet18_stage1_imagenet").config
SECOND = recipes.get("recu_reactnet18_imagenet").config


def test_settings_are_the_authors():
    assert (SECOND.optimizer, SECOND.learning_rate, SECOND.weight_decay) == (
        *("adam", 1e-3, 0.0),
    )
    assert (SECOND.epochs, SECOND.batch_size) == (256, 512)
    assert SECOND.estimator == {"tau_min": 0.85, "tau_max": 0.99, "b_star": 2.0}
    assert SECOND.augmentation == {"scale": (0.08, 1.25), "jitter": None}
    assert (SECOND.alignment, SECOND.pad_values) == ("torch", 0.0)
    rate = learning_rate_for(SECOND)
    rates = [float(rate(epoch * SECOND.steps)) for epoch in (0, 4, 130)]
    assert rates == pytest.approx([2e-4, 1e-3, 5e-4], rel=1e-6)  # float32


def test_the_stages_differ_in_the_weights_alone():
    own = {"binary_weights": True, "initial_weights": "", "estimator": {}}
    first, second = ({**vars(config), **own} for config in (FIRST, SECOND))
    assert first == second
    assert (FIRST.binary_weights, SECOND.binary_weights) == (False, True)
    name = "recu_reactnet18_stage1_imagenet"
    assert (FIRST.initial_weights, SECOND.initial_weights) == ("", f"runs/{name}")


def on_small_images(config, **settings):
    """A run of one step, on images of 32x32 pixels."""
    shorter = {"epochs": 1, "steps_per_epoch": 1, "warmup_epochs": 0.0}
    small = {"dataset": "synthetic_cifar10", "augmentation": {}}
    return dataclasses.replace(config.shrunk(), **shorter, **small, **settings)


def test_the_second_stage_starts_from_the_first(tmp_path):
    training.run(on_small_images(FIRST), tmp_path, progress="none")
    trained = Workdir(tmp_path).model()
    assert len(binary_layers(trained)) == 16
    for layer in binary_layers(trained):
        assert layer.input_quantizer is not None
        assert layer.kernel_quantizer is None

    second = on_small_images(SECOND, initial_weights=str(tmp_path))
    network = second.build_model()
    load_initial_weights(network, second)
    for layer in binary_layers(network):
        assert layer.kernel_quantizer is not None
        kernel = trained.get_layer(layer.name).get_weights()[0]
        assert (layer.get_weights()[0] == kernel).all()


@pytest.mark.parametrize("config", [FIRST, SECOND], ids=["first", "second"])
def test_missing_files_are_reported_in_one_line(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shrunk = dataclasses.replace(
        config.shrunk(),
        initial_weights=config.initial_weights,
        teacher_weights=config.teacher_weights,
    )
    with pytest.raises(ValueError, match="weights` to be the folder") as error:
        training.run(shrunk, tmp_path / "run", progress="none")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()
