"""A sign that stands in front of binary layers becomes their input quantizer.

It is the same to the converter, but a layer that only quantizes its weights does not
tell that it is to be binary: nothing would miss it if it stayed float.
"""

import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from tflite_export.layer_walk import input_quantizer, kernel_quantizers
from tflite_export.rewrites.candidates import candidates, reconfigured
from tflite_export.rewrites.change import Change
from tflite_export.rewrites.sign_readers import sign_of_its_own

__all__ = ["quantizes_weights_only", "signs_within_convolutions"]


def signs_within_convolutions(graph: LayerGraph) -> list[Change]:
    """Moves signs into the layers that read them, if all are to be binary."""
    changes = []
    for name, layer in candidates(graph):
        quantizer, readers = sign_of_its_own(layer), graph.readers(name)
        if quantizer is None or graph.is_output(name) or not readers:
            continue
        if not all(
            reader not in graph.shared and quantizes_weights_only(graph.layers[reader])
            for reader in readers
        ):
            continue
        for reader in readers:
            binary = reconfigured(graph.layers[reader], input_quantizer=quantizer)
            graph.replace(reader, binary)
        graph.remove(name)
        changes.append(Change(name, f"{', '.join(readers)} took its sign for input."))
    return changes


def quantizes_weights_only(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer has a quantized kernel, and could quantize its inputs as well."""
    return (
        bool(kernel_quantizers(layer))
        and hasattr(layer, "input_quantizer")
        and input_quantizer(layer) is None
    )
