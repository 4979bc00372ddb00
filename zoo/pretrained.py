"""Gives a network weights that were trained before, from wherever they lie."""

from pathlib import Path

import tensorflow as tf

from larq_irnet.quantized_scope import quantized_scope
from zoo.saved_model import read_model
from zoo.torch_import import load_state_dict, read_checkpoint
from zoo.train_config import TrainConfig
from zoo.workdir import Workdir

__all__ = ["load_initial_weights", "load_pretrained"]

_SHOWN = 5  # differences that one error lists


def load_pretrained(
    model: tf.keras.Model, path: str, *, setting: str, advice: str
) -> None:
    """Replaces all weights of a network, or none.

    # Arguments
        model: Has the same weights, by name and shape.
        path: The folder of a finished run, a `.keras` file, or a PyTorch checkpoint as
            `zoo.torch_import` reads it.
        setting: Where the path is from, for messages.
        advice: What to do if nothing is there, for messages.

    # Raises
        ValueError: if the path leads nowhere, to a damaged file, or to other weights.
    """
    source = Path(path)
    if not source.exists():
        raise ValueError(
            f"Expected `{setting}` to be the folder of a finished run, a .keras file "
            f"or a PyTorch checkpoint, found nothing at {path!r}. {advice} Another "
            f"place is named by --set={setting}=..."
        )
    if source.is_dir():
        _copy_weights(Workdir(source).model(), model, setting)
    elif source.suffix == ".keras":
        _copy_weights(read_model(source), model, setting)
    else:
        load_state_dict(model, read_checkpoint(source))


def load_initial_weights(network: tf.keras.Model, config: TrainConfig) -> None:
    """Replaces the initial weights of a network by those that `config` names.

    # Raises
        ValueError: as `load_pretrained`.
    """
    load_pretrained(
        network,
        config.initial_weights,
        setting="initial_weights",
        advice="Finish the run that leaves them first.",
    )


def _by_name(model: tf.keras.Model) -> dict[str, tf.Variable]:
    """All weights, by names such as "stem_conv/kernel".

    Made of the names of the layers, because Keras leaves them out of those of quantized
    kernels when it loads a model.
    """
    return {
        f"{layer.name}/{weight.name.rpartition('/')[2].removesuffix(':0')}": weight
        for layer in model.layers
        for weight in layer.weights
    }


def _copy_weights(source: tf.keras.Model, model: tf.keras.Model, setting: str) -> None:
    theirs, ours = _by_name(source), _by_name(model)
    problems = [f"unexpected {name}" for name in theirs if name not in ours]
    for name, weight in ours.items():
        if name not in theirs:
            problems.append(f"no {name} {tuple(weight.shape)}")
        elif theirs[name].shape != weight.shape:
            shapes = tuple(theirs[name].shape), tuple(weight.shape)
            problems.append(f"{name} {shapes[0]} in place of {shapes[1]}")
    if problems:
        more = "; ..." if len(problems) > _SHOWN else ""
        raise ValueError(
            f"Expected `{setting}` to hold the {len(ours)} weights of {model.name!r}, "
            f"got others: {'; '.join(problems[:_SHOWN])}{more}."
        )
    with quantized_scope(False):  # latent weights
        for name, weight in ours.items():
            weight.assign(tf.cast(theirs[name], weight.dtype))
