"""The process that model files are read in; see `__main__.py`."""
