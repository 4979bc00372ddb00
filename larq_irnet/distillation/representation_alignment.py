r"""RBD, the distance between the features of a binary network and of its teacher.

DIR-Net's Representation-align Binarization-aware Distillation. The authors' code is not
public; the form of the distance is the one that their first author published for two
other networks of the same year. It is our reading, and every choice is an argument.
"""

import math
from collections.abc import Mapping, Sequence

import tensorflow as tf

from larq_irnet.half_precision import widened

__all__ = ["RepresentationAlignment", "representation_distance"]


def _norm(x: tf.Tensor, axes: list[int] | None) -> tf.Tensor:
    """Euclidean, with a gradient of zero at zero."""
    squared = tf.reduce_sum(tf.square(x), axes, keepdims=True)
    positive = squared > 0.0
    return tf.where(
        positive, tf.sqrt(tf.where(positive, squared, tf.ones_like(squared))), squared
    )


def representation_distance(
    student: tf.Tensor,
    teacher: tf.Tensor,
    *,
    squared: bool = False,
    per_sample: bool = False,
) -> tf.Tensor:
    r"""How far the features of a student point away from those of its teacher.

    \\[
    d = \left\| \frac{Q_S}{\|Q_S\|_2} - \frac{Q_T}{\|Q_T\|_2} \right\|_2
    \\]

    where \\(Q\\) are the features or their squares, and the norms go over the whole
    batch or over each sample. It lies in [0, 2], in \\([0, \sqrt 2]\\) for squares, and
    does not depend on the scale of either. Features that are all zero stay zero.
    Nothing flows back to the teacher. Features in half precision are taken to float32.

    # Arguments
        student: [N, ...].
        teacher: The same shape.
        squared: Whether features are squared first, element by element.
        per_sample: Whether each sample has a distance of its own, of which the mean is
            taken, in place of one distance of the batch.

    # Returns
        A scalar.

    # Raises
        ValueError: if the shapes differ.

    # Example
        >>> student, teacher = tf.constant([[3.0, 4.0]]), tf.constant([[4.0, 3.0]])
        >>> round(float(representation_distance(student, teacher)), 4)
        0.2828
        >>> float(representation_distance(student, 10.0 * student))
        0.0

    # References
        - [Distribution-sensitive Information Retention for Accurate Binary Neural
            Network](https://arxiv.org/abs/2109.12338), the idea
        - [BiBERT: Accurate Fully Binarized BERT](https://arxiv.org/abs/2203.06390) and
            [BiFSMN: Binary Neural Network for Keyword
            Spotting](https://arxiv.org/abs/2202.06483), the form
    """
    student = widened(tf.convert_to_tensor(student))
    teacher = tf.stop_gradient(tf.cast(teacher, student.dtype))
    if not teacher.shape.is_compatible_with(student.shape):
        raise ValueError(
            "Expected features of the student and of the teacher to have one shape, "
            f"got {student.shape} and {teacher.shape}."
        )
    if squared:
        student, teacher = tf.square(student), tf.square(teacher)
    axes = [*range(1, student.shape.rank)] if per_sample else None
    directions = (tf.math.divide_no_nan(x, _norm(x, axes)) for x in (student, teacher))
    return tf.reduce_mean(_norm(tf.subtract(*directions), axes))


class RepresentationAlignment:
    r"""RBD as a term of a `larq_irnet.distillation.Distiller`: \\(\gamma \sum_l d_l\\).

    # Arguments
        layers: Names of layers that student and teacher both have, or a mapping from
            the student's to the teacher's. `None` takes the quantized layers of the
            student that the teacher has by the same name and shape.
        gamma: \\(\gamma\\), positive: weight of the term.
        squared: As for `representation_distance`.
        per_sample: As for `representation_distance`.

    # Raises
        ValueError: for a `gamma` that is not positive and finite, and for no layers.

    # Example
        >>> alignment = RepresentationAlignment(["stage1", "stage2"], gamma=0.5)
        >>> features = [tf.ones((4, 8)), tf.ones((4, 3))]
        >>> float(alignment(features, features))
        0.0

    # References
        - [Distribution-sensitive Information Retention for Accurate Binary Neural
            Network](https://arxiv.org/abs/2109.12338), the idea; see
            `representation_distance`
    """

    def __init__(
        self,
        layers: Sequence[str] | Mapping[str, str] | None = None,
        *,
        gamma: float = 1.0,
        squared: bool = False,
        per_sample: bool = False,
    ):
        if not (isinstance(gamma, (int, float)) and 0.0 < gamma < math.inf):
            raise ValueError(
                f"Expected `gamma` to be positive and finite, got {gamma!r}."
            )
        if layers is not None and (isinstance(layers, str) or not layers):
            raise ValueError(
                "Expected `layers` to be names of layers, a mapping between them, or "
                f"None, got {layers!r}."
            )
        self.layers = layers
        self.gamma = gamma
        self.squared = squared
        self.per_sample = per_sample

    def __call__(
        self, student: Sequence[tf.Tensor], teacher: Sequence[tf.Tensor]
    ) -> tf.Tensor:
        r"""\\(\sum_l d_l\\), without \\(\gamma\\).

        # Arguments
            student: Features of the student's layers.
            teacher: Features of the teacher's, in the same order.
        """
        distances = [
            representation_distance(
                learnt, taught, squared=self.squared, per_sample=self.per_sample
            )
            for learnt, taught in zip(student, teacher)
        ]
        widest = max((one.dtype for one in distances), key=lambda dtype: dtype.size)
        return tf.add_n([tf.cast(one, widest) for one in distances])
