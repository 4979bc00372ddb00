"""Whether the weights of one model belong into another."""

import tensorflow as tf

from zoo.models import Rotate180
from zoo.torch_entries import has_rotated_images
from zoo.torch_layouts import named_layers

__all__ = ["check_same_network", "weights_by_name"]

_SHOWN = 5  # differences that one error lists


def weights_by_name(model: tf.keras.Model) -> dict[str, tf.Variable]:
    """All weights, by names such as "stem_conv/kernel" or "fusion/primary_bn/gamma".

    Made of the names of the layers, because Keras leaves them out of those of quantized
    kernels when it loads a model.
    """
    return {
        f"{name}/{weight.name.rpartition('/')[2].removesuffix(':0')}": weight
        for name, layer in named_layers(model)
        for weight in layer.weights
    }


def check_same_network(
    source: tf.keras.Model, model: tf.keras.Model, setting: str
) -> None:
    """Makes sure that two models differ in their quantizers and values alone.

    # Arguments
        source: Has the weights.
        model: Is to get them.
        setting: Where the source is from, for messages.

    # Raises
        ValueError: for weights of other names or shapes, another alignment, or other
            layers between the same weights.
    """
    _check_weights(source, model, setting)
    _check_alignment(source, model, setting)
    _check_layers(source, model, setting)


def _check_weights(source: tf.keras.Model, model: tf.keras.Model, setting: str) -> None:
    theirs, ours = weights_by_name(source), weights_by_name(model)
    problems = [f"unexpected {name}" for name in theirs if name not in ours]
    for name, weight in ours.items():
        if name not in theirs:
            problems.append(f"no {name} {tuple(weight.shape)}")
        elif theirs[name].shape != weight.shape:
            shapes = tuple(theirs[name].shape), tuple(weight.shape)
            problems.append(f"{name} {shapes[0]} in place of {shapes[1]}")
    expected = f"hold the {len(ours)} weights of {model.name!r}"
    _refuse(problems, f"`{setting}` to {expected}")


def _alignment(model: tf.keras.Model) -> str:
    return "torch" if has_rotated_images(model) else "tensorflow"


def _check_alignment(
    source: tf.keras.Model, model: tf.keras.Model, setting: str
) -> None:
    theirs, ours = _alignment(source), _alignment(model)
    if theirs != ours:
        raise ValueError(
            f"Expected weights of a network with alignment={ours!r} in `{setting}`, "
            f"got those of one with alignment={theirs!r}, whose kernels are rotated by "
            "180 degrees against it."
        )


def _layer_names(model: tf.keras.Model) -> list[str]:
    """All layers but those that depend on where the images come from."""
    of_images = (tf.keras.layers.InputLayer, Rotate180)
    return [layer.name for layer in model.layers if not isinstance(layer, of_images)]


def _check_layers(source: tf.keras.Model, model: tf.keras.Model, setting: str) -> None:
    theirs, ours = _layer_names(source), _layer_names(model)
    problems = [
        *(f"unexpected layer {name}" for name in theirs if name not in ours),
        *(f"no layer {name}" for name in ours if name not in theirs),
    ]
    _refuse(problems, f"`{setting}` to hold weights of the layers of {model.name!r}")


def _refuse(problems: list[str], expected: str) -> None:
    if problems:
        more = "; ..." if len(problems) > _SHOWN else ""
        raise ValueError(
            f"Expected {expected}, got others: {'; '.join(problems[:_SHOWN])}{more}."
        )
