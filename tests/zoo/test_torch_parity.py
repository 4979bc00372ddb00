"""An imported network computes what the PyTorch network computes, gradients included.

In float64, so that a difference is an error and not rounding. Random data keep values
off zero, where `torch.sign` gives 0 and Larq, like the papers, +1: there the two would
differ, and rightly so.
"""

import gc

import numpy as np
import pytest
import tensorflow as tf
import torch

from larq_irnet.callbacks import set_progress
from tests.zoo.network_pairs import (
    PUBLISHED,
    as_keras,
    float64,
    random_images,
    random_labels,
    relative_difference,
    snapshot,
)
from tests.zoo.torch_networks import set_schedule
from zoo.torch_import import load_state_dict

IMAGES = 4
# Rounding gives 1e-13 at most, and 1e-10 in the gradients of channel scales, of which
# the normalisation behind leaves little. A sign that flipped would give 1e-4 and more.
TOLERANCE = 1e-9


class Pair:
    """Both networks, and their logits and gradients for one batch."""

    def __init__(self, published):
        with float64():
            built = published.build(size=published.size, dtype="float64")
        self.network, self.model = built
        self.state = snapshot(self.network)
        self.images = random_images(IMAGES, published.size)
        self.labels = random_labels(IMAGES)

    def restore(self):
        self.network.load_state_dict(self.state)
        load_state_dict(self.model, self.state)

    def torch_gradients(self):
        """Logits, and the gradients as the variables of the model have them."""
        self.network.train()
        self.network.zero_grad()
        logits = self.network(self.images[0])
        torch.nn.functional.cross_entropy(logits, self.labels[0]).backward()
        gradients = {
            name: torch.zeros_like(weight) if weight.grad is None else weight.grad
            for name, weight in self.network.named_parameters()
        }
        as_weights = {**self.network.state_dict(), **gradients}
        imported = dict(zip(self.names(), as_keras(self.model, as_weights)))
        return logits.detach().numpy(), imported

    def names(self):
        return [weight.name for weight in self.model.weights]

    def keras_gradients(self):
        logits, gradients = self._keras_step()
        names = [weight.name for weight in self.model.trainable_weights]
        return logits.numpy(), dict(zip(names, gradients))

    def _keras_step(self):
        with tf.GradientTape() as tape:
            logits = self.model(self.images[1], training=True)
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(self.labels[1], logits)
            )
        return logits, tape.gradient(loss, self.model.trainable_weights)


# they are a ResNet-18 with more blocks: see test_torch_parity_float32
LEFT_OUT = ("resnet34_w1a32", "recu_resnet34")
PAIRS = [one for one in PUBLISHED if one.name not in LEFT_OUT]


@pytest.fixture(scope="module", params=PAIRS, ids=str)
def pair(request):
    yield Pair(request.param)
    gc.collect()  # hundreds of megabytes, held in cycles


def test_eval_logits(pair):
    pair.restore()
    with torch.no_grad():
        expected = pair.network.eval()(pair.images[0]).numpy()
    logits = pair.model(pair.images[1], training=False).numpy()
    assert np.ptp(expected, axis=0).min() > 0.01  # images are told apart
    assert relative_difference(logits, expected) < TOLERANCE


# EDE: k > 1 and t < 1, k = 1 and t > 1; ReCU: tau is 0.868 and 0.950
@pytest.mark.parametrize("progress", [0.2, 0.8])
def test_train_logits_and_gradients(pair, progress):
    pair.restore()
    set_schedule(pair.network, progress)
    set_progress(pair.model, progress)
    expected_logits, expected = pair.torch_gradients()
    pair.restore()
    logits, gradients = pair.keras_gradients()
    assert relative_difference(logits, expected_logits) < TOLERANCE
    differences = {
        name: relative_difference(gradient, expected[name])
        for name, gradient in gradients.items()
    }
    assert {n: d for n, d in differences.items() if not d < TOLERANCE} == {}
    assert len(differences) == len(pair.model.trainable_weights)
