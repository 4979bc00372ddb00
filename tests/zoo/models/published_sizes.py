"""What the papers' networks weigh, and how it is counted in a model of ours."""

import larq as lq
import numpy as np
import pytest
import tensorflow as tf


def parameters(model):
    """Trainable parameters: those of binary convolutions, and the others."""
    binary = sum(layer.kernel.shape.num_elements() for layer in binary_layers(model))
    trainable = sum(weight.shape.num_elements() for weight in model.trainable_weights)
    return binary, trainable - binary


def binary_layers(model):
    return [layer for layer in model.layers if isinstance(layer, lq.layers.QuantConv2D)]


def float_convolutions(model):
    kind = tf.keras.layers.Conv2D  # Larq's convolutions are of that kind as well
    layers = [layer for layer in model.layers if isinstance(layer, kind)]
    return [layer for layer in layers if layer not in binary_layers(model)]


def depthwise_convolutions(model):
    kind = tf.keras.layers.DepthwiseConv2D  # which are no kind of Conv2D
    return [layer for layer in model.layers if isinstance(layer, kind)]


def initial_deviation(expected, weight):
    """To compare the deviation of initial weights with, of any distribution."""
    # four standard errors of the deviation of normal numbers; uniform ones vary less
    return pytest.approx(expected, abs=4 * expected / np.sqrt(2 * weight.size))


def millions_of_macs(model):
    """Multiply-accumulates for one image, binary and others, in millions."""
    profile = lq.models.ModelProfile(model)
    return tuple(round(profile.op_count("mac", bits) / 1e6, 2) for bits in (1, 32))


def has_layer(model, name):
    return name in {layer.name for layer in model.layers}


def logits_of_zeros(model):
    return model(tf.zeros((2, *model.input_shape[1:])))
