"""The process that a conversion runs in; see `__main__.py`.

A folder of its own, because Python puts the folder of a script on the import path.
"""
