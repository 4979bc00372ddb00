"""A cell of DARTS, for any method: binary where convolutions are 1x1."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import tensorflow as tf

from zoo.models.alignment import first_subsampled_pixel
from zoo.models.darts_genotype import Edge, Genotype
from zoo.models.depthwise_separable import depthwise, pointwise
from zoo.models.network_pieces import NetworkPieces
from zoo.models.subsample import Subsample
from zoo.models.torch_initializers import default_depthwise_kernel

__all__ = ["CellBuilder"]


@dataclass(frozen=True, kw_only=True)
class CellBuilder:
    """Builds the cells of one network.

    # Attributes
        pieces: Makes the layers.
        genotype: The edges of the cells.
        block: From `chosen_block`.
    """

    pieces: NetworkPieces
    genotype: Genotype
    block: str

    def cell(
        self,
        before_last: tf.Tensor,
        last: tf.Tensor,
        filters: int,
        name: str,
        *,
        reduces: bool,
    ) -> tf.Tensor:
        """One cell.

        # Arguments
            before_last: Output of the cell before the last one, of the same size as
                that of the last one or of twice that.
            last: Output of the last cell.
            filters: Channels of each node.
            name: What the names of the layers begin with.
            reduces: Whether it is the cell that halves the size.

        # Returns
            [N, H, W, number of nodes * filters].
        """
        is_larger = before_last.shape[1] != last.shape[1]
        enter = self._factorized_reduce if is_larger else self._activated_pointwise
        states = [
            enter(before_last, filters, f"{name}_input1"),
            self._activated_pointwise(last, filters, f"{name}_input2"),
        ]
        edges = self.genotype.reduction if reduces else self.genotype.normal
        for number, pair in enumerate(zip(edges[::2], edges[1::2]), start=1):
            node = f"{name}_node{number}"
            ends = [
                self._follow(edge, states, f"{node}_edge{index}", reduces)
                for index, edge in enumerate(pair, start=1)
            ]
            states.append(tf.keras.layers.Add(name=f"{node}_add")(ends))
        return tf.keras.layers.Concatenate(name=f"{name}_concat")(states[2:])

    def _follow(
        self, edge: Edge, states: list[tf.Tensor], name: str, reduces: bool
    ) -> tf.Tensor:
        strides = 2 if reduces and edge.source < 2 else 1
        return self._operations[edge.operation](states[edge.source], strides, name)

    @property
    def _operations(self) -> Mapping[str, Callable[[tf.Tensor, int, str], tf.Tensor]]:
        return {
            "dil_conv_3x3": self._dilated,
            "max_pool_3x3": self._pooled,
            "sep_conv_3x3": self._separable,
            "skip_connect": self._skipped,
        }

    def _activated_pointwise(self, x: tf.Tensor, filters: int, name: str) -> tf.Tensor:
        x = self.pieces.activate(x, f"{name}_act")
        return pointwise(self.pieces, x, filters, f"{name}_pointwise", block=self.block)

    def _factorized_reduce(self, x: tf.Tensor, filters: int, name: str) -> tf.Tensor:
        """Half of the channels of the even pixels, half of the odd ones.

        Normalised before they are concatenated, which is the same and becomes part of
        the binary convolutions on a device.
        """
        x = self.pieces.activate(x, f"{name}_act")
        first = first_subsampled_pixel(x.shape[1], self.pieces.alignment)
        halves = []
        for number, pixel in enumerate((first, 1 - first), start=1):
            half = f"{name}_half{number}"
            pixels = Subsample(
                first_row=pixel, first_column=pixel, name=f"{half}_pixels"
            )
            conv = f"{half}_pointwise"
            halves.append(
                pointwise(self.pieces, pixels(x), filters // 2, conv, block=self.block)
            )
        return tf.keras.layers.Concatenate(name=f"{name}_concat")(halves)

    def _filtered(
        self, x: tf.Tensor, strides: int, name: str, dilation: int = 1
    ) -> tf.Tensor:
        """Activation, depthwise and pointwise convolution, normalisation."""
        x = self.pieces.activate(x, f"{name}_act")
        x = depthwise(
            x,
            3,
            f"{name}_depthwise",
            initializer=default_depthwise_kernel(),
            strides=strides,
            dilation=dilation,
        )
        filters, conv = x.shape[-1], f"{name}_pointwise"
        return pointwise(self.pieces, x, filters, conv, block=self.block)

    def _separable(self, x: tf.Tensor, strides: int, name: str) -> tf.Tensor:
        x = self._filtered(x, strides, f"{name}_conv1")
        return self._filtered(x, 1, f"{name}_conv2")

    def _dilated(self, x: tf.Tensor, strides: int, name: str) -> tf.Tensor:
        return self._filtered(x, strides, f"{name}_conv", dilation=2)

    def _pooled(self, x: tf.Tensor, strides: int, name: str) -> tf.Tensor:
        pool = tf.keras.layers.MaxPooling2D(
            3, strides=strides, padding="same", name=f"{name}_pool"
        )
        return pool(x)

    def _skipped(self, x: tf.Tensor, strides: int, name: str) -> tf.Tensor:
        if strides == 1:
            return x
        return self._factorized_reduce(x, x.shape[-1], name)
