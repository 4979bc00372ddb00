"""Models without models in them."""

import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph

__all__ = ["flattened"]


def flattened(model: tf.keras.Model) -> tf.keras.Model:
    """A copy of a model in which the layers of models within it are its own.

    `binarize` takes models apart as well, so that the layers of its twin have the same
    names as those of the copy: make it the teacher where features are to be aligned.

    # Arguments
        model: A built functional or sequential model; layers are called once each.

    # Returns
        A functional model of the same function and weights, which shares nothing with
        `model`. A layer whose name another one has gets that of its model in front.

    # Raises
        ValueError: for a model that is not functional or has shared layers.

    # Example
        >>> body = tf.keras.Sequential([tf.keras.layers.Dense(3, name="hidden")])
        >>> images = tf.keras.Input((4,), name="images")
        >>> nested = tf.keras.Model(images, body(images))
        >>> [layer.name for layer in flattened(nested).layers]
        ['images', 'hidden']
    """
    return LayerGraph(model).build(transfer_weights=True)
