"""What the report of an export says about the training behind it."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from larq_irnet import methods
from larq_irnet.quantized_scope import quantized_scope
from tflite_export.layer_walk import all_layers, is_binary
from tflite_export.report_page import TrainingRecord
from tflite_export.report_plots import WeightHistogram
from zoo.workdir import Workdir

__all__ = ["training_record"]

_HISTOGRAMS = 4


def training_record(
    workdir: Workdir, model: tf.keras.Model, compared: Sequence[Workdir]
) -> TrainingRecord:
    """What a run and others tell of their training.

    # Arguments
        workdir: The run that is exported.
        model: Its network with the trained weights.
        compared: Other runs on the same data set.

    # Raises
        ValueError: if one is on another data set.
    """
    config = workdir.config()
    origin = (
        f"imported from {workdir.imported_from}"
        if workdir.imported_from
        else f"{config.epochs} epochs, {config.optimizer}, seed {config.seed}"
    )
    label, others = _title(workdir), _labelled(workdir, compared)
    runs = {label: workdir, **others}
    return TrainingRecord(
        title=f"{config.network}, {label}, on {config.dataset}: {origin}",
        label=label,
        history=workdir.history(),
        accuracies={name: _test_accuracy(run) for name, run in others.items()},
        weights=_weights(workdir, model),
        monitored={name: run.history() for name, run in runs.items()},
        histograms={name: run.histograms() for name, run in runs.items()},
    )


def _test_accuracy(run: Workdir) -> float:
    results = run.results()
    if "test" not in results:
        raise ValueError(
            f"Expected runs with a test accuracy to compare with, got {run.path}, "
            "which was trained with `evaluate_test` off. Leave it out."
        )
    return results["test"]["accuracy"]


def _labelled(workdir: Workdir, compared: Sequence[Workdir]) -> dict[str, Workdir]:
    """The other runs by method; those of one method also by their folder."""
    dataset = workdir.config().dataset
    titles = [_title(one) for one in (workdir, *compared)]
    labelled = {}
    for other in compared:
        if other.config().dataset != dataset:
            raise ValueError(
                f"Expected runs on {dataset} to compare with, got {other.path} on "
                f"{other.config().dataset}."
            )
        title = _title(other)
        label = title if titles.count(title) == 1 else f"{title} ({other.path})"
        labelled[label] = other
    return labelled


def _title(workdir: Workdir) -> str:
    return methods.get(workdir.config().method).title


def _weights(workdir: Workdir, model: tf.keras.Model) -> list[WeightHistogram]:
    """Weights of some binary layers, spread over the depth of the network."""
    before = {}
    if not workdir.imported_from:
        initial = tf.keras.models.clone_model(model)
        initial.load_weights(workdir.initial_weights_path)
        before = {
            layer.name: _kernel(layer, quantized=False)
            for layer in all_layers(initial)
            if is_binary(layer)
        }
    binary = [layer for layer in all_layers(model) if is_binary(layer)]
    chosen = np.linspace(0, len(binary) - 1, min(_HISTOGRAMS, len(binary)))
    return [
        WeightHistogram(
            layer=layer.name,
            initial=before.get(layer.name),
            trained=_kernel(layer, quantized=False),
            binary=_kernel(layer, quantized=True),
        )
        for layer in (binary[int(position)] for position in chosen)
    ]


def _kernel(layer: tf.keras.layers.Layer, *, quantized: bool) -> np.ndarray:
    with quantized_scope(quantized):
        return tf.convert_to_tensor(layer.kernel).numpy().ravel()
