"""What all tests of rewrites ask: is it the same function, and what was done?"""

import numpy as np
import tensorflow as tf

from tests.tflite_export import networks
from tflite_export.rewrites import Rewrite, rewrite_layers


def random_inputs(model: tf.keras.Model, count: int = 3) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    shapes = [(count, *tensor.shape[1:]) for tensor in model.inputs]
    return [generator.normal(size=shape).astype(np.float32) for shape in shapes]


def assert_same_function(one: tf.keras.Model, other: tf.keras.Model) -> None:
    inputs = random_inputs(one)
    outputs = [
        tf.nest.flatten(model(tf.nest.pack_sequence_as(model.input, inputs)))
        for model in (one, other)
    ]
    for expected, actual in zip(*outputs, strict=True):
        # float32 sums of at most some hundred terms, in another order
        scale = np.abs(expected).max()
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * scale)


def rewritten(model: tf.keras.Model) -> tuple[tf.keras.Model, list[Rewrite]]:
    """The rewritten model, which computes the same, and what was done beside folding.

    Batch normalisations get scales of both signs unless all of their weights were set.
    """
    networks.randomize_channels(networks.randomize_batch_norms(model))
    result, done = rewrite_layers(model)
    assert_same_function(model, result)
    again, nothing = rewrite_layers(result)
    assert (again, nothing) == (result, [])
    return result, [one for one in done if one.rewrite != "folded kernel"]


def kinds(model: tf.keras.Model) -> list[str]:
    """The classes of a model's layers, inputs aside."""
    names = [type(layer).__name__ for layer in model.layers]
    return [name for name in names if name != "InputLayer"]
