"""A student and its teacher, with the features in which they are aligned."""

import logging
from typing import Any

import tensorflow as tf

from larq_irnet.distillation.layer_pairs import pair_layers
from larq_irnet.distillation.representation_alignment import RepresentationAlignment

__all__ = ["AlignedFeatures"]

_log = logging.getLogger(__name__)


class AlignedFeatures:
    r"""Runs both networks once and compares the features of their paired layers.

    No Keras object: a model that holds it does not take teacher and metric for its own.
    What is not aligned is logged as a warning.

    # Arguments
        student: A functional or sequential model.
        teacher: A functional or sequential model.
        alignment: Which layers, and the distance.

    # Attributes
        pairs: `larq_irnet.distillation.layer_pairs.LayerPairs`.
        mean_distance: Metric of \\(\sum_l d_l\\).

    # Raises
        ValueError: if no layers can be aligned.
    """

    def __init__(
        self,
        student: tf.keras.Model,
        teacher: tf.keras.Model,
        alignment: RepresentationAlignment,
    ):
        self.pairs = pair_layers(student, teacher, alignment.layers)
        for layer, reason in self.pairs.unmatched.items():
            _log.warning("%s is not aligned with the teacher: %s.", layer, reason)
        ours, theirs = zip(*self.pairs.pairs)
        self.mean_distance = tf.keras.metrics.Mean(name="alignment")
        self._alignment = alignment
        self._student = _with_features(student, ours)
        self._teacher = _with_features(teacher, theirs)

    def __call__(self, x: Any, *, training: bool) -> tuple[Any, Any, tf.Tensor]:
        """Outputs of the student, of the teacher, and the term of the loss."""
        logits, taught = self._teacher(x, training=False)
        outputs, learnt = self._student(x, training=training)
        distance = self._alignment(learnt, taught)
        self.mean_distance.update_state(distance)
        gamma = tf.cast(self._alignment.gamma, distance.dtype)
        logits = tf.nest.map_structure(tf.stop_gradient, logits)
        return outputs, logits, gamma * distance


def _with_features(model: tf.keras.Model, layers: tuple[str, ...]) -> tf.keras.Model:
    """Gives the outputs of a model and, as a list, those of some of its layers."""
    features = [model.get_layer(layer).output for layer in layers]
    return tf.keras.Model(model.input, (model.output, features))
