"""The process that a model from elsewhere runs in first; see `__main__.py`."""
