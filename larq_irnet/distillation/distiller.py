"""A Keras model that trains a student with the logits and features of a teacher."""

import functools
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from larq_irnet.distillation.aligned_features import AlignedFeatures
from larq_irnet.distillation.logit_matching import LogitMatching
from larq_irnet.distillation.representation_alignment import RepresentationAlignment
from larq_irnet.functional_model import is_functional
from larq_irnet.training_wrapper import TrainingWrapper

__all__ = ["Distiller", "TARGETS"]

TARGETS = ("teacher", "labels")


def _check_shapes(student: tf.keras.Model, teacher: tf.keras.Model) -> None:
    """Where both are built: a subclassed model may not know its shapes yet."""
    for what in ("input_shape", "output_shape"):
        ours, theirs = (_shape(model, what) for model in (student, teacher))
        if ours is not None and theirs is not None and not _agree(ours, theirs):
            kind = what.replace("_", " ")
            remedy = (
                "Build one of them for the other's images."
                if what == "input_shape"
                else "They need the same number of classes."
            )
            raise ValueError(
                f"Expected student and teacher to have one {kind}, got {ours} of "
                f"{student.name!r} and {theirs} of {teacher.name!r}. {remedy}"
            )


def _shape(model: tf.keras.Model, what: str) -> Any:
    try:
        return getattr(model, what)
    except (AttributeError, RuntimeError):
        return None


def _agree(ours: Any, theirs: Any) -> bool:
    """Whether shapes are equal but for sizes that are not known."""
    if not (isinstance(ours, tuple) and isinstance(theirs, tuple)):
        return bool(ours == theirs)
    return tf.TensorShape(ours).is_compatible_with(theirs)


def _check_gives_logits(model: tf.keras.Model) -> None:
    outputs = model.outputs if is_functional(model) else []
    for last in (output.node.layer for output in outputs):
        softmax = getattr(last, "activation", None) is tf.keras.activations.softmax
        if softmax or isinstance(last, tf.keras.layers.Softmax):
            raise ValueError(
                f"Expected {model.name!r} to give logits, which LogitMatching compares,"
                f" got probabilities: {last.name!r} ends in a softmax. Leave it out, "
                "as with `classifier_activation=None` of tf.keras.applications."
            )


class Distiller(TrainingWrapper):
    r"""Trains one network, the student, with what another one knows, the teacher.

    It is compiled, fitted and evaluated like any Keras model, with the loss

    \\[
    L = L_{compiled} + \gamma \sum_l d_l
    \\]

    The compiled loss takes the teacher's logits as `y_true`, or the labels, in training
    and in validation. The second term is there with an `alignment`; its sum is logged
    as `alignment`. Metrics compare with the labels. Outputs, weights, scheduled
    quantizers and checkpoints are the student's, and so is what `save` writes.

    Weights of samples and classes apply to the compiled loss and the metrics, not to
    the second term.

    The teacher runs in inference mode. Nothing of it changes, the statistics of its
    batch normalisations included.

    # Arguments
        student: The network to train.
        teacher: A trained network with inputs and outputs of the same shape.
        targets: What the compiled loss compares with: "teacher", its logits, for a loss
            such as `larq_irnet.distillation.LogitMatching`, or "labels".
        alignment: The distance of features that is added, or `None`. Both networks are
            functional or sequential then.
        name: Name of the model.

    # Raises
        ValueError: if the shapes of inputs or outputs are known to differ, for other
            `targets`, and if no layers can be aligned.

    # Example
        >>> from larq_irnet.distillation import LogitMatching
        >>> teacher = tf.keras.Sequential([tf.keras.layers.Dense(3, input_shape=(4,))])
        >>> student = tf.keras.Sequential([tf.keras.layers.Dense(3, input_shape=(4,))])
        >>> distiller = Distiller(student, teacher)
        >>> distiller.compile("adam", loss=LogitMatching(), metrics=["accuracy"])
        >>> images, labels = tf.ones((8, 4)), tf.zeros(8, tf.int64)
        >>> history = distiller.fit(images, labels, verbose=0)
        >>> sorted(history.history)
        ['accuracy', 'loss']
        >>> len(distiller.weights) == len(student.weights)
        True

    # References
        - [Distilling the Knowledge in a Neural
            Network](https://arxiv.org/abs/1503.02531)
        - [Distribution-sensitive Information Retention for Accurate Binary Neural
            Network](https://arxiv.org/abs/2109.12338), the idea of the alignment
    """

    def __init__(
        self,
        student: tf.keras.Model,
        teacher: tf.keras.Model,
        *,
        targets: str = "teacher",
        alignment: RepresentationAlignment | None = None,
        name: str = "distiller",
    ):
        if targets not in TARGETS:
            raise ValueError(
                f"Expected `targets` out of {list(TARGETS)}, got {targets!r}."
            )
        if targets == "labels" and alignment is None:
            raise ValueError(
                "Expected an `alignment` where `targets` are the labels, got None: "
                "nothing would be learned from the teacher."
            )
        _check_shapes(student, teacher)
        super().__init__(student, name=name)
        # Inside a partial Keras does not find it: it is no part of this model's
        # weights, checkpoints, losses and submodules.
        self._teach = functools.partial(teacher, training=False)
        self._targets = targets
        self._aligned = None
        if alignment is not None:
            self._aligned = AlignedFeatures(self.student, teacher, alignment)

    @property
    def student(self) -> tf.keras.Model:
        """The network that learns."""
        return self.network

    @property
    def teacher(self) -> tf.keras.Model:
        """The network that is learned from."""
        return self._teach.func

    @property
    def learns_logits(self) -> bool:
        """Whether the compiled loss compares with the teacher, not with the labels."""
        return self._targets == "teacher"

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The aligned layers, of the student and of the teacher."""
        return () if self._aligned is None else self._aligned.pairs.pairs

    @property
    def unmatched(self) -> Mapping[str, str]:
        """Why quantized layers of the student are not aligned, by name."""
        return {} if self._aligned is None else self._aligned.pairs.unmatched

    @property
    def has_own_step(self) -> bool:
        """Whether features are aligned."""
        return self._aligned is not None

    @property
    def metrics(self) -> list[tf.keras.metrics.Metric]:
        """Those that were compiled, and the mean distance of the features."""
        own = [] if self._aligned is None else [self._aligned.mean_distance]
        return [*super().metrics, *own]

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """As any Keras model.

        # Raises
            ValueError: for `LogitMatching` where a network gives probabilities.
        """
        super().compile(*args, **kwargs)
        if self.learns_logits and isinstance(self.loss, LogitMatching):
            for model in (self.student, self.teacher):
                _check_gives_logits(model)

    def targets(self, x: Any, y: Any) -> Any:
        """The logits of the teacher, in place of the labels, or the labels."""
        if not self.learns_logits:
            return y
        return tf.nest.map_structure(tf.stop_gradient, self._teach(x))

    def _aligned_loss(
        self,
        aligned: AlignedFeatures,
        x: Any,
        y: Any,
        sample_weight: Any,
        training: bool,
    ) -> tuple[tf.Tensor, Any]:
        """The whole loss and the outputs; each network runs once."""
        outputs, logits, term = aligned(x, training=training)
        targets = logits if self.learns_logits else y
        self._check_compares(targets)
        # added as Keras adds regularization, which it divides among the replicas
        loss = self.compiled_loss(
            targets,
            outputs,
            sample_weight,
            regularization_losses=[*self.losses, term],
        )
        return loss, outputs

    def _check_compares(self, targets: Any) -> None:
        if targets is None:
            raise ValueError(
                "Expected labels, got none: nothing but the features would be learned. "
                "Give `fit` and `evaluate` labels, or take targets='teacher'."
            )
        if not self.loss:
            raise ValueError(
                "Expected a compiled loss, got none: nothing but the features would be "
                "learned. Give `compile` a `loss`."
            )

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step on one batch."""
        aligned = self._aligned
        if aligned is None:
            return super().train_step(data)
        x, y, sample_weight = tf.keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            loss, outputs = self._aligned_loss(aligned, x, y, sample_weight, True)
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        return self.compute_metrics(x, y, outputs, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """The figures of one batch."""
        aligned = self._aligned
        if aligned is None:
            return super().test_step(data)
        x, y, sample_weight = tf.keras.utils.unpack_x_y_sample_weight(data)
        _, outputs = self._aligned_loss(aligned, x, y, sample_weight, False)
        return self.compute_metrics(x, y, outputs, sample_weight)
