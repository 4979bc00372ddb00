"""The binary activations of a model: looked at, and shifted, while it computes."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from larq_irnet.diagnostics.surrogate_gradient import surrogate_share
from larq_irnet.quantizers import NormalizedApproxSign

__all__ = ["BinaryInputs", "InputSnapshot", "binary_input_layers"]

_HALF_SCALE = 2.0**10  # keeps gradients of float16 from becoming zero


@dataclass(frozen=True, eq=False)
class InputSnapshot:
    """The binary inputs of one layer, for one batch.

    # Attributes
        name: Name of the layer.
        positive: Share of +1 in each channel, over samples and places, float64 [C].
        surrogate_share: Share of the inputs that get gradient, by
            `larq_irnet.diagnostics.surrogate_share`.
    """

    name: str
    positive: np.ndarray
    surrogate_share: float


def binary_input_layers(model: tf.keras.Model) -> list[tf.keras.layers.Layer]:
    """All layers of a model with an input quantizer of one bit, in its order.

    Nested models are included.

    # Example
        >>> import larq_irnet as irnet
        >>> model = tf.keras.Sequential(
        ...     [irnet.layers.QuantDense(3, quantizer="irnet", input_shape=(6,))]
        ... )
        >>> [layer.name for layer in binary_input_layers(model)]
        ['quant_dense']
    """
    layers = [
        module
        for module in model.submodules
        if isinstance(module, tf.keras.layers.Layer)
        and getattr(getattr(module, "input_quantizer", None), "precision", None) == 1
    ]
    place = {id(weight): index for index, weight in enumerate(model.weights)}

    def first_weight(layer: tf.keras.layers.Layer) -> int:
        return min((place.get(id(one), len(place)) for one in layer.weights), default=0)

    return sorted(layers, key=first_weight)


def _as_in_training(quantizer: Any) -> Callable[..., Any]:
    """The quantizer with the surrogate gradient that it has in training."""
    has_mode = isinstance(quantizer, NormalizedApproxSign)
    return functools.partial(quantizer, training=True) if has_mode else quantizer


@contextlib.contextmanager
def _replaced(
    layers: Sequence[tf.keras.layers.Layer],
    quantizers: Sequence[Callable[[tf.Tensor], tf.Tensor]],
) -> Iterator[None]:
    """Gives layers other input quantizers, behind the back of Keras, and back."""
    before = [layer.input_quantizer for layer in layers]
    try:
        for layer, quantizer in zip(layers, quantizers, strict=True):
            vars(layer)["input_quantizer"] = quantizer
        yield
    finally:
        for layer, quantizer in zip(layers, before, strict=True):
            vars(layer)["input_quantizer"] = quantizer


def _share_positive(signs: tf.Tensor) -> tf.Tensor:
    axes = list(range(signs.shape.rank - 1))
    return tf.reduce_mean(tf.cast(signs > 0, tf.float32), axes)


class BinaryInputs:
    """Runs a model with a look at what its layers binarize.

    In inference mode, so that nothing of the model changes: normalisations take their
    moving averages, and nothing is dropped out. Only the surrogate gradients are those
    of training. The loss is traced as a graph when it is first needed.

    # Arguments
        model: A built Keras model, also a subclassed one; its channels are last.
        loss: Gives the loss of labels and outputs, such as a `tf.keras.losses.Loss`;
            `None` if only activations are looked at.

    # Raises
        ValueError: if the model has no layer with binary inputs.

    # Example
        >>> import larq_irnet as irnet
        >>> model = tf.keras.Sequential(
        ...     [irnet.layers.QuantDense(3, quantizer="ste_sign", input_shape=(2,))]
        ... )
        >>> inputs = BinaryInputs(model)
        >>> (layer,) = inputs.snapshot(tf.constant([[-1.0, 0.5], [3.0, 0.25]]))
        >>> layer.name, layer.positive.tolist()
        ('quant_dense', [0.5, 1.0])
    """

    def __init__(
        self,
        model: tf.keras.Model,
        loss: Callable[[Any, Any], tf.Tensor] | None = None,
    ):
        self._model = model
        self._layers = binary_input_layers(model)
        self._loss_of_outputs = loss
        if not self._layers:
            raise ValueError(
                f"Expected a model with binary inputs of a layer, got '{model.name}' "
                "without any. Set an `input_quantizer`."
            )
        self._loss_graph = tf.function(self._loss)

    def snapshot(
        self, inputs: Any, *, probes: int = 2, seed: int = 0
    ) -> list[InputSnapshot]:
        """What the layers binarize of a batch, in the order of the model.

        Of a layer that is called several times, the mean of its calls; layers that the
        model does not call are left out.

        # Arguments
            inputs: Of the model.
            probes: As for `larq_irnet.diagnostics.surrogate_share`.
            seed: The same.
        """
        found = self._look(inputs, probes, seed)
        return [
            InputSnapshot(
                name=layer.name,
                positive=positive.numpy().astype(np.float64),
                surrogate_share=float(share),
            )
            for layer, positive, share in zip(self._layers, *found)
            if len(positive)
        ]

    def gradients(self, inputs: Any, labels: Any) -> tuple[list[Any], list[Any]]:
        """The gradients for shifts of each channel, and the units to shift in.

        # Arguments
            inputs: Of the model.
            labels: What the loss compares its outputs with.

        # Returns
            For each layer: the gradient of the loss for a shift of its inputs, float32
            [C], and their mean magnitude in the batch, a float32 scalar.
        """
        gradients, units = self._gradient(inputs, labels)
        return [one.numpy() for one in gradients], [float(one) for one in units]

    def loss(self, inputs: Any, labels: Any, shifts: Sequence[np.ndarray]) -> float:
        """The loss of a batch while inputs are shifted.

        # Arguments
            inputs: Of the model.
            labels: What the loss compares its outputs with.
            shifts: What is added to the inputs of each layer, float32 [C].
        """
        return float(
            self._loss_graph(inputs, labels, [tf.constant(one) for one in shifts])
        )

    def _outputs(
        self, inputs: Any, watch: Callable[[int, tf.Tensor, Any], tf.Tensor]
    ) -> Any:
        quantizers = [_as_in_training(layer.input_quantizer) for layer in self._layers]

        def watched(index: int) -> Callable[[tf.Tensor], tf.Tensor]:
            return lambda x: watch(index, x, quantizers[index])

        with _replaced(self._layers, [watched(i) for i in range(len(quantizers))]):
            return self._model(inputs, training=False)

    def _look(
        self, inputs: Any, probes: int, seed: int
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        positive: list[list[tf.Tensor]] = [[] for _ in self._layers]
        shares: list[list[tf.Tensor]] = [[] for _ in self._layers]

        def watch(index: int, x: tf.Tensor, quantizer: Any) -> tf.Tensor:
            signs = quantizer(x)
            positive[index].append(_share_positive(signs))
            share = surrogate_share(
                quantizer, x, group_axes=(0,), probes=probes, seed=seed
            )
            shares[index].append(share)
            return signs

        self._outputs(inputs, watch)
        none = tf.zeros([0])
        return (
            [tf.reduce_mean(tf.stack(one), 0) if one else none for one in positive],
            [tf.reduce_mean(tf.stack(one)) if one else none for one in shares],
        )

    def _shifted_loss(
        self, inputs: Any, labels: Any, shift_of: Callable[[int, tf.Tensor], tf.Tensor]
    ) -> tf.Tensor:
        def watch(index: int, x: tf.Tensor, quantizer: Any) -> tf.Tensor:
            return quantizer(x + tf.cast(shift_of(index, x), x.dtype))

        outputs = self._outputs(inputs, watch)
        if self._loss_of_outputs is None:
            raise ValueError("Expected a `loss` to be given, got None.")
        loss = self._loss_of_outputs(labels, outputs)
        return tf.reduce_mean(tf.cast(loss, tf.float32))

    def _loss(self, inputs: Any, labels: Any, shifts: list[tf.Tensor]) -> tf.Tensor:
        return self._shifted_loss(inputs, labels, lambda index, x: shifts[index])

    def _gradient(self, inputs: Any, labels: Any) -> tuple[list[Any], list[Any]]:
        none = tf.zeros([0])  # for layers that the model does not call
        shifts, units = [none] * len(self._layers), [tf.zeros([])] * len(self._layers)
        with tf.GradientTape() as tape:

            def shift_of(index: int, x: tf.Tensor) -> tf.Tensor:
                if shifts[index] is none:  # the first call of the layer
                    shifts[index] = tf.zeros([x.shape[-1]])
                    tape.watch(shifts[index])
                    units[index] = tf.reduce_mean(tf.abs(tf.cast(x, tf.float32)))
                return shifts[index]

            loss = self._shifted_loss(inputs, labels, shift_of) * _HALF_SCALE
        gradients = tape.gradient(
            loss, shifts, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return [gradient / _HALF_SCALE for gradient in gradients], units
