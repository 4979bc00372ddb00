"""Gives a network weights that were trained before, from wherever they lie."""

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from larq_irnet.quantized_scope import quantized_scope
from zoo import recipes
from zoo.same_network import check_same_network, weights_by_name
from zoo.saved_model import read_model
from zoo.torch_import import load_state_dict, read_checkpoint
from zoo.train_config import TrainConfig
from zoo.workdir import Workdir

__all__ = ["load_initial_weights", "load_pretrained"]

CheckSource = Callable[[tf.keras.Model], None]


def load_pretrained(
    model: tf.keras.Model,
    path: str,
    *,
    setting: str,
    advice: str,
    check_source: CheckSource | None = None,
) -> None:
    """Replaces all weights of a network, or none.

    # Arguments
        model: Has the same layers and weights, by name and shape; its quantizers may
            be others.
        path: The folder of a finished run, a `.keras` file, or a PyTorch checkpoint as
            `zoo.torch_import` reads it.
        setting: Where the path is from, for messages.
        advice: What to do if nothing is there, for messages.
        check_source: Raises a `ValueError` for a model that the weights must not be
            from. A PyTorch checkpoint is not asked: it does not tell its network.

    # Raises
        ValueError: if the path leads nowhere, to a damaged file, or to the weights of
            another network.
    """
    source = Path(path)
    if not source.exists():
        raise ValueError(
            f"Expected `{setting}` to be the folder of a finished run, a .keras file "
            f"or a PyTorch checkpoint, found nothing at {path!r}. {advice} Another "
            f"place is named by --set={setting}=..."
        )
    if not source.is_dir() and source.suffix != ".keras":
        load_state_dict(model, read_checkpoint(source))
        return
    trained = Workdir(source).model() if source.is_dir() else read_model(source)
    if check_source:
        check_source(trained)
    check_same_network(trained, model, setting)
    _copy_weights(trained, model)


def load_initial_weights(network: tf.keras.Model, config: TrainConfig) -> None:
    """Replaces the initial weights of a network by those that `config` names.

    # Raises
        ValueError: as `load_pretrained`.
    """
    load_pretrained(
        network,
        config.initial_weights,
        setting="initial_weights",
        advice=_how_to_train(config.initial_weights),
    )


def _how_to_train(path: str) -> str:
    """What leaves the weights, by the folder that a recipe's run has by convention."""
    name = Path(path).name
    if name not in recipes.names():
        return "Finish the run that leaves them first."
    return f"Train it first: python -m zoo.train --recipe={name} --workdir={path}."


def _copy_weights(source: tf.keras.Model, model: tf.keras.Model) -> None:
    theirs, ours = weights_by_name(source), weights_by_name(model)
    with quantized_scope(False):  # latent weights
        for name, weight in ours.items():
            weight.assign(tf.cast(theirs[name], weight.dtype))
