import pytest
import tensorflow as tf

import larq_irnet as irnet
from zoo.models.network_pieces import NetworkPieces
from zoo.models.residual_stages import BLOCKS, choose_shortcut, residual_stages
from zoo.models.torch_initializers import default_kernel


def stages(block, widths=(4, 8), blocks_per_stage=(1, 2), method="irnet"):
    """A model of stages, and the names of the shortcuts that were asked for."""
    pieces = NetworkPieces(
        method=irnet.methods.get(method),
        pad_values=0.0,
        alignment="tensorflow",
        bn_gamma="ones",
        synchronized_batch_norm=False,
        kernel_initializer=default_kernel,
    )
    asked = []

    def shortcut(x, filters, name):
        asked.append((name, filters))
        return pieces.projection(x, filters, name)

    images = pieces.images((8, 8, widths[0]))
    outputs = residual_stages(
        pieces,
        images,
        widths=widths,
        blocks_per_stage=blocks_per_stage,
        block=block,
        shortcut=shortcut,
    )
    return tf.keras.Model(images, outputs[-1]), outputs, asked


@pytest.mark.parametrize("block", BLOCKS)
def test_later_stages_halve_the_image_once(block):
    model, features, asked = stages(block, (4, 8, 12), (2, 1, 2))
    assert [one.shape[1:] for one in features] == [(8, 8, 4), (4, 4, 8), (2, 2, 12)]
    assert model.output_shape == (None, 2, 2, 12)
    assert asked == [("stage2_block1", 8), ("stage3_block1", 12)]


def layers_after(model, name):
    """The layers of one block, in order."""
    return [
        layer.name.removeprefix(name) for layer in model.layers if name in layer.name
    ]


def test_a_normal_block_has_one_shortcut():
    model, *_ = stages("normal")
    assert layers_after(model, "stage2_block2") == [
        "_conv1",
        "_conv1_bn",
        "_conv1_act",
        "_conv2",
        "_conv2_bn",
        "_add",
        "_act",
    ]
    kept = model.get_layer("stage2_block2_add").input[1]
    assert kept is model.get_layer("stage2_block1_act").output


def test_a_bi_real_block_has_one_for_each_convolution():
    model, *_ = stages("bi_real")
    assert layers_after(model, "stage2_block2") == [
        f"_conv{conv}{kind}" for conv in (1, 2) for kind in ("", "_bn", "_add", "_act")
    ]
    for conv, before in (1, "stage2_block1_conv2_act"), (2, "stage2_block2_conv1_act"):
        kept = model.get_layer(f"stage2_block2_conv{conv}_add").input[1]
        assert kept is model.get_layer(before).output


@pytest.mark.parametrize("block", ["dense", "", None])
def test_unknown_block(block):
    with pytest.raises(ValueError, match=rf"\['bi_real', 'normal'\], got {block!r}"):
        stages(block)


@pytest.mark.parametrize("block", BLOCKS)
def test_recu_scales_the_channels_between_convolution_and_normalisation(block):
    model, *_ = stages(block, method="recu")
    names = layers_after(model, "stage2_block2")
    for unit in "_conv1", "_conv2":
        start = names.index(unit)
        assert names[start : start + 3] == [unit, f"{unit}_scale", f"{unit}_bn"]


SHORTCUTS = {
    "strided": lambda x, filters, name: x,
    "average_pool": lambda x, filters, name: -x,
}


def test_choose_shortcut():
    for name, shortcut in SHORTCUTS.items():
        assert choose_shortcut(name, SHORTCUTS) is shortcut


@pytest.mark.parametrize("name", ["pooled", "", None])
def test_unknown_shortcut(name):
    message = rf"`shortcut` out of \['strided', 'average_pool'\], got {name!r}"
    with pytest.raises(ValueError, match=message):
        choose_shortcut(name, SHORTCUTS)
