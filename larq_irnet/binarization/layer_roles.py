"""What a layer is to a binary network: its place among the others."""

from collections.abc import Callable

import tensorflow as tf

from larq_irnet.binarization.layer_kinds import (
    is_normalization,
    is_product,
    is_sum,
    is_weighted,
    passes_signs_on,
)
from larq_irnet.layer_graph import LayerGraph

__all__ = [
    "adds_layers",
    "downsampling_layers",
    "first_layers",
    "gate_layers",
    "last_layers",
    "last_normalization",
    "next_computing",
]

_POOLS = (
    tf.keras.layers.GlobalAveragePooling1D,
    tf.keras.layers.GlobalAveragePooling2D,
    tf.keras.layers.GlobalMaxPooling1D,
    tf.keras.layers.GlobalMaxPooling2D,
)


def _met(
    graph: LayerGraph,
    start: str,
    step: Callable[[str], list[str]],
    stops: Callable[[str], bool],
) -> set[str]:
    """The first layers on all ways from one, without it, that are stopped at."""
    met: set[str] = set()
    seen, ahead = {start}, step(start)
    while ahead:
        name = ahead.pop()
        if name in seen:
            continue
        seen.add(name)
        if stops(name):
            met.add(name)
        else:
            ahead.extend(step(name))
    return met


def _ends(graph: LayerGraph) -> tuple[list[str], list[str]]:
    names = graph.names()
    inputs = [name for name in names if not graph.reads(name)]
    return inputs, [name for name in names if graph.is_output(name)]


def first_layers(graph: LayerGraph) -> set[str]:
    """The layers with weights that no other one is in front of."""
    inputs, _ = _ends(graph)
    stops = _weighted_in(graph)
    return {met for one in inputs for met in _met(graph, one, graph.readers, stops)}


def last_layers(graph: LayerGraph) -> set[str]:
    """The layers with weights that no other one is behind, on the way to an output."""
    _, outputs = _ends(graph)
    last = {one for one in outputs if is_weighted(graph.layers[one])}
    for one in {*outputs} - last:
        last |= _met(graph, one, graph.reads, _weighted_in(graph))
    return last


def _weighted_in(graph: LayerGraph) -> Callable[[str], bool]:
    return lambda name: is_weighted(graph.layers[name])


def next_computing(graph: LayerGraph, name: str) -> set[str]:
    """The nearest layers behind one that do more than to pass signs on.

    What lies between are pools, padding, concatenations, and sums of layers; what adds
    a constant or multiplies ends the way.
    """

    def stops(name: str) -> bool:
        return not (adds_layers(graph, name) or passes_signs_on(graph.layers[name]))

    return _met(graph, name, graph.readers, stops)


def adds_layers(graph: LayerGraph, name: str) -> bool:
    """Whether a layer is the sum of others, and not of one and a constant."""
    return is_sum(graph.layers[name]) and len(graph.sources(name)) > 1


def last_normalization(graph: LayerGraph, name: str) -> str:
    """The last of the normalisations directly behind a layer, or the layer itself."""
    readers = graph.readers(name)
    while len(readers) == 1 and is_normalization(graph.layers[readers[0]]):
        (name,) = readers
        readers = graph.readers(name)
    return name


def gate_layers(graph: LayerGraph) -> set[str]:
    """The layers with weights between a global pool and a product: squeeze-excite."""
    gates: set[str] = set()
    for name in graph.names():
        if is_product(graph.layers[name]) and len(graph.sources(name)) > 1:
            for branch in graph.reads(name):
                gates |= _gate(graph, branch)
    return gates


def _gate(graph: LayerGraph, name: str) -> set[str]:
    """The layers with weights on a single way back to a global pool, or none."""
    found: set[str] = set()
    while not isinstance(graph.layers[name], _POOLS):
        if is_weighted(graph.layers[name]):
            found.add(name)
        sources = graph.reads(name)
        if len(sources) != 1:
            return set()
        (name,) = sources
    return found


def downsampling_layers(graph: LayerGraph) -> set[str]:
    """The 1x1 convolutions on the shortcuts of residual blocks.

    They read what another layer reads as well, and are added without a non-linearity
    in between.
    """
    return {
        name
        for name in graph.names()
        if _is_pointwise(graph.layers[name])
        and len(graph.readers(graph.reads(name)[0])) > 1
        and _is_added(graph, name)
    }


def _is_pointwise(layer: tf.keras.layers.Layer) -> bool:
    is_conv = isinstance(layer, tf.keras.layers.Conv2D)
    return is_conv and tuple(layer.kernel_size) == (1, 1)


def _is_added(graph: LayerGraph, name: str) -> bool:
    readers = graph.readers(last_normalization(graph, name))
    return len(readers) == 1 and adds_layers(graph, readers[0])
