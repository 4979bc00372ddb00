"""The operators of a model, as the converter gets them.

Layers hide what matters to a converter: a padding may come from a layer, from a
function or from within a convolution, and a quantizer may be a layer of its own. So the
rules about what surrounds a convolution read the graph that is converted, in which
shared layers and inner models are nothing special.
"""

import contextlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf

from larq_irnet.quantized_scope import quantized_scope
from tflite_export.inference_function import inference_function

__all__ = ["OperatorGraph", "constant_value"]

_PASS_THROUGH = (
    "BatchToSpaceND",  # around a convolution, for its dilation
    "CheckNumerics",
    "Identity",
    "IdentityN",
    "PreventGradient",
    "Snapshot",
    "SpaceToBatchND",
    "StopGradient",
)


@contextlib.contextmanager
def _inlined_functions() -> Iterator[None]:
    """Puts the operators of a `tf.function` within a trace into that trace."""
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


class OperatorGraph:
    """What the inference of a model computes, without what only wraps it.

    Operators that the outputs do not need are left out, and so are those that pass
    their input on, such as the shell of a custom gradient.

    # Arguments
        model: A built functional or sequential model.
    """

    def __init__(self, model: tf.keras.Model):
        serve, specs = inference_function(model)
        traced = tf.function(serve, autograph=False)
        with quantized_scope(False), _inlined_functions():
            self._function = traced.get_concrete_function(*specs)
        self._model = model
        self._outputs = {self.source(x).name for x in self._function.graph.outputs}
        self._readers = self._find_readers()
        inputs = self._function.graph.inputs[: len(specs)]  # then variables follow
        self._data = self._find_data(inputs)
        self.operators = [
            operator
            for operator in self._function.graph.get_operations()
            if operator.name in self._data
        ]

    def _find_readers(self) -> dict[str, list[tf.Operation]]:
        readers = defaultdict(list)
        waiting = [self.source(x).op for x in self._function.graph.outputs]
        seen = {operator.name for operator in waiting}
        while waiting:
            operator = waiting.pop()
            for tensor in map(self.source, operator.inputs):
                readers[tensor.name].append(operator)
                if tensor.op.name not in seen:
                    seen.add(tensor.op.name)
                    waiting.append(tensor.op)
        return readers

    def _find_data(self, inputs: Iterable[tf.Tensor]) -> set[str]:
        found = {tensor.op.name for tensor in inputs}
        waiting = [*inputs]
        while waiting:
            for operator in self._readers.get(waiting.pop().name, ()):
                if operator.name not in found:
                    found.add(operator.name)
                    waiting.extend(operator.outputs)
        return found

    @staticmethod
    def source(tensor: tf.Tensor) -> tf.Tensor:
        """The tensor behind operators that pass their input on."""
        while tensor.op.type in _PASS_THROUGH:
            tensor = tensor.op.inputs[tensor.value_index]
        return tensor

    def inputs(self, operator: tf.Operation) -> list[tf.Tensor]:
        """What an operator reads."""
        return [*map(self.source, operator.inputs)]

    def data_inputs(self, operator: tf.Operation) -> list[tf.Tensor]:
        """What an operator reads that depends on the inputs of the model."""
        return [tensor for tensor in self.inputs(operator) if self.is_data(tensor)]

    def is_data(self, tensor: tf.Tensor) -> bool:
        """Whether a tensor depends on the inputs of the model."""
        return self.source(tensor).op.name in self._data

    def readers(self, tensor: tf.Tensor) -> list[tf.Operation]:
        """The operators that read a tensor."""
        return [*self._readers.get(self.source(tensor).name, ())]

    def is_output(self, tensor: tf.Tensor) -> bool:
        """Whether the model gives a tensor."""
        return self.source(tensor).name in self._outputs

    def only_reader(self, tensor: tf.Tensor) -> tf.Operation | None:
        """The operator that reads a tensor, if nothing else does."""
        readers = self.readers(tensor)
        return readers[0] if len(readers) == 1 and not self.is_output(tensor) else None

    def layer_of(self, operator: tf.Operation) -> tf.keras.layers.Layer | None:
        """The layer that an operator belongs to, which may be one of an inner model."""
        _, _, path = operator.name.partition("/")  # the name of the model is in front
        return _layer_at(self._model, path)

    def convolutions(
        self, *types: str
    ) -> list[tuple[tf.Operation, tf.keras.layers.Layer]]:
        """All convolutions within layers of the model, each with its layer.

        # Arguments
            types: Of the operators, "Conv2D" or "DepthwiseConv2dNative".
        """
        pairs = [
            (one, self.layer_of(one)) for one in self.operators if one.type in types
        ]
        return [(operator, layer) for operator, layer in pairs if layer is not None]


_NUMBER_OF_CALL = re.compile(r"_\d+$")


def _layer_at(model: tf.keras.Model, path: str) -> tf.keras.layers.Layer | None:
    inner = [one for one in model.layers if f"{path}/".startswith(f"{one.name}/")]
    if not inner:
        scope, slash, rest = path.partition("/")
        called_again = _NUMBER_OF_CALL.sub("", scope)
        if called_again == scope:
            return None
        return _layer_at(model, called_again + slash + rest)
    layer = max(inner, key=lambda one: len(one.name))
    if isinstance(layer, tf.keras.Model):
        return _layer_at(layer, path[len(layer.name) + 1 :])
    return layer


def constant_value(tensor: tf.Tensor) -> np.ndarray | None:
    """The value of a tensor that is written down in the graph, if there is one."""
    tensor = OperatorGraph.source(tensor)
    if tensor.op.type in ("Neg", "OnesLike"):
        if tensor.op.type == "OnesLike":
            return np.ones(())
        value = constant_value(tensor.op.inputs[0])
        return None if value is None else -value
    value = tf.get_static_value(tensor)
    return None if value is None else np.asarray(value)
