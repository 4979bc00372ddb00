"""What is converted of a model: its inference with a batch of one."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from larq_irnet.functional_model import is_functional

__all__ = ["check_is_functional", "inference_function"]


def check_is_functional(model: Any) -> None:
    """Makes sure that what a model computes is known from its layers.

    # Raises
        ValueError: unless it is a built functional or sequential Keras model.
    """
    if not is_functional(model):
        raise ValueError(
            "Expected a built functional or sequential Keras model, got "
            f"{type(model).__name__}. Rebuild a subclassed one with tf.keras.Input and "
            "tf.keras.Model; call a sequential one once."
        )


def inference_function(
    model: tf.keras.Model,
) -> tuple[Callable[..., dict[str, tf.Tensor]], list[tf.TensorSpec]]:
    """The function that converters get, and what it takes.

    # Arguments
        model: A built functional or sequential model.

    # Returns
        A function from all inputs to the outputs by name, output_0, output_1, ..., and
        the specifications of the inputs, input_0, input_1, ...
    """
    specs = [
        tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype, name=f"input_{index}")
        for index, tensor in enumerate(model.inputs)
    ]

    def serve(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        structure = tf.nest.pack_sequence_as(model.input, inputs)
        outputs = tf.nest.flatten(model(structure, training=False))
        return {f"output_{index}": output for index, output in enumerate(outputs)}

    return serve, specs
