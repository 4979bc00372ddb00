"""What in a model Larq Compute Engine would leave float, get wrong, or run slower.

Looks at the Keras model alone, before anything is converted. Its rules were found by
converting small models with Larq Compute Engine 0.16, and a test converts them again.
"""

from tflite_export.lint.linting import lint

__all__ = ["lint"]
