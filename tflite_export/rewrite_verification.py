"""Does a rewritten Keras model still compute what the one that was given computes?

Its layers run one after the other. Where a layer of the same name gave the same values
before, those values are handed on in place of its own: what rounding did to them ends
there, and no sign behind flips. So a difference at the end is one of a rewrite.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from tflite_export.findings import Finding
from tflite_export.rewrites import Rewrite

__all__ = ["changed_by_rewrites"]

_SAME = 1e-5  # of the largest value: rounding of float32 within one layer
_RIGHT = 1e-4
_WRONG_SHARE = 0.05  # of the values of an image: a sign that flipped touches a few
_IMAGES = 8
_BYTES = 2**27  # of the values of all layers
_Replace = Callable[[str, tf.Tensor], tf.Tensor]


def changed_by_rewrites(
    before: tf.keras.Model,
    after: tf.keras.Model,
    rewrites: Sequence[Rewrite],
    samples: Sequence[np.ndarray],
) -> list[Finding]:
    """A finding for each output that is not what it was.

    # Arguments
        before: A functional or sequential model in float32.
        after: What it was rewritten to.
        rewrites: What was done, for the wording.
        samples: One array [N, ...] for each input.
    """
    if before is after:
        return []
    flat = LayerGraph(before, allow_shared=True).build(transfer_weights=True)
    images = [array[: _affordable(flat, len(array))] for array in samples]
    known = dict(_run_layers(flat, images, lambda name, value: value))
    unlike: set[str] = set()

    def replace(name: str, value: tf.Tensor) -> tf.Tensor:
        if name in known and _largest_difference(value, known[name], _SAME) is None:
            return known[name]
        unlike.add(name.rsplit(":", 1)[0])
        return value

    found = dict(_run_layers(after, images, replace))
    findings = []
    for index, (old, new) in enumerate(zip(_outputs(flat), _outputs(after))):
        difference = _largest_difference(found[new], known[old], _RIGHT)
        if difference is not None:
            findings.append(_finding(index, difference, rewrites, unlike))
    return findings


def _finding(
    index: int, difference: float, rewrites: Sequence[Rewrite], unlike: set[str]
) -> Finding:
    suspects = [one for one in rewrites if one.layer in unlike] or rewrites
    named = ", ".join(f"{one.rewrite} ({one.layer})" for one in suspects) or "for int8"
    return Finding(
        "error",
        "output",
        f"output {index} is off by {difference:.2g} of its largest value once layers "
        f"are rewritten for the converter: {named}.",
        "replace a layer there that derives from one of Keras or Larq and computes "
        "something else, and report what this was.",
    )


def _affordable(model: tf.keras.Model, most: int) -> int:
    """How many images, with the values of all layers, fit into the memory for them."""
    numbers = sum(
        math.prod(size or 1 for size in tensor.shape[1:])
        for node in _nodes(model)
        for tensor in tf.nest.flatten(node.outputs)
    )
    return min(max(_BYTES // (4 * numbers), 2), _IMAGES, most)


def _nodes(model: tf.keras.Model) -> Iterator[Any]:
    """The calls of layers, each behind those whose outputs it takes."""
    for depth in sorted(model._nodes_by_depth, reverse=True):
        yield from model._nodes_by_depth[depth]


def _names(node: Any) -> list[str]:
    """What to call the outputs of a call: layer, number of the call, and output."""
    number = node.layer._inbound_nodes.index(node)
    outputs = range(len(node.flat_output_ids))
    return [f"{node.layer.name}:{number}.{output}" for output in outputs]


def _outputs(model: tf.keras.Model) -> list[str]:
    names = {
        identity: name
        for node in _nodes(model)
        for identity, name in zip(node.flat_output_ids, _names(node))
    }
    return [names[str(id(tensor))] for tensor in model.outputs]


def _run_layers(
    model: tf.keras.Model, images: Sequence[np.ndarray], replace: _Replace
) -> Iterator[tuple[str, tf.Tensor]]:
    """Runs layer after layer; yields each output and hands its replacement on."""
    readers = model._tensor_usage_count  # a call takes its inputs out of these lists
    values: dict[str, list[tf.Tensor]] = {}
    for tensor, array in zip(model.inputs, images):
        identity = str(id(tensor))
        values[identity] = [tf.convert_to_tensor(array)] * readers[identity]
    for node in _nodes(model):
        if node.is_input:
            (identity,), (name,) = node.flat_output_ids, _names(node)
            yield name, values[identity][0]
            continue
        arguments, keywords = node.map_arguments(values)
        outputs = tf.nest.flatten(node.layer(*arguments, **keywords))
        for identity, name, value in zip(node.flat_output_ids, _names(node), outputs):
            replaced = replace(name, value)
            values[identity] = [replaced] * readers[identity]
            yield name, replaced


def _largest_difference(actual: Any, expected: Any, tolerance: float) -> float | None:
    """In units of the largest value; `None` for what rounding and flips explain.

    A sign that flips touches a few values of a few images, a rewrite that is wrong most
    images, and some values in all of them.
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.shape != expected.shape:
        return math.inf
    if not np.issubdtype(expected.dtype, np.floating):
        return None if np.array_equal(actual, expected) else math.inf
    finite = np.abs(expected[np.isfinite(expected)])
    largest = finite.max(initial=0.0) or 1.0
    with np.errstate(invalid="ignore"):
        difference = np.abs(actual - expected) / largest
    is_wrong = ~(difference <= tolerance) & ~_equal(actual, expected)
    share = np.median(is_wrong.reshape(len(is_wrong), -1).mean(axis=1))
    is_always_wrong = len(is_wrong) > 1 and bool(is_wrong.all(axis=0).any())
    if share <= _WRONG_SHARE and not is_always_wrong:
        return None
    return float(np.nan_to_num(difference, nan=math.inf).max())


def _equal(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return (actual == expected) | (np.isnan(actual) & np.isnan(expected))
