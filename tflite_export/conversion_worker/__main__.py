"""Converts one SavedModel, in a process that may crash or hang.

Usage: python tflite_export/conversion_worker {lce,tflite} SAVED_MODEL OUTPUT
"""

import sys
from pathlib import Path


def _convert(converter: str, saved_model: str) -> bytes:
    if converter == "lce":
        import larq_compute_engine as lce

        return lce.convert_saved_model(saved_model)
    import tensorflow as tf

    return tf.lite.TFLiteConverter.from_saved_model(saved_model).convert()


if __name__ == "__main__":
    converter, saved_model, output = sys.argv[1:]
    Path(output).write_bytes(_convert(converter, saved_model))
