"""Any functional Keras model becomes a binary neural network, in one call."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import larq as lq
import tensorflow as tf

from larq_irnet import methods
from larq_irnet.binarization.layer_kinds import (
    COUNTERPARTS,
    is_normalization,
    is_relu_like,
    relu_like,
)
from larq_irnet.binarization.layer_roles import (
    adds_layers,
    last_normalization,
    next_computing,
)
from larq_irnet.binarization.plan import reasons_to_keep
from larq_irnet.binarization.report import BinarizationReport, LayerDecision
from larq_irnet.graph_config import Reference
from larq_irnet.layer_graph import LayerGraph
from larq_irnet.layers import ChannelScale, NamedActivation

__all__ = ["SHORTCUTS", "binarize"]

SHORTCUTS = ("as_is", "bireal")
_PADS = (0.0, 1.0)


def _check_options(
    method: methods.Method, shortcuts: str, pad_values: float, min_filter_size: int
) -> None:
    if method.kernel_quantizer is None:
        raise ValueError(f"Expected a method with binary weights, got {method.name!r}.")
    if shortcuts not in SHORTCUTS:
        raise ValueError(
            f"Expected `shortcuts` out of {list(SHORTCUTS)}, got {shortcuts!r}."
        )
    if pad_values not in _PADS:
        raise ValueError(
            f"Expected `pad_values` out of {list(_PADS)}, which Larq Compute Engine "
            f"runs, got {pad_values!r}."
        )
    if min_filter_size < 1:
        raise ValueError(
            f"Expected `min_filter_size` to be positive, got {min_filter_size!r}."
        )


def _check_has_no_losses(model: tf.keras.Model) -> None:
    if any(type(one).__name__ == "AddLoss" for one in model.submodules):
        raise ValueError(
            f"Expected a model without add_loss, got {model.name!r}, of which the twin "
            "would not have the loss. Binarize tf.keras.Model(model.input, "
            "model.output), and add the loss to the twin."
        )


def _activation_of(method: methods.Method, activation: str | None) -> str | None:
    """The name of what takes the place of ReLU; `None` leaves everything."""
    if activation == "as_is":
        return None
    name = method.activation if activation is None else activation
    tf.keras.activations.get(name)  # raises for an unknown one
    return None if relu_like(tf.keras.activations.get(name)) else name


class _Binarizer:
    """One call of `binarize`: the graph, and what has been decided."""

    def __init__(
        self,
        graph: LayerGraph,
        method: methods.Method,
        *,
        activation: str | None,
        shortcuts: str,
        pad_values: float,
        normalize: bool,
    ):
        self.graph = graph
        self.method = method
        self.activation = activation
        self.shortcuts = shortcuts
        self.pad_values = pad_values
        self.normalize = normalize

    def quantized(self, layer: tf.keras.layers.Layer) -> tf.keras.layers.Layer:
        """The quantized layer of the same configuration, without its activation."""
        counterpart = COUNTERPARTS[type(layer)]
        config = {
            name: value
            for name, value in layer.get_config().items()
            if not name.endswith(("kernel_constraint", "depthwise_constraint"))
        }
        config.update(activation=None, dtype=layer.dtype_policy)
        takes_pad_values = issubclass(counterpart, lq.layers_base.QuantizerBaseConv)
        if getattr(layer, "padding", "") == "same" and takes_pad_values:
            config["pad_values"] = self.pad_values
        return counterpart(**config, quantizer=self.method)

    def replace_activations(self, binarized: Sequence[str]) -> list[str]:
        """Gives the non-linearities that binarized layers read the method's form."""
        replaced = []
        for name in self.graph.names() if self.activation else ():
            layer = self.graph.layers[name]
            inline = not isinstance(layer, tf.keras.layers.RNN) and relu_like(
                getattr(layer, "activation", None)
            )
            if not (is_relu_like(layer) or inline):
                continue
            if name in binarized or not next_computing(self.graph, name) & {*binarized}:
                continue
            self.graph.replace(name, self._with_activation(layer))
            replaced.append(name)
        return replaced

    def _with_activation(self, layer: tf.keras.layers.Layer) -> tf.keras.layers.Layer:
        if is_relu_like(layer):
            return NamedActivation(
                self.activation, name=layer.name, dtype=layer.dtype_policy
            )
        config = {**layer.get_config(), "activation": self.activation}
        return type(layer).from_config(config)

    def binarize_layer(self, name: str) -> tuple[str, ...]:
        """Replaces a layer, and puts in what a binary one needs behind it."""
        layer = self.graph.layers[name]
        (source,) = self.graph.sources(name)
        is_residual = self._takes_shortcut(name)
        is_normalized = self._is_normalized(name)
        self.graph.replace(name, self.quantized(layer))
        added: list[str] = []

        def add(
            stem: str, make: Callable[..., Any], after: str, *also: Reference
        ) -> str:
            free = self.graph.unused(f"{name}_{stem}")
            new = make(name=free, dtype=layer.dtype_policy)
            added.append(self.graph.insert(after, new, also=also))
            return free

        end = name
        if self.method.channel_scale:
            end = add("scale", ChannelScale, end)
        if self.normalize and not is_normalized:
            end = add("bn", tf.keras.layers.BatchNormalization, end)
        end = last_normalization(self.graph, end)
        if is_residual:
            end = add("shortcut", tf.keras.layers.Add, end, source)
        if not _is_linear(layer):
            add("activation", self._behind(layer), end)
        return tuple(added)

    def _is_normalized(self, name: str) -> bool:
        """Whether all that compute with the outputs of a layer normalise them first."""
        if last_normalization(self.graph, name) != name:
            return True
        following = next_computing(self.graph, name)
        return (
            _is_linear(self.graph.layers[name])
            and bool(following)
            and all(is_normalization(self.graph.layers[one]) for one in following)
        )

    def _takes_shortcut(self, name: str) -> bool:
        """Whether a layer's input is to be added to its output, and is not yet."""
        layer = self.graph.layers[name]
        if self.shortcuts == "as_is" or not isinstance(layer, tf.keras.layers.Conv2D):
            return False
        if not _keeps_shape(layer):
            return False
        end = last_normalization(self.graph, name)
        (source,) = self.graph.sources(name)
        return not any(
            adds_layers(self.graph, reader) and source in self.graph.sources(reader)
            for reader in self.graph.readers(end)
        )

    def _behind(self, layer: tf.keras.layers.Layer) -> Callable[..., Any]:
        """Makes the non-linearity in place of the one inside a layer."""
        activation = layer.activation
        if self.activation and relu_like(activation):
            return partial(NamedActivation, self.activation)
        if isinstance(activation, tf.keras.layers.Layer):
            return lambda **own: type(activation)(**{**activation.get_config(), **own})
        return partial(NamedActivation, activation)


def _keeps_shape(layer: tf.keras.layers.Conv2D) -> bool:
    if layer.output_shape != layer.input_shape:
        return False
    pixel_for_pixel = max(layer.strides) == 1 and layer.padding == "same"
    return pixel_for_pixel or None not in layer.input_shape[1:]


def _is_linear(layer: tf.keras.layers.Layer) -> bool:
    return layer.activation is tf.keras.activations.linear


def _is_accelerated(layer: tf.keras.layers.Layer) -> bool:
    """Whether Larq Compute Engine has a kernel for its binary counterpart."""
    if type(layer) is tf.keras.layers.Dense:
        return len(layer.input_shape) == 2  # not for sequences
    return type(layer) is tf.keras.layers.Conv2D


def _decisions(
    originals: Mapping[str, tf.keras.layers.Layer],
    reasons: Mapping[str, str],
    added: Mapping[str, tuple[str, ...]],
) -> tuple[LayerDecision, ...]:
    kernels = {
        name: [weight for weight in layer.weights if len(weight.shape) >= 2]
        for name, layer in originals.items()
    }
    return tuple(
        LayerDecision(
            layer=name,
            kind=type(originals[name]).__name__,
            binarized=not reason,
            reason=reason,
            kernel_elements=sum(math.prod(kernel.shape) for kernel in kernels[name]),
            added=added.get(name, ()),
        )
        for name, reason in reasons.items()
    )


def binarize(
    model: tf.keras.Model,
    method: str | methods.Method = "irnet",
    *,
    keep: Sequence[str] = ("first", "last"),
    activation: str | None = None,
    shortcuts: str = "as_is",
    pad_values: float = 1.0,
    normalize: bool = True,
    min_filter_size: int = 32,
    transfer_weights: bool = True,
) -> tf.keras.Model:
    """A binary twin of any functional Keras model.

    Convolutions and dense layers become the method's quantized layers; all names stay.
    What is left in full precision, and why, is told by the attribute `binarization` of
    the twin, a `larq_irnet.binarization.BinarizationReport`: `print` it.

    Besides what `keep` names, these stay as they are: squeeze-and-excite gates, grouped
    convolutions, depthwise and other ones whose filters have fewer than
    `min_filter_size` weights, and layers without a quantized counterpart, such as
    `SeparableConv2D`. The non-linearities of the ReLU family whose outputs binary
    layers take the signs of become the method's: signs of what is never negative tell
    nothing. Those that only layers in full precision read stay. Models within the model
    are taken apart: their layers are layers of the twin.

    A gate in front of a binary layer cannot change signs, as it is positive: where no
    normalisation lies between, it is without effect in the twin.

    The twin is to be trained, and all of it can be, also what is frozen in `model` or
    called with `training=False`, because signs change the statistics of every layer:
    start from the float weights, with `larq_irnet.callbacks.EstimatorScheduler`, and
    with the float model as a teacher (`larq_irnet.distillation.Distiller`).

    # Arguments
        model: A built functional or sequential model, which may contain others; layers
            are called once each.
        method: One of `larq_irnet.methods.names()` with binary weights, or a `Method`.
        keep: What stays in full precision: "first" and "last" (the layers with weights
            that are nearest to inputs and outputs), "downsample" (1x1 convolutions on
            the shortcuts of residual blocks), and names of layers.
        activation: Name of what takes the place of the ReLU family; `None` takes the
            method's, "as_is" leaves everything.
        shortcuts: "bireal" adds the input of each binary convolution that keeps the
            shape to its normalised output, as in Bi-Real Net, unless the model does so
            already; "as_is" adds none.
        pad_values: What "same" padding of binary convolutions consists of: 1, which
            costs nothing on a device, or 0.
        normalize: Whether binary layers whose outputs no normalisation follows get a
            batch normalisation; binary sums are large integers without.
        min_filter_size: The smallest number of weights per filter that is binarized;
            Larq Compute Engine packs 32 into a word.
        transfer_weights: Whether all weights are copied, as latent ones where a layer
            is binary; otherwise they are initial ones, but for what is never trained,
            such as the statistics of `tf.keras.layers.Normalization`.

    # Returns
        A functional model that shares nothing with `model`, with inputs and outputs of
        the same structure; a training step of the model's own class is not its.

    # Raises
        ValueError: for a model that is not functional, or has shared layers or a loss
            of its own; for an unknown method, `keep`, `activation`, `shortcuts` or
            `pad_values`, and if nothing is left to be binarized.

    # Example
        >>> import larq_irnet as irnet
        >>> model = tf.keras.applications.MobileNet(
        ...     input_shape=(32, 32, 3), alpha=0.25, weights=None, classes=10
        ... )
        >>> binary = irnet.binarize(model, method="dirnet", shortcuts="bireal")
        >>> report = binary.binarization
        >>> len(report.binarized), report.binary_convolutions
        (11, 11)
        >>> report.kept["conv_dw_3"]
        'its filters have 9 weights, fewer than min_filter_size=32'

    # References
        - [Bi-Real Net: Enhancing the Performance of 1-bit CNNs with Improved
            Representational Capability and Advanced Training
            Algorithm](https://arxiv.org/abs/1808.00278), the shortcuts
    """
    method = methods.get(method)
    _check_options(method, shortcuts, pad_values, min_filter_size)
    graph = LayerGraph(model)
    _check_has_no_losses(model)
    originals = {**graph.layers}
    reasons = reasons_to_keep(graph, keep=keep, min_filter_size=min_filter_size)
    chosen = [name for name, reason in reasons.items() if not reason]
    binarizer = _Binarizer(
        graph,
        method,
        activation=_activation_of(method, activation),
        shortcuts=shortcuts,
        pad_values=pad_values,
        normalize=normalize,
    )
    replaced = binarizer.replace_activations(chosen)
    added = {name: binarizer.binarize_layer(name) for name in chosen}
    graph.free_training()
    binary = graph.build(transfer_weights=transfer_weights)
    binary.trainable = True
    accelerated = (_is_accelerated(originals[name]) for name in chosen)
    binary.binarization = BinarizationReport(
        method=method.name,
        decisions=_decisions(originals, reasons, added),
        replaced_activations=tuple(replaced),
        binary_convolutions=0 if method.is_weight_only else sum(accelerated),
    )
    return binary
