"""IR2Net's information recovery as the layers that it consists of.

In int8 each of its convolutions then has a range of its own, and is verified on its
own. As one layer, only the result has a range: what the first convolution rounds, the
second one amplifies, and verification cannot tell that from a mistake.
"""

import numpy as np
import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from larq_irnet.layers import InformationRecovery
from tflite_export.rewrites.candidates import candidates, latent_weights, reconfigured

__all__ = ["recovery_as_layers"]


def recovery_as_layers(model: tf.keras.Model) -> tf.keras.Model:
    """The same function with every information recovery taken apart.

    One with a grouped convolution that is not depthwise, or with more channels than it
    gives, stays whole.

    # Arguments
        model: A functional or sequential model in float32.

    # Returns
        A new model, or `model` itself if there is nothing to take apart.
    """
    graph = LayerGraph(model, allow_shared=True)
    weights: dict[str, list[np.ndarray]] = {}
    for name, layer in candidates(graph, InformationRecovery):
        if _is_simple(layer):
            weights |= _take_apart(graph, name, layer)
    if not weights:
        return model
    return graph.build(transfer_weights=True, weights=weights)


def _is_simple(layer: InformationRecovery) -> bool:
    if layer.ratio == 1:
        return True
    channels = layer.primary_conv.filters
    is_depthwise = layer.cheap_conv.groups == channels
    return is_depthwise and channels * layer.ratio == layer.filters


def _take_apart(
    graph: LayerGraph, name: str, layer: InformationRecovery
) -> dict[str, list[np.ndarray]]:
    """Puts its parts in its place; returns their weights by name."""
    weights, results = {}, []
    sources = graph.sources(name)
    for part in layer.parts:
        copy = reconfigured(part, name=graph.unused(f"{name}_{part.name}"))
        sources = [[graph.add(copy, sources), 0, 0]]
        weights[copy.name] = latent_weights(part)
        if part in (layer.primary_act, layer.parts[-1]):
            results.append(sources[0])
    joined: tf.keras.layers.Layer = tf.keras.layers.Concatenate(axis=-1)
    if layer.ratio == 1:
        results, joined = results[:1], tf.keras.layers.Activation("linear")
    graph.replace(name, joined, sources=results)
    return weights
