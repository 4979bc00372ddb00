"""Which layers of a student are compared with which of its teacher."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from larq_irnet.functional_model import is_functional

__all__ = ["LayerPairs", "pair_layers"]


@dataclass(frozen=True)
class LayerPairs:
    """Layers of two networks whose outputs have the same shape.

    # Attributes
        pairs: Names of the student's and the teacher's layer.
        unmatched: Why a quantized layer of the student has no partner, by its name.
    """

    pairs: tuple[tuple[str, str], ...]
    unmatched: Mapping[str, str]


def pair_layers(
    student: tf.keras.Model,
    teacher: tf.keras.Model,
    layers: Sequence[str] | Mapping[str, str] | None,
) -> LayerPairs:
    """Pairs layers, as told or by their names.

    # Arguments
        student: A functional or sequential model.
        teacher: A functional or sequential model.
        layers: As for `larq_irnet.distillation.RepresentationAlignment`.

    # Raises
        ValueError: for a model that is not functional; for layers that do not exist,
            are used several times or have outputs of other shapes; if there are no
            pairs at all.
    """
    ours, theirs = (_shapes(model) for model in (student, teacher))
    if layers is not None:
        pairs = (
            dict(layers) if isinstance(layers, Mapping) else dict(zip(layers, layers))
        )
        for one, other in pairs.items():
            _check_pair(student, teacher, one, other)
        return LayerPairs(tuple(pairs.items()), {})
    quantized = [layer.name for layer in student.layers if _is_quantized(layer)]
    hint = _hint_of_inner_models(teacher)
    unmatched = {
        name: reason
        for name in quantized
        if (
            reason := _why_unmatched(ours.get(name), theirs.get(name), hint)
            or _why_incomparable(student.get_layer(name), teacher.get_layer(name))
        )
    }
    matched = [name for name in quantized if name not in unmatched]
    if not matched:
        raise ValueError(
            f"Expected quantized layers of {student.name!r} that {teacher.name!r} has "
            f"by the same name and shape, got none: {unmatched or 'it has none'}. Give "
            "`layers`, such as {'layer of the student': 'layer of the teacher'}."
        )
    return LayerPairs(tuple((name, name) for name in matched), unmatched)


def _shapes(model: tf.keras.Model) -> dict[str, tuple[int | None, ...]]:
    """Shapes of the outputs of all layers that are used once, without the batch."""
    if not is_functional(model):
        raise ValueError(
            "Expected built functional or sequential Keras models to align, got "
            f"{type(model).__name__} {model.name!r}. Rebuild it with tf.keras.Input "
            "and tf.keras.Model."
        )
    return {
        layer.name: tuple(layer.output.shape[1:])
        for layer in model.layers
        if len(layer.inbound_nodes) == 1
        and tf.keras.backend.is_keras_tensor(layer.output)
    }


def _hint_of_inner_models(model: tf.keras.Model) -> str:
    inner = [one.name for one in model.layers if isinstance(one, tf.keras.Model)]
    remedy = "take them apart with larq_irnet.binarization.flattened"
    return f" (layers within {inner} cannot be named: {remedy})" if inner else ""


def _is_quantized(layer: tf.keras.layers.Layer) -> bool:
    names = ("input_quantizer", "kernel_quantizer", "depthwise_quantizer")
    return any(getattr(layer, name, None) is not None for name in names)


def _why_unmatched(
    ours: tuple[int | None, ...] | None,
    theirs: tuple[int | None, ...] | None,
    hint: str,
) -> str:
    if ours is None:
        return "it is used several times"
    if theirs is None:
        return f"the teacher has no layer of this name that is used once{hint}"
    if ours != theirs:
        return f"its output has the shape {ours}, that of the teacher {theirs}"
    return ""


def _why_incomparable(
    ours: tf.keras.layers.Layer, theirs: tf.keras.layers.Layer
) -> str:
    """Says so where only one of the layers has a non-linearity within, or another."""
    functions = [_activation_within(layer) for layer in (ours, theirs)]
    if functions[0] == functions[1]:
        return ""
    return "its output is behind {}, that of the teacher behind {}".format(
        *(function or "no activation" for function in functions)
    )


def _activation_within(layer: tf.keras.layers.Layer) -> str:
    activation = getattr(layer, "activation", None)
    if activation in (None, tf.keras.activations.linear):
        return ""
    return str(getattr(activation, "__name__", type(activation).__name__))


def _check_pair(
    student: tf.keras.Model, teacher: tf.keras.Model, one: str, other: str
) -> None:
    for model, name in ((student, one), (teacher, other)):
        if name not in _shapes(model):
            raise ValueError(
                f"Expected `layers` to name layers of {model.name!r} that are used "
                f"once, got {name!r}. It has {[*_shapes(model)]}."
            )
    shapes = _shapes(student)[one], _shapes(teacher)[other]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"Expected {one!r} of the student and {other!r} of the teacher to have "
            f"outputs of one shape, got {shapes[0]} and {shapes[1]}."
        )
