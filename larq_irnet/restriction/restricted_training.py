"""A Keras model that trains a network on whole images and on restricted ones."""

import difflib
import functools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from larq_irnet.functional_model import is_functional
from larq_irnet.restriction.attention_erase import (
    attention_erase,
    attention_map,
    attention_mask,
    check_fill,
    check_normalize,
    check_threshold,
)
from larq_irnet.training_wrapper import TrainingWrapper

__all__ = ["RestrictedTraining", "STATISTICS", "check_restriction"]

STATISTICS = ("both", "first")


def check_restriction(
    *,
    threshold: float = 0.15,
    normalize: str = "column",
    fill: float | Sequence[float] = 0.0,
    statistics: str = "both",
) -> None:
    """Makes sure that these are options of `RestrictedTraining`.

    # Raises
        ValueError: for the first one that is not valid.
    """
    check_threshold(threshold)
    check_normalize(normalize)
    check_fill(fill)
    if statistics not in STATISTICS:
        raise ValueError(
            f"Expected `statistics` out of {list(STATISTICS)}, got {statistics!r}."
        )


def _check_network(network: tf.keras.Model) -> None:
    if not is_functional(network):
        raise ValueError(
            "Expected a built functional or sequential Keras model, got "
            f"{type(network).__name__}: the features of a subclassed model cannot be "
            "found by a name. Rebuild it with tf.keras.Input and tf.keras.Model."
        )
    shapes = [tuple(tensor.shape) for tensor in network.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4:
        raise ValueError(
            "Expected a model of one input, images [N, H, W, C], got "
            f"{network.name!r} with inputs of the shapes {shapes}."
        )


def _check_passes(model: tf.keras.Model) -> None:
    if isinstance(model, TrainingWrapper) and model.has_own_step:
        raise ValueError(
            "Expected a network or a distiller without `alignment`, got "
            f"{model.name!r}, whose steps are its own: they cannot be taken twice. "
            "Train with restriction or with alignment."
        )


def _features_of(network: tf.keras.Model, layer: str) -> tf.Tensor:
    """The symbolic output of a layer, after all checks."""
    layers = {one.name: one for one in network.layers}
    if layer not in layers:
        close = difflib.get_close_matches(layer, layers) or [*layers][-3:]
        nested = [name for name in layers if isinstance(layers[name], tf.keras.Model)]
        hint = f" Layers within {nested} cannot be named." if nested else ""
        raise ValueError(
            f"Expected `layer` to be the name of one of the {len(layers)} layers of "
            f"{network.name!r}, such as {', '.join(map(repr, close))}, got "
            f"{layer!r}.{hint}"
        )
    if len(layers[layer].inbound_nodes) != 1:
        raise ValueError(
            f"Expected a layer that is used once, got {layer!r}, which is called "
            f"{len(layers[layer].inbound_nodes)} times. Name the layer behind it."
        )
    features = tf.nest.flatten(layers[layer].output)
    shapes = [tuple(one.shape) for one in features]
    if len(shapes) != 1 or len(shapes[0]) != 4:
        raise ValueError(
            f"Expected a layer with features [N, h, w, C], got {layer!r} with outputs "
            f"of the shapes {shapes}. Name the last one in front of information "
            "recovery, pooling or flattening."
        )
    return features[0]


class RestrictedTraining(TrainingWrapper):
    r"""Trains a network with information restriction; usable with any Keras model.

    Every step has two passes: one of the images, and one of the same images without
    the pixels that the features of the first pass do not answer to
    (`larq_irnet.restriction.attention_erase`). With the loss \\(L\\)

    \\[
    L_{step} = \frac{1}{2} \left( L(f(x)) + L(f(x')) \right), \qquad
    x' = \mathrm{attention\\_erase}(x, F(x))
    \\]

    It is compiled, fitted and evaluated like any Keras model. Metrics are of the first
    pass; evaluation and inference erase nothing. Outputs, weights, scheduled
    quantizers and checkpoints are those of the network, and so is what `save` writes.
    Around a `larq_irnet.distillation.Distiller` both losses compare with what its
    teacher makes of the whole images, which is computed once.

    # Arguments
        model: A functional or sequential model of images [N, H, W, C], or a
            `larq_irnet.distillation.Distiller` around one.
        layer: Name of the layer with the features; of binary networks the last one of
            the binary part, in front of information recovery and pooling.
        threshold: \\(\lambda\\), between 0 and 1.
        normalize: "column" as in the authors' code, or "image"; see
            `larq_irnet.restriction.attention_map`.
        fill: What erased pixels become; see `larq_irnet.restriction.attention_erase`.
        statistics: Which passes move the averages of batch normalisations: "both" one
            after the other, as in the authors' code, or "first".
        orient: Takes a mask [N, H, W, 1] from the orientation of the features to that
            of the images, where the network turns or mirrors them; `None` if it does
            not.
        name: Name of the model.

    # Raises
        ValueError: for a model without the layer, or one that is not functional; for a
            layer that is used several times or has no features [N, h, w, C]; for a
            `threshold`, `normalize` or `statistics` that there is not.

    # Example
        >>> network = tf.keras.Sequential(
        ...     [
        ...         tf.keras.Input((8, 8, 1)),
        ...         tf.keras.layers.Conv2D(4, 3, name="features"),
        ...         tf.keras.layers.GlobalAveragePooling2D(),
        ...         tf.keras.layers.Dense(10),
        ...     ]
        ... )
        >>> model = RestrictedTraining(network, "features")
        >>> loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        >>> model.compile("adam", loss, metrics=["accuracy"])
        >>> images, labels = tf.random.normal((8, 8, 8, 1)), tf.zeros(8, tf.int64)
        >>> history = model.fit(images, labels, verbose=0)
        >>> sorted(history.history)
        ['accuracy', 'loss']

    # References
        - [IR2Net: Information Restriction and Information Recovery for Accurate Binary
            Neural Networks](https://arxiv.org/abs/2210.02637), the authors' code
    """

    def __init__(
        self,
        model: tf.keras.Model,
        layer: str,
        *,
        threshold: float = 0.15,
        normalize: str = "column",
        fill: float | Sequence[float] = 0.0,
        statistics: str = "both",
        orient: Callable[[tf.Tensor], tf.Tensor] | None = None,
        name: str = "restricted_training",
    ):
        check_restriction(
            threshold=threshold, normalize=normalize, fill=fill, statistics=statistics
        )
        network = model.network if isinstance(model, TrainingWrapper) else model
        _check_network(network)
        _check_passes(model)
        features = _features_of(network, layer)
        super().__init__(model, name=name)
        self.layer = layer
        self.statistics = statistics
        # Inside partials Keras does not find what shares the weights of the network.
        self._outputs_and_features = functools.partial(
            tf.keras.Model(network.input, (network.output, features))
        )
        self._erase = functools.partial(
            attention_erase,
            threshold=threshold,
            normalize=normalize,
            fill=fill,
            orient=orient,
        )

    def restricted(self, x: Any, features: tf.Tensor) -> Any:
        """The inputs of the second pass.

        # Arguments
            x: Images [N, H, W, C], alone or in the structure that the network takes.
            features: [N, h, w, C], what the first pass made of them.
        """
        return tf.nest.map_structure(lambda images: self._erase(images, features), x)

    def attend(self, images: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """What the network attends to with its present weights, in inference mode.

        # Arguments
            images: [N, H, W, C], as the network takes them.

        # Returns
            How strongly its features answer to each pixel, [N, H, W], and which pixels
            are kept, a boolean tensor [N, H, W, 1].
        """
        _, features = self._outputs_and_features(images, training=False)
        size = tuple(tf.shape(images)[1:3].numpy())
        options = self._erase.keywords
        attention = attention_map(features, size, normalize=options["normalize"])
        mask = attention_mask(
            features,
            size,
            threshold=options["threshold"],
            normalize=options["normalize"],
        )
        orient = options["orient"] or tf.identity
        return orient(attention[..., tf.newaxis])[..., 0], orient(mask)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step on one batch: two passes, the mean of their losses."""
        x, y, sample_weight = tf.keras.utils.unpack_x_y_sample_weight(data)
        targets = self.targets(x, y)
        with tf.GradientTape() as tape:
            outputs, features = self._outputs_and_features(x, training=True)
            whole = self.loss_of(x, targets, outputs, sample_weight)
            second = self._second_pass(self.restricted(x, features))
            loss = (whole + self.loss_of(x, targets, second, sample_weight)) / 2
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        return self.compute_metrics(x, y, outputs, sample_weight)

    def _second_pass(self, x: Any) -> Any:
        if self.statistics == "both":
            return self(x, training=True)
        averages = [
            average
            for layer in self.network.submodules
            if isinstance(layer, tf.keras.layers.Layer)
            for average in _moving_averages(layer)
        ]
        before = [tf.identity(average) for average in averages]
        outputs = self(x, training=True)
        for average, value in zip(averages, before):
            average.assign(value)
        return outputs


def _moving_averages(layer: tf.keras.layers.Layer) -> list[tf.Variable]:
    """Of a batch normalisation, of whatever kind; none for other layers."""
    averages = (getattr(layer, f"moving_{name}", None) for name in ("mean", "variance"))
    return [average for average in averages if isinstance(average, tf.Variable)]
