"""The binary activations of a model: looked at, and shifted, while it computes."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from larq_irnet.diagnostics.surrogate_gradient import surrogate_share
from larq_irnet.diagnostics.unique_names import unique_names
from larq_irnet.quantizers import NormalizedApproxSign

__all__ = ["BinaryInputs", "InputSnapshot", "binary_input_layers"]

_HALF_SCALE = 2.0**10  # keeps gradients of float16 from becoming zero


@dataclass(frozen=True, eq=False)
class InputSnapshot:
    """The binary inputs of one layer, for one batch.

    # Attributes
        name: Name of the layer; of several of one name, the later ones have a number.
        positive: Share of +1 in each channel, over samples and places, float64 [C].
        surrogate_share: Share of the inputs that get gradient, by
            `larq_irnet.diagnostics.surrogate_share`.
        values: How many numbers the layer binarizes, of the whole batch.
    """

    name: str
    positive: np.ndarray
    surrogate_share: float
    values: int


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


def _mean_magnitude(x: tf.Tensor) -> float:
    return float(tf.reduce_mean(tf.abs(tf.cast(x, tf.float32))))


class BinaryInputs:
    """Runs a model with a look at what its layers binarize.

    In inference mode, so that nothing of the model changes: normalisations take their
    moving averages, and nothing is dropped out. Only the surrogate gradients are those
    of training. The model is traced as a graph when it is first needed, and so are the
    figures and the gradient, which takes seconds for a deep network.

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
        self._is_traced = False
        self._network_graph = tf.function(self._network)
        self._figures_graph = tf.function(self._figures)

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

        # Raises
            ValueError: if no layer with binary inputs is seen to be called.
        """
        _, binarized = self._run(inputs, self._no_shifts())
        found = self._figures_graph(binarized, probes, tf.constant(seed))
        names = unique_names([layer.name for layer in self._layers])
        return [
            InputSnapshot(
                name=name,
                positive=positive.numpy().astype(np.float64),
                surrogate_share=float(share),
                values=sum(int(tf.size(x)) for x in calls),
            )
            for name, calls, positive, share in zip(names, binarized, *found)
            if calls
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
        self.trace(inputs)
        shifts = [tf.zeros([channels]) for channels in self._channels]
        with tf.GradientTape() as tape:
            tape.watch(shifts)
            loss, binarized = self._shifted_loss(inputs, labels, shifts)
            loss *= _HALF_SCALE
        gradients = tape.gradient(
            loss, shifts, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return (
            [one.numpy() / _HALF_SCALE for one in gradients],
            [_mean_magnitude(x[0]) if x else 0.0 for x in binarized],
        )

    def loss(self, inputs: Any, labels: Any, shifts: Sequence[np.ndarray]) -> float:
        """The loss of a batch while inputs are shifted.

        # Arguments
            inputs: Of the model.
            labels: What the loss compares its outputs with.
            shifts: What is added to the inputs of each layer, float32 [C].
        """
        tensors = [tf.constant(one, tf.float32) for one in shifts]
        return float(self._shifted_loss(inputs, labels, tensors)[0])

    def _shifted_loss(
        self, inputs: Any, labels: Any, shifts: list[tf.Tensor]
    ) -> tuple[tf.Tensor, list[list[tf.Tensor]]]:
        """The loss, and what is binarized before it is shifted."""
        if self._loss_of_outputs is None:
            raise ValueError("Expected a `loss` to be given, got None.")
        outputs, binarized = self._run(inputs, shifts)
        loss = self._loss_of_outputs(labels, outputs)
        return tf.reduce_mean(tf.cast(loss, tf.float32)), binarized

    def _no_shifts(self) -> list[tf.Tensor]:
        return [tf.zeros([])] * len(self._layers)

    def _run(
        self, inputs: Any, shifts: list[tf.Tensor]
    ) -> tuple[Any, list[list[tf.Tensor]]]:
        """Outputs of the model, and what each call of each layer binarizes."""
        inputs = tf.nest.map_structure(tf.convert_to_tensor, inputs)
        self.trace(inputs)
        return self._network_graph(inputs, shifts)

    def trace(self, inputs: Any) -> None:
        """Makes the graph of the model, unless it is there.

        # Arguments
            inputs: Of the model.

        # Raises
            ValueError: if no layer with binary inputs is seen to be called.
        """
        if self._is_traced:
            return
        # one graph for shifts that are scalars or [C]
        any_shape = [tf.TensorSpec(None, tf.float32)] * len(self._layers)
        tensors = tf.nest.map_structure(tf.convert_to_tensor, inputs)
        specs = tf.nest.map_structure(tf.type_spec_from_value, tensors)
        graph = self._network_graph.get_concrete_function(specs, any_shape)
        _, binarized = graph.structured_outputs
        if not any(binarized):
            raise ValueError(
                f"Expected '{self._model.name}' to call layers with binary inputs, saw "
                "none called. If a `tf.function` is around its `call`, take it off: "
                "`compile` makes one. Otherwise leave out what is measured on a batch."
            )
        self._channels = [x[0].shape[-1] if x else 0 for x in binarized]
        self._is_traced = True

    def _network(
        self, inputs: Any, shifts: list[tf.Tensor]
    ) -> tuple[Any, list[list[tf.Tensor]]]:
        quantizers = [_as_in_training(layer.input_quantizer) for layer in self._layers]
        binarized: list[list[tf.Tensor]] = [[] for _ in self._layers]

        def shifted(index: int) -> Callable[[tf.Tensor], tf.Tensor]:
            def quantize(x: tf.Tensor) -> tf.Tensor:
                binarized[index].append(x)
                shift = tf.broadcast_to(shifts[index], x.shape[-1:])
                return quantizers[index](x + tf.cast(shift, x.dtype))

            return quantize

        with _replaced(self._layers, [shifted(i) for i in range(len(quantizers))]):
            return self._model(inputs, training=False), binarized

    def _figures(
        self, binarized: list[list[tf.Tensor]], probes: int, seed: tf.Tensor
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """Of each layer the shares of +1 by channel, and the share with gradient."""
        none = tf.zeros([0])
        positive, shares = [], []
        for layer, calls in zip(self._layers, binarized, strict=True):
            quantizer = _as_in_training(layer.input_quantizer)
            signs = [_share_positive(quantizer(x)) for x in calls]
            gradient = [
                surrogate_share(quantizer, x, group_axes=(0,), probes=probes, seed=seed)
                for x in calls
            ]
            positive.append(tf.reduce_mean(tf.stack(signs), 0) if calls else none)
            shares.append(tf.reduce_mean(tf.stack(gradient)) if calls else none)
        return positive, shares
