"""Weights of the authors' PyTorch networks for the networks of the zoo.

```python
model = zoo.ResNet20("irnet", alignment="torch")
state_dict = zoo.torch_import.read_checkpoint("model.th")
zoo.torch_import.load_state_dict(model, state_dict)
```

The model then computes what the PyTorch network computes. With `alignment="torch"` it
works on images rotated by 180 degrees, so kernels are rotated as they are imported (see
`zoo.models.alignment`).
"""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from larq_irnet.layers import ChannelScale
from larq_irnet.quantized_scope import quantized_scope
from zoo.torch_checkpoint import read_checkpoint
from zoo.torch_entries import TorchEntry, has_rotated_images, torch_entries
from zoo.torch_layouts import TorchLayout, find_layout

__all__ = ["load_state_dict", "read_checkpoint"]

log = logging.getLogger(__name__)

_PARALLEL_PREFIX = "module."  # of torch.nn.DataParallel


def _check_alignment(model: tf.keras.Model, layout: TorchLayout) -> None:
    if layout.is_strided and not has_rotated_images(model):
        raise ValueError(
            "Expected a model with the geometry of PyTorch, got "
            f"{model.name!r} with that of TensorFlow. Build it with "
            '`alignment="torch"`.'
        )


def _check_scales(model: tf.keras.Model, values: Mapping[str, Any]) -> None:
    """Networks with ReCU's channel scales and those without do not fit each other."""
    are_in_model = any(isinstance(layer, ChannelScale) for layer in model.layers)
    are_in_values = any(str(name).endswith(".alpha") for name in values)
    if are_in_model == are_in_values:
        return
    expected, got = ("with", "without") if are_in_model else ("without", "with")
    raise ValueError(
        f"Expected a state dict {expected} ReCU's channel scales (`alpha`), as model "
        f"{model.name!r} is {expected} them, got one {got}. Build the model with the "
        "method that the PyTorch network was trained with."
    )


def _warn_of_padding(model: tf.keras.Model) -> None:
    if any(getattr(layer, "pad_values", 0.0) != 0.0 for layer in model.layers):
        log.warning(
            "The binary convolutions of %r do not pad with zeros, as those of the "
            "authors do: it will compute something else than the PyTorch network.",
            model.name,
        )


def _without_prefix(state_dict: Mapping[str, Any]) -> dict[str, Any]:
    names = [*state_dict]
    if not all(str(name).startswith(_PARALLEL_PREFIX) for name in names):
        return dict(state_dict)
    return {name.removeprefix(_PARALLEL_PREFIX): state_dict[name] for name in names}


def _as_array(value: Any) -> np.ndarray | None:
    """An array of numbers, or `None` if there are none in `value`."""
    try:
        if hasattr(value, "detach"):  # a torch.Tensor
            value = value.detach().cpu()
            # NumPy knows no bfloat16
            value = (value if value.element_size() >= 4 else value.float()).numpy()
        array = np.asarray(value)
        dtype = tf.as_dtype(array.dtype)
    except (RuntimeError, TypeError, ValueError):
        return None
    return array if dtype.is_floating or dtype.is_integer else None


def _problem(entry: TorchEntry, values: Mapping[str, Any], array: Any) -> str | None:
    """What is wrong with one entry, or `None`."""
    if entry.name not in values:
        return f"no {entry.name} {entry.shape}"
    if array is None:
        return f"{entry.name} without numbers ({type(values[entry.name]).__name__})"
    if array.shape != entry.shape:
        return f"{entry.name} {array.shape} in place of {entry.shape}"
    return None


def _checked(
    entries: list[TorchEntry], values: Mapping[str, Any], layout: TorchLayout
) -> list[np.ndarray]:
    """The arrays of all entries, or one error about everything that does not fit."""
    arrays = [_as_array(values.get(entry.name)) for entry in entries]
    checked = [_problem(entry, values, array) for entry, array in zip(entries, arrays)]
    problems = [problem for problem in checked if problem is not None]
    expected = {entry.name for entry in entries}
    problems += [f"unexpected {name}" for name in values if name not in expected]
    if problems:
        raise ValueError(
            f"Expected the state dict of {layout.network}, got one with "
            f"{'; '.join(problems)}. Shapes are PyTorch's; build the model with the "
            "same classes, image size and variant as the PyTorch network."
        )
    return [array for array in arrays if array is not None]


def load_state_dict(model: tf.keras.Model, state_dict: Mapping[str, Any]) -> None:
    """Gives a network of the zoo the weights of the authors' PyTorch network.

    All weights are replaced, latent weights and batch norm statistics included, or
    none. The names tell neither "bi_real" from "normal" blocks nor pooled from strided
    shortcuts, and of the methods only those with channel scales from those without:
    the model has to be built as the PyTorch network was.

    # Arguments
        model: A network of `zoo.models`, built with `alignment="torch"`.
        state_dict: NumPy arrays or PyTorch tensors by PyTorch's names, with or without
            the prefix "module." of `DataParallel`. Ignored are counters of batches,
            ReCU's `tau`, which inference does not depend on, and the unused `bn3` of
            IR-Net's ImageNet networks.

    # Raises
        ValueError: if the model was built otherwise, or with all entries that are
            missing, unexpected, of another shape or not of numbers.

    # Example
        >>> from zoo.models import ResNet20
        >>> model = ResNet20("irnet", input_shape=(8, 8, 1), alignment="torch")
        >>> load_state_dict(model, {"conv1.weight": np.ones((16, 1, 3, 3))})
        Traceback (most recent call last):
        ...
        ValueError: Expected the state dict of ResNet-20, got one with no bn1.weight...
    """
    if not isinstance(state_dict, Mapping):
        raise ValueError(
            "Expected `state_dict` to be a mapping of names to arrays, got "
            f"{type(state_dict).__name__}."
        )
    layout = find_layout(model)
    _check_alignment(model, layout)
    values = {
        name: value
        for name, value in _without_prefix(state_dict).items()
        if not layout.is_unused(str(name))
    }
    _check_scales(model, values)
    entries = torch_entries(model, layout)
    arrays = _checked(entries, values, layout)
    _warn_of_padding(model)
    with quantized_scope(False):
        for entry, array in zip(entries, arrays):
            dtype = entry.variable.dtype.as_numpy_dtype
            entry.variable.assign(entry.to_keras(array).astype(dtype))
