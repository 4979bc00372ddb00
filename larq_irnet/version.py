"""The version of the project, readable without importing TensorFlow."""

__version__ = "0.1.0"
