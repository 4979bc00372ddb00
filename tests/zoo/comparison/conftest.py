"""A comparison of small networks, trained and exported once, and one made up."""

import shutil
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
import tflite_export
import tflite_export.exporting
from zoo import recipes, training
from zoo.comparison import Comparison, comparing
from zoo.comparison.curves import Curve
from zoo.comparison.files import write_comparison
from zoo.comparison.measured import Deployed, Measured
from zoo.comparison.row import Accuracies, rows_of
from zoo.train_config import TrainConfig

TITLE = "ResNet20 on digits, 2 seeds"
SMOKE: dict[str, Any] = {
    "seeds": 2,
    "smoke": True,
    "diagnostics": True,
    "settings": {"diagnostics.metrics": ["flip_ratio", "weight_entropy"]},
}
NAMES = ["float_resnet20_digits", "irnet_resnet20_digits"]


def exportable_network(config, **overrides):
    """Takes the place of `TrainConfig.build_model`: one binary convolution."""
    activation = "relu" if config.method == "float" else None
    return tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 1)),
            tf.keras.layers.Conv2D(32, 3, strides=2, use_bias=False, name="stem"),
            tf.keras.layers.BatchNormalization(name="stem_bn"),
            tf.keras.layers.Activation(activation, name="stem_activation"),
            irnet.layers.QuantConv2D(
                32, 3, quantizer=config.method, use_bias=False, name="binary"
            ),
            tf.keras.layers.BatchNormalization(name="binary_bn"),
            tf.keras.layers.Activation(activation, name="binary_activation"),
            tf.keras.layers.GlobalAveragePooling2D(name="pool"),
            tf.keras.layers.Dense(10, name="logits"),
        ]
    )


def train_in_this_process(runs, **options):
    """In place of `zoo.run_pool.train_all`; further seeds are the first, but better."""
    for run in runs:
        seed = run.config.seed
        if seed == 0:
            training.run(run.config, run.folder, progress="none")
            continue
        shutil.copytree(run.folder.with_name("seed0"), run.folder)
        (run.folder / "config.json").write_text(run.config.to_json())
        results = run.workdir.results()
        results["test"]["accuracy"] += seed / 8
        run.workdir.write_results(results)
    return {}


def export(model, path, **options):
    """Verified for the binary network alone, because it takes time."""
    if irnet.diagnostics.binary_kernels(model):
        tflite_export.exporting.export(model, path, **options)
    else:
        path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


@pytest.fixture(scope="session")
def small_workdir(tmp_path_factory):
    """The folder of a comparison of small networks; tests must not change it."""
    path = tmp_path_factory.mktemp("compared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainConfig, "build_model", exportable_network)
        patch.setattr(comparing, "train_all", train_in_this_process)
        patch.setattr(tflite_export, "export", export)
        comparing.compare(NAMES, workdir=path, **SMOKE)
    return path


@pytest.fixture
def train_nothing(monkeypatch):
    """Runs have to be there."""

    def train_all(runs, **options):
        assert [run.name for run in runs if not run.workdir.is_complete] == []
        return {}

    monkeypatch.setattr(comparing, "train_all", train_all)


def measured_by_hand(names, **changes):
    """Figures that are easy to calculate with."""
    fields = {
        "machine": "some machine",
        "train_step_ms": {name: 10.0 + 5 * i for i, name in enumerate(names)},
        "binary_mac_share": {
            name: 0.0 if name.startswith("float") else 0.975 for name in names
        },
        "deployed": {
            name: Deployed(
                tflite_bytes=1_000_000 // (1 + 9 * (not name.startswith("float"))),
                latency_ms=0.25 + 0.125 * i,
                kernel="some kernel",
            )
            for i, name in enumerate(names)
        },
    }
    return Measured(**{**fields, **changes})


def configs_of(names):
    """The settings of some recipes."""
    return {name: recipes.get(name).config for name in names}


def curve(start, end, epochs=range(1, 41)):
    numbers = np.array(epochs)
    mean = end + (start - end) * np.exp(-numbers / 8)
    return Curve(numbers, mean, np.full(len(numbers), abs(end - start) / 40))


@pytest.fixture(scope="session")
def made_up():
    """A comparison of seven recipes, one more than there are by default."""
    methods = ("float", "ste_sign", "irnet", "recu", "ir2net", "dirnet")
    names = [f"{method}_resnet20_digits" for method in methods]
    names.append("dirnet_resnet20_digits_rbd")
    tests = [[0.98 - 0.004 * i, 0.985 - 0.004 * i] for i in range(len(names))]
    binary, metrics = names[1:], (
        *("activation_entropy", "dead_share", "flip_ratio", "gradient_cosine"),
        *("quantization_error", "stuck_share", "weight_entropy"),
    )
    return Comparison(
        rows=rows_of(
            {name: Accuracies(test, test) for name, test in zip(names, tests)},
            configs_of(names),
            measured_by_hand(names),
        ),
        failures={},
        measured=measured_by_hand(names),
        configs=configs_of(names),
        arithmetic={"threads": 1, "cores": 2, "onednn": True},
        validation={name: curve(0.5, 0.98 - 0.01 * i) for i, name in enumerate(names)},
        diagnostics={
            metric: {name: curve(0.4, 0.9 - 0.02 * i) for i, name in enumerate(binary)}
            for metric in metrics
        },
    )


@pytest.fixture(scope="session")
def made_up_files(made_up, tmp_path_factory):
    """The folder with what is written of it; tests must not change it."""
    path = tmp_path_factory.mktemp("written")
    write_comparison(made_up, path, title=TITLE, about={"command": "some " * 40})
    return path
