"""Exact rewrites of a Keras model before its conversion, one module each.

A rewrite gives the same function in a form that Larq Compute Engine runs better, or
runs at all. `rewrite_layers` applies them one after the other and says what it did.
"""

from tflite_export.rewrites.change import Rewrite
from tflite_export.rewrites.in_float32 import in_float32
from tflite_export.rewrites.rewriting import rewrite_layers

__all__ = ["Rewrite", "in_float32", "rewrite_layers"]
