"""Imported networks in float32, which is what is trained and deployed."""

import gc

import pytest
import tensorflow as tf
import torch

from tests.zoo.network_pairs import (
    EVEN,
    as_keras,
    random_images,
    relative_difference,
    snapshot,
)

IMAGES = 8
# Rounding of sums of up to 4,608 products, layer after layer. A value that is so close
# to zero that rounding flips its sign is improbable among these few activations.
TOLERANCE = 1e-4


@pytest.fixture(scope="module", params=EVEN, ids=str)
def pair(request):
    yield request.param.build(size=request.param.size), request.param.size
    gc.collect()  # hundreds of megabytes, held in cycles


def test_eval_logits(pair):
    (network, model), size = pair
    images = random_images(IMAGES, size, dtype="float32")
    with torch.no_grad():
        expected = network.eval()(images[0]).numpy()
    assert relative_difference(model(images[1], training=False), expected) < TOLERANCE


def test_train_logits_and_statistics(pair):
    (network, model), size = pair
    images = random_images(IMAGES, size, dtype="float32")
    before = model.get_weights()
    with torch.no_grad():
        expected = network.train()(images[0]).numpy()
    logits = model(images[1], training=True)
    assert relative_difference(logits, expected) < TOLERANCE

    names = [weight.name for weight in model.weights]
    ours = dict(zip(names, model.get_weights()))
    theirs = dict(zip(names, as_keras(model, snapshot(network))))
    moving = [name for name in names if "moving_" in name]
    assert len(moving) == 2 * sum(
        isinstance(layer, tf.keras.layers.BatchNormalization)
        for layer in model.submodules  # those within the fusion of IR2Net, too
    )
    for name in moving:  # PyTorch's unbiased variance, that of head_bn included
        assert relative_difference(ours[name], theirs[name]) < TOLERANCE, name
    assert any((ours[n] != b).all() for n, b in zip(names, before) if n in moving)
