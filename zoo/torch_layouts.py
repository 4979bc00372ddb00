"""What the authors' PyTorch networks call the layers of ours: one table per network."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import tensorflow as tf

import larq_irnet as irnet

__all__ = ["TorchLayout", "find_layout", "named_layers"]


@dataclass(frozen=True, kw_only=True)
class TorchLayout:
    """The names of one PyTorch network.

    # Attributes
        network: What to call the network in messages.
        mark: Name of a layer, or part of one, by which a model is known to be that
            network.
        modules: PyTorch's module for each layer of ours that has weights. Those of the
            largest variant: a model may have fewer.
        unused: Matches entries of a state dict that do not count in inference.
        has_flat_kernels: Whether binary convolutions keep their kernels as one column
            called "weights".
        is_strided: Whether the network has strides, so that PyTorch's geometry is not
            TensorFlow's.
    """

    network: str
    mark: str
    modules: Mapping[str, str]
    unused: str = r".*\.(num_batches_tracked|tau)"
    has_flat_kernels: bool = False
    is_strided: bool = True

    def is_unused(self, name: str) -> bool:
        """Whether an entry of a state dict is to be ignored."""
        return re.fullmatch(self.unused, name) is not None


_STEM_AND_HEAD = {"stem_conv": "conv1", "stem_bn": "bn1", "head_bn": "bn2"}
_BLOCKS = {
    f"stage{stage}_block{block}_conv{conv}{ours}": (
        f"layer{stage}.{block - 1}.{theirs}{conv}"
    )
    for stage, block, conv in product(range(1, 5), range(1, 7), (1, 2))
    for ours, theirs in (("", "conv"), ("_scale", "conv"), ("_bn", "bn"))
}
_UNITS = {
    f"stage{stage}_block{number}_{ours}": f"layer{stage}.{number - 1}.{theirs}"
    for stage, number in product(range(1, 5), range(1, 5))
    for ours, theirs in (
        ("move0", "move0"),
        ("conv1", "conv"),
        ("conv1_scale", "conv"),
        ("conv1_bn", "bn"),
        ("move1", "move1"),
        ("prelu", "nonlinear"),
        ("move2", "move2"),
    )
}


_IR2NET_UNITS = {
    f"stage{stage}_block{number}_{ours}": f"layer{stage}.{number - 1}.{theirs}"
    for stage, number in product(range(1, 5), range(1, 5))
    for ours, theirs in (
        ("conv1", "binary_conv"),
        ("conv1_bn", "bn1"),
        ("prelu", "prelu"),
    )
}
_FUSION = {
    f"fusion/{ours}_{part}": f"fusion.{theirs}.{position}"
    for ours, theirs in (("primary", "primary_conv"), ("cheap", "cheap_operation"))
    for position, part in enumerate(("conv", "bn", "act"))
}


def _projections(shortcut: str, first: int = 0) -> dict[str, str]:
    """The 1x1 convolutions where the shape changes, and their normalisations.

    # Arguments
        shortcut: What they are called.
        first: Position of the convolution in its sequence.
    """
    return {
        f"stage{stage}_block1_{ours}": f"layer{stage}.0.{shortcut}.{first + position}"
        for stage in (2, 3, 4)
        for position, ours in enumerate(("conv", "bn"))
    }


_IR2NET = {
    **_STEM_AND_HEAD,
    "stem_prelu": "prelu",
    **_IR2NET_UNITS,
    **_projections("downsample", first=1),  # behind the pool
    "logits": "fc",
}

_LAYOUTS = (  # the first whose mark is in a model is its layout
    TorchLayout(
        network="VGG-Small",
        mark="conv0",
        modules={
            **{f"conv{index}": f"conv{index}" for index in range(6)},
            **{f"conv{index}_scale": f"conv{index}" for index in range(1, 6)},
            **{f"conv{index}_bn": f"bn{index}" for index in range(6)},
            **_FUSION,
            "logits": "fc",
        },
        is_strided=False,
    ),
    TorchLayout(
        network="ReActNet's ResNet-18",
        mark="stage1_block1_move0",
        modules={
            "stem_conv": "conv",
            "stem_bn": "bn",
            **_UNITS,
            **_projections("downsample", first=1),  # behind the pool
            "logits": "fc",
        },
    ),
    TorchLayout(
        network="IR2Net's ResNet-18 with a cheap fusion",
        mark="fusion/cheap_act",
        modules={**_IR2NET, **_FUSION},
        has_flat_kernels=True,
    ),
    TorchLayout(
        network="IR2Net's ResNet-18",
        mark="stem_prelu",
        modules={
            **_IR2NET,
            "fusion/primary_conv": "fusion",
            "fusion/primary_bn": "fbn",
            "fusion/primary_act": "fprelu",
        },
        has_flat_kernels=True,
    ),
    TorchLayout(
        network="an ImageNet ResNet",
        mark="stem_pool",
        modules={
            **_STEM_AND_HEAD,
            **_BLOCKS,
            **_projections("downsample"),
            "logits": "fc",
        },
        # IR-Net's authors make bn3, which thus is in their files, and never call it
        unused=r".*\.(num_batches_tracked|tau)|bn3\..*",
    ),
    TorchLayout(
        network="ResNet-18 for CIFAR",
        mark="stage4_block1_conv1",
        modules={
            **_STEM_AND_HEAD,
            **_BLOCKS,
            **_projections("shortcut"),
            **_FUSION,
            "logits": "linear",
        },
    ),
    TorchLayout(
        network="ResNet-20",
        mark="stage1_block3_conv2",
        modules={**_STEM_AND_HEAD, **_BLOCKS, **_FUSION, "logits": "linear"},
    ),
)


def named_layers(model: tf.keras.Model) -> Iterator[tuple[str, tf.keras.layers.Layer]]:
    """All layers with their names, such as "fusion/primary_conv" for a part of one."""
    for layer in model.layers:
        if isinstance(layer, irnet.layers.InformationRecovery):
            yield from ((f"{layer.name}/{part.name}", part) for part in layer.parts)
        else:
            yield layer.name, layer


def find_layout(model: tf.keras.Model) -> TorchLayout:
    """The layout of a network of the zoo, whatever the model is called.

    # Raises
        ValueError: if the model is none of these networks.

    # Example
        >>> from zoo.models import ResNet20
        >>> layout = find_layout(ResNet20(name="mine"))
        >>> layout.modules["stage1_block1_conv2_bn"]
        'layer1.0.bn2'
    """
    names = {layer.name for layer in model.layers}
    names |= {name for name, layer in named_layers(model) if layer.weights}
    for layout in _LAYOUTS:
        if layout.mark in names:
            return layout
    raise ValueError(
        "Expected a network that PyTorch weights can be imported into "
        f"({', '.join(layout.network for layout in _LAYOUTS)}), got model "
        f"{model.name!r}. Build it with one of the builders of `zoo.models`."
    )
