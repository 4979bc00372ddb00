"""The networks of `tf.keras.applications`, whose weights are put into ours."""

import numpy as np
import tensorflow as tf

layers = tf.keras.layers


def randomized(model, seed=0):
    """The model with statistics, scales and shifts that no formula can confuse."""
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            channels = layer.gamma.shape
            layer.set_weights(
                [
                    generator.uniform(0.5, 1.5, channels),
                    generator.normal(0.0, 0.5, channels),
                    generator.normal(0.0, 0.2, channels),
                    generator.uniform(0.5, 1.5, channels),
                ]
            )
    return model


def _with_weights(model):
    others = layers.Normalization  # of the images
    return [one for one in model.layers if one.weights and not isinstance(one, others)]


def copy_weights(theirs, ours):
    """Copies layer by layer, in the order of both models.

    Their normalisations have another epsilon, which goes into the variance; their
    classifier may be a 1x1 convolution.
    """
    pairs = list(zip(_with_weights(theirs), _with_weights(ours), strict=True))
    for source, target in pairs:
        weights = source.get_weights()
        if isinstance(target, layers.BatchNormalization):
            weights[3] = weights[3] + source.epsilon - target.epsilon
        shapes = [weight.shape for weight in target.weights]
        target.set_weights([w.reshape(shape) for w, shape in zip(weights, shapes)])
