"""What networks of `keras.applications` go through: one step, export, verification.

At the smallest input size, so that it takes seconds; `make bench` has one at its full
size.
"""

import numpy as np
import tensorflow as tf

import larq_irnet as irnet
from tests.tflite_export.networks import randomize_batch_norms
from tflite_export.exporting import export

CLASSES = 10

# What is promised: binary convolutions, and layers in full precision by their reason.
DEEP = {
    "DenseNet121": (119, {"it is a last layer": 1, "it is a first layer": 1}),
    "ResNet50": (52, {"it is a first layer": 1, "it is a last layer": 1}),
    "VGG16": (14, {"it is a first layer": 1, "it is a last layer": 1}),
}
MOBILE = {
    "EfficientNetB0": (
        29,
        {
            "it is a first layer": 1,
            "it is a last layer": 1,
            "it computes a gate": 32,
            "its filters have": 19,
        },
    ),
    "MobileNet": (
        13,
        {"it is a first layer": 1, "it is a last layer": 1, "its filters have": 13},
    ),
    "MobileNetV2": (
        31,
        {"it is a first layer": 1, "it is a last layer": 1, "its filters have": 20},
    ),
}


def _take_one_step(model):
    """On random images, and asserts that all latent kernels moved."""
    rng = np.random.default_rng(0)
    images = rng.normal(size=(4, *model.input_shape[1:])).astype("float32")
    kernels = [
        layer.kernel
        for layer in model.layers
        if getattr(layer, "kernel_quantizer", None) is not None
    ]
    before = [kernel.numpy() for kernel in kernels]
    loss = tf.keras.losses.SparseCategoricalCrossentropy()
    model.compile("adam", loss, run_eagerly=True)  # one step is not worth a graph
    assert np.isfinite(model.train_on_batch(images, np.arange(4)))
    for kernel, old in zip(kernels, before):
        assert (kernel.numpy() != old).any()


def assert_runs_binary(name, path):
    """Binarizes a network, trains it for a step, exports and verifies it."""
    build = getattr(tf.keras.applications, name)
    model = build(input_shape=(32, 32, 3), weights=None, classes=CLASSES)
    binary = irnet.binarize(model, method="dirnet", shortcuts="bireal")
    promised, reasons = {**DEEP, **MOBILE}[name]
    report = binary.binarization
    assert report.binary_convolutions == len(report.binarized) == promised
    counts = {
        reason: sum(why.startswith(reason) for why in report.kept.values())
        for reason in reasons
    }
    assert counts == reasons
    assert sum(counts.values()) == len(report.kept)
    _take_one_step(binary)

    randomize_batch_norms(binary)
    exported = export(binary, path, benchmark=False).report
    operators = [layer.operator for layer in exported.binary_layers]
    assert operators == ["LceBconv2d"] * promised
    # float32 sums of up to 4608 terms; what is miscompiled is off by 1e-2 and more
    assert all(part.error < 1e-4 for part in exported.verification.parts)
    assert all(not part.failure for part in exported.verification.parts)
