"""From PyTorch to the phone: imported networks run in Larq Compute Engine as they are.

The outputs of the .tflite are held against those of the *PyTorch* network, so that
import, conversion and runtime are in it together. Statistics of the batch norms are
settled first: activations are balanced, as in a trained network.
"""

import gc

import numpy as np
import pytest
import torch

import tflite_export
from tests.zoo.network_pairs import BY_NAME, random_images
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.interpreting import KERNELS, run_samples

IMAGES = 8
# A value next to zero may get another sign by rounding, which moves what follows by
# whole integers: most images have none, and agree to rounding.
TOLERANCE = 1e-3
BINARY = [  # pixels: LCE pads with zeros rightly from 3x3 in the last stage on
    ("resnet20", 16, 18),
    ("resnet20_normal", 16, 18),
    ("cifar_resnet18", 24, 16),
    ("cifar_resnet18_2019", 24, 16),
    ("vgg_small", 16, 5),
    ("resnet18", 72, 16),
    ("resnet34", 72, 32),
    ("recu_resnet20", 16, 18),
    ("recu_cifar_resnet18", 24, 16),
    ("recu_vgg_small", 16, 5),
    ("recu_resnet18", 72, 16),
    ("recu_reactnet18", 96, 16),
    ("ir2net_resnet20", 16, 18),
    ("ir2net_cifar_resnet18", 24, 16),
    ("ir2net_vgg_small", 16, 5),
    ("ir2net18_b", 96, 16),
    ("ir2net18_c", 96, 16),
]
# Native "same" padding throughout: what is padded are the channels of option A.
PADDED_SHORTCUTS = {
    "resnet20": 2,
    "resnet20_normal": 2,
    "recu_resnet20": 2,
    "ir2net_resnet20": 2,
    "recu_cifar_resnet18": 3,
}
# Scales are folded into the convolutions, ReCU's of both signs included; only a
# normalisation behind the max pool in front of the classifier, or behind the groups of
# fusion C, has nothing to be folded into.
UNFOLDED_NORMALIZATIONS = {
    "vgg_small": 1,
    "recu_vgg_small": 1,
    "ir2net_vgg_small": 1,
    "ir2net18_c": 1,
}


def differences(logits, expected):
    """Of each image, in units of the largest logit."""
    return np.abs(logits - expected).max(axis=1) / np.abs(expected).max()


def exported(name, size, path):
    network, model = BY_NAME[name].build(size=size)
    images = random_images(IMAGES, size, dtype="float32")
    with torch.no_grad():
        logits = network(images[0]).numpy()
    result = tflite_export.export(
        model,
        path / "model.tflite",
        samples=images[1].numpy(),
        labels=logits.argmax(1),
        benchmark=False,
    )
    return result, images[1].numpy(), logits


@pytest.fixture(autouse=True)
def free_memory():
    yield
    gc.collect()


@pytest.mark.parametrize("name, size, binary", BINARY)
def test_binary_networks(name, size, binary, tmp_path):
    result, images, expected = exported(name, size, tmp_path)
    report = result.report
    operators = [one.name for one in Flatbuffer(result.flatbuffer).operators]
    assert operators.count("LceBconv2d") == operators.count("LceQuantize") == binary
    assert len(report.binary_layers) == binary
    assert {layer.operator for layer in report.binary_layers} == {"LceBconv2d"}
    assert [finding for finding in report.findings if finding.severity == "error"] == []
    assert operators.count("PAD") == PADDED_SHORTCUTS.get(name, 0)
    assert operators.count("PADV2") == 0
    assert operators.count("MUL") == UNFOLDED_NORMALIZATIONS.get(name, 0)
    for options in KERNELS.values():
        (logits,) = run_samples(result.flatbuffer, [images], **options)
        assert np.median(differences(logits, expected)) < TOLERANCE


@pytest.mark.parametrize(
    "name, size, weights, layers",
    [
        ("resnet20_w1a32", 16, 267_264, 18),
        ("resnet18_w1a32", 64, 10_985_472, 16),
    ],
)
def test_binary_weights_alone_are_bits_that_run_as_float(
    name, size, weights, layers, tmp_path
):
    result, images, expected = exported(name, size, tmp_path)
    operators = [one.name for one in Flatbuffer(result.flatbuffer).operators]
    assert operators.count("LceDequantize") == layers
    assert "LceBconv2d" not in operators
    assert result.report.binary_layers == ()
    assert len(result.report.packed_kernels) == layers
    assert result.report.model_bytes < weights  # a quarter of what float ones take
    (note,) = result.report.findings
    assert note.severity == "note"
    assert note.layer.endswith(f" and {layers - 3} more")
    assert "LCE runs it as float" in note.reason
    (logits,) = run_samples(result.flatbuffer, [images])
    assert differences(logits, expected).max() < TOLERANCE  # no signs, no flips
