"""The error of files that hold no model that can be read safely."""

__all__ = ["ModelFileError"]


class ModelFileError(ValueError):
    """A file that is damaged, hostile, or none that Keras 2 has written."""
