"""Reads the files that PyTorch training leaves, without running what is in them."""

import os
import pickle
import re
import struct
from collections.abc import Mapping
from typing import Any

__all__ = ["read_checkpoint"]

_WRAPPERS = ("state_dict", "net")  # what the authors' trainers call the weights

# what torch.load raises for bytes that are no checkpoint, or not all of one
_DAMAGED = (
    pickle.UnpicklingError,
    struct.error,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            "Expected PyTorch to read a checkpoint with, found none. Run `pip install "
            "'larq-irnet[torch]'`."
        ) from error
    return torch


def _load(path: str | os.PathLike[str]) -> Any:
    torch = _torch()
    try:
        file = open(path, "rb")
    except OSError as error:
        raise ValueError(
            f"Expected a PyTorch checkpoint, cannot read {path}: {error.strerror}."
        ) from error
    with file:
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except _DAMAGED as error:
            raise ValueError(_explain(error, path)) from error


def _explain(error: Exception, path: str | os.PathLike[str]) -> str:
    forbidden = re.search(r"\bGLOBAL (\S+)", str(error))
    if forbidden is None:
        return (
            f"Expected a PyTorch checkpoint, got {path}, which is none, or cut off or "
            "damaged."
        )
    return (
        f"Expected weights alone in {path}, got a file that calls {forbidden[1]} when "
        "it is read; it was not run. If you trust its source, save the state dict of "
        "its network, and nothing else, again."
    )


def _is_state_dict(content: Any) -> bool:
    is_tensor = _torch().is_tensor
    return isinstance(content, Mapping) and any(map(is_tensor, content.values()))


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads the state dict out of a PyTorch checkpoint.

    A file that wants to run code is refused; nothing of it is run.

    # Arguments
        path: A file that `torch.save` wrote: a state dict, or a dictionary that holds
            one as "state_dict" or "net", as the authors' trainers save it.

    # Returns
        Tensors on the CPU by their names.

    # Raises
        ImportError: without PyTorch.
        ValueError: if the file cannot be read, runs code or holds no state dict.

    # Example
        `load_state_dict(model, read_checkpoint("model.th"))`
    """
    content = _load(path)
    for name in _WRAPPERS:
        if isinstance(content, Mapping) and _is_state_dict(content.get(name)):
            return dict(content[name])
    if _is_state_dict(content):
        return dict(content)
    found = f"a {type(content).__name__}"
    if isinstance(content, Mapping):
        found = f"the keys {[*content]}"
    raise ValueError(
        f"Expected a state dict in {path}, by itself or as "
        f"{' or '.join(map(repr, _WRAPPERS))} in a dictionary, got {found}."
    )
