"""Converts one SavedModel, in a process that may crash or hang.

Usage: python tflite_export/conversion_worker {lce,tflite} {float32,int8} MODEL OUTPUT,
where the type is that of inputs and outputs, and MODEL the folder of a SavedModel.
"""

import sys
from pathlib import Path


def _convert(converter: str, edges: str, saved_model: str) -> bytes:
    import tensorflow as tf

    if converter == "lce":
        import larq_compute_engine as lce

        return lce.convert_saved_model(
            saved_model,
            inference_input_type=tf.as_dtype(edges),
            inference_output_type=tf.as_dtype(edges),
        )
    return tf.lite.TFLiteConverter.from_saved_model(saved_model).convert()


if __name__ == "__main__":
    *arguments, output = sys.argv[1:]
    Path(output).write_bytes(_convert(*arguments))
