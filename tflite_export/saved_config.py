"""What the configuration in a model file may hold: layers that are known, no code.

Keras builds whatever a configuration names. A `Lambda` layer is Python code; of the
formats, only .keras refuses it (`safe_mode`), .h5 and SavedModel run it without a word.
But also a function of any installed module can be named, and an operator of TensorFlow
that writes files. So nothing is built but what stands on a list: layers, initializers,
regularizers and constraints of Keras that read no files, operators of TensorFlow that
compute, and what is registered with Keras here: by Larq, by larq_irnet, by the caller.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from tflite_export.model_file_error import ModelFileError

__all__ = ["parse_config"]

_Config = dict[str, Any]

_CODE = (
    "If you trust the file, load it with tf.keras.models.load_model, and give the "
    "model to tflite_export.export."
)
_UNKNOWN = (
    "If it is yours, import the module that registers it "
    "(tf.keras.utils.register_keras_serializable) first, or load the file with "
    "tf.keras.models.load_model, and give the model to tflite_export.export."
)
_READING_FILES = ("DenseFeatures", "IntegerLookup", "StringLookup", "TextVectorization")
_MODELS = ("Functional", "Model", "Sequential")
_OPERATORS = ("SlicingOpLambda", "TFOpLambda")
_VALUES = ("TensorShape", "__ellipsis__", "__tuple__")  # what JSON has no word for
_PACKAGES = ("builtins", "keras", "tf_keras")
_COMPUTING = re.compile(
    r"(compat\.v1\.)?((math|nn|linalg|__operators__)\.\w+|abs|add_n|argmax|argmin|cast"
    r"|clip_by_value|concat|constant|convert_to_tensor|divide|expand_dims|fill|gather"
    r"|identity|image\.resize|matmul|maximum|minimum|multiply|ones_like|pad|pow"
    r"|quantization\.fake_quant_with_min_max_\w+|range|rank|reduce_\w+|repeat|reshape"
    r"|reverse|round|shape|sign|slice|split|sqrt|square|squeeze|stack|stop_gradient"
    r"|strided_slice|subtract|tensordot|tile|transpose|unstack|where|zeros_like)"
)
_CONSTANT = "_CONSTANT_VALUE"  # Keras' mark of an input that no layer computes


def parse_config(text: str | bytes) -> _Config:
    """Reads the configuration of a model.

    # Arguments
        text: JSON, as Keras has written it.

    # Returns
        The configuration, without what the model was compiled with.

    # Raises
        ModelFileError: if it is none, holds code or unknown classes, or layers that
            read what no layer computes, on which Keras would wait forever.
    """
    try:
        config = _without_compilation(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"its configuration is not JSON: {error}.") from error
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        raise ModelFileError("its configuration is not that of a model.")
    for entry in _dictionaries(config):
        if "class_name" in entry:
            _check_class(entry)
        if "input_layers" in entry:
            _check_graph(entry)
    return config


def _without_compilation(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_compilation(one)
            for key, one in value.items()
            if key != "compile_config"
        }
    if isinstance(value, list):
        return [_without_compilation(one) for one in value]
    return value


def _dictionaries(config: _Config) -> Iterator[_Config]:
    to_visit: list[Any] = [config]
    while to_visit:
        value = to_visit.pop()
        if isinstance(value, dict):
            yield value
            to_visit.extend(value.values())
        elif isinstance(value, list):
            to_visit.extend(value)


@functools.cache
def _known_classes() -> frozenset[str]:
    namespaces = (
        tf.keras.layers,
        tf.keras.initializers,
        tf.keras.regularizers,
        tf.keras.constraints,
    )
    names = {
        name
        for namespace in namespaces
        for name, value in vars(namespace).items()
        if isinstance(value, type)
    }
    names.update(_MODELS, _OPERATORS, ["Policy"])
    return frozenset(names.difference(_READING_FILES, ["Lambda"]))


def _registered() -> dict[str, Any]:
    return {**tf.keras.utils.get_custom_objects()}


def _check_class(entry: _Config) -> None:
    name = entry["class_name"]
    if not isinstance(name, str):
        raise ModelFileError(f"its configuration names {name!r} for a class.")
    if name in _VALUES and "config" not in entry:
        return
    registered = entry.get("registered_name")
    if name == "function":
        _check_function(entry)
    elif name in ("Lambda", "__lambda__"):
        raise ModelFileError(
            f"its configuration holds Python code (a lambda), which is not run. {_CODE}"
        )
    elif name in _READING_FILES:
        raise ModelFileError(f"it holds a {name} layer, which reads files. {_CODE}")
    elif not {name, registered} & {*_known_classes(), *_registered()}:
        raise ModelFileError(
            f"it holds a {name}, which is no class of Keras or Larq, or registered "
            f"with Keras. {_UNKNOWN}"
        )
    if registered not in (None, name) and registered not in _registered():
        raise ModelFileError(f"it holds a {registered}. {_UNKNOWN}")
    package = str(entry.get("module") or "builtins").split(".")[0]
    own = {str(one.__module__).split(".")[0] for one in _registered().values()}
    if package not in {*_PACKAGES, *own}:
        raise ModelFileError(f"it holds a {name} of the package {package}. {_UNKNOWN}")
    if name in _OPERATORS:
        _check_operator(entry)


def _check_function(entry: _Config) -> None:
    name, module = entry.get("config"), entry.get("module")
    known = [one for one in dir(tf.keras.activations) if not one.startswith("_")]
    if module not in (None, "builtins", "keras.activations"):
        known = []
    if name not in [*known, *_registered()]:
        raise ModelFileError(
            f"its configuration names the function {module}.{name}. {_CODE}"
        )


def _check_operator(entry: _Config) -> None:
    config = entry.get("config")
    function = config.get("function") if isinstance(config, dict) else None
    if not isinstance(function, str) or not _COMPUTING.fullmatch(function):
        raise ModelFileError(
            f"its configuration names TensorFlow's {function}, which is not known to "
            f"compute and nothing else. {_CODE}"
        )


def _reads(value: Any) -> Iterator[Sequence[Any]]:
    """The references to layers in a call, as Keras recognises them."""
    if isinstance(value, dict):
        value = [*value.values()]
    if not isinstance(value, list):
        return
    if len(value) in (3, 4) and isinstance(value[0], str):
        if value[0] != _CONSTANT:
            yield value[:3]
        value = value[3:]
    for one in value:
        yield from _reads(one)


def _check_graph(config: _Config) -> None:
    """Follows Keras as it calls the layers of a model, until nothing is left."""
    calls: dict[str, list[Any]] = {}
    done: dict[str, int] = {}
    inputs = set()
    try:
        for layer in config["layers"]:
            name = layer["name"]
            calls.setdefault(name, []).extend(layer["inbound_nodes"])
            done[name] = int(_is_called_when_made(layer))
            if layer["class_name"] == "InputLayer":
                inputs.add(name)
    except (KeyError, TypeError) as error:
        raise ModelFileError(
            f"its configuration has a layer without {error}, or of another form."
        ) from error
    waiting = {name: left for name, left in calls.items() if left}
    while waiting:
        before = sum(done.values())
        for name, left in waiting.items():
            while left and all(_is_there(one, done, inputs) for one in _reads(left[0])):
                left.pop(0)
                done[name] += 1
        waiting = {name: left for name, left in waiting.items() if left}
        if waiting and sum(done.values()) == before:
            raise ModelFileError(
                f"its layers {sorted(waiting)[:5]} read what no layer computes."
            )


def _is_there(
    reference: Sequence[Any], done: Mapping[str, int], inputs: set[str]
) -> bool:
    name, call, _ = reference
    if name in inputs:
        return True
    return type(call) is int and 0 <= call < done.get(name, 0)


def _is_called_when_made(layer: _Config) -> bool:
    """Whether an inner model counts its own inputs and outputs as the first call."""
    config = layer["config"]
    if "input_layers" in config:
        return True
    if layer["class_name"] != "Sequential" or not config.get("layers"):
        return False
    first = config["layers"][0]
    return first["class_name"] == "InputLayer" or "batch_input_shape" in first["config"]
