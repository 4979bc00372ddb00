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
# Rounding of sums of up to 4,608 products, layer after layer.
TOLERANCE = 1e-4
# Among a network's 10^5 to 10^6 binary activations one is at times so close to zero
# that rounding, which differs between processors, flips its sign: the logits then have
# nothing in common. A batch in some eight is such a one; a difference of the networks
# would show in every batch.
BATCHES = 4


@pytest.fixture(scope="module", params=EVEN, ids=str)
def pair(request):
    yield request.param.build(size=request.param.size), request.param.size
    gc.collect()  # hundreds of megabytes, held in cycles


def assert_logits_agree(pair, *, training):
    """Agreement on one batch of BATCHES, the only one both networks have then seen."""
    (network, model), size = pair
    state, weights = snapshot(network), model.get_weights()
    differences = []
    for seed in range(1, BATCHES + 1):
        network.load_state_dict(state)
        model.set_weights(weights)
        images = random_images(IMAGES, size, dtype="float32", seed=seed)
        with torch.no_grad():
            expected = network.train(training)(images[0]).numpy()
        logits = model(images[1], training=training)
        differences.append(relative_difference(logits, expected))
        if differences[-1] < TOLERANCE:
            return
    pytest.fail(f"relative differences of the logits: {differences}")


def test_eval_logits(pair):
    assert_logits_agree(pair, training=False)


def test_train_logits_and_statistics(pair):
    (network, model), _ = pair
    before = model.get_weights()
    assert_logits_agree(pair, training=True)

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
