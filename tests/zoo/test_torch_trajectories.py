"""Trained side by side, an imported network stays with the PyTorch network.

Momentum, Nesterov's as well, coupled weight decay on all weights, a learning rate and
an estimator that change with every step. In float64 alone: in float32 rounding flips
some sign after two or three steps, and from there on the two go ways of their own.
"""

import gc

import numpy as np
import pytest
import tensorflow as tf
import torch

from larq_irnet.restriction import RestrictedTraining
from tests.zoo import torch_networks
from tests.zoo.network_pairs import (
    BY_NAME,
    as_keras,
    float64,
    random_images,
    relative_difference,
    snapshot,
)
from tests.zoo.side_by_side import IMAGES, SideBySide
from zoo import recipes
from zoo.models import Rotate180
from zoo.torch_adam import TorchAdam

# Rounding of 1e-16 grows with every step, by the curvature of the loss: to 1e-10 in 20
# steps, and to 4e-10 where gradients grow, another one on another processor.
TOLERANCE = 1e-9
TOLERANCE_OF = {"resnet20_normal": 1e-8}


CASES = [
    ("resnet20", False),
    ("resnet20_normal", True),
    ("resnet20_w1a32", True),
    ("vgg_small", False),
    ("cifar_resnet18", False),
    ("resnet18", True),
    ("resnet18_w1a32", True),
    ("recu_resnet20", False),
    ("recu_cifar_resnet18", False),
    ("recu_vgg_small", False),
    ("recu_reactnet18", True),
]


@pytest.fixture(autouse=True)
def free_memory():
    yield
    gc.collect()  # a gigabyte, which a traced function holds in cycles


@pytest.mark.parametrize("name, nesterov", CASES)
def test_training_side_by_side(name, nesterov):
    with float64():
        training = SideBySide(BY_NAME[name], nesterov=nesterov)
        theirs, ours = training.run()
        training.use_unbiased_variances()
    assert_same(training, theirs, ours, TOLERANCE_OF.get(name, TOLERANCE))


def assert_same(training, theirs, ours, tolerance):
    """Losses of all steps, and at the end weights, statistics and outputs."""
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=0)
    assert np.abs(np.diff(theirs)).min() > 1e-3  # something happens in every step

    trained = as_keras(training.model, snapshot(training.network))
    for one, other in zip(training.model.get_weights(), trained):
        assert relative_difference(one, other) < tolerance
    images = random_images(IMAGES, training.published.size, seed=99)
    with torch.no_grad():
        expected = training.network.eval()(images[0]).numpy()
    logits = training.model(images[1], training=False)
    assert relative_difference(logits, expected) < tolerance


class Restricted(SideBySide):
    """IR2Net's steps of two passes: ours by `fit`'s own step, theirs by hand.

    Features of random weights are much alike, so that the authors' threshold would
    keep all pixels.
    """

    threshold = 0.98

    passes = 2
    layer = "stage3_block3_conv2_act"

    def __init__(self, published, **options):
        super().__init__(published, **options)
        self.trained = RestrictedTraining(
            self.model, self.layer, threshold=self.threshold, orient=Rotate180()
        )
        self.erased = []
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.trained.compile(self.ours, loss)

    def torch_step(self, images, labels):
        self.network.train()
        self.theirs.zero_grad()

        def loss_of(logits):
            return torch.nn.functional.cross_entropy(logits, labels)

        loss, _ = torch_networks.restricted_loss(
            self.network, loss_of, images, threshold=self.threshold, on_erased=self.keep
        )
        loss.backward()
        self.theirs.step()
        return loss.item()

    def keep(self, erased):
        self.erased.append((erased == 0).double().mean().item())

    def keras_step(self, images, labels):
        return self.trained.train_on_batch(images, labels)


class RestrictedImageNet(Restricted):
    """With Adam, whose weight decay the authors' names of weights decide.

    Adam divides gradients by their size, also those that are all but zero, of which
    rounding is a larger part.
    """

    layer = "stage4_block4_prelu"
    learning_rate = 0.001

    def make_optimizers(self, nesterov):
        named = [*self.network.named_parameters()]
        decayed = [w for name, w in named if w.ndim == 4 or "conv" in name]
        others = [w for name, w in named if w.ndim != 4 and "conv" not in name]
        theirs = torch.optim.Adam(others, lr=self.learning_rate)
        theirs.add_param_group({"params": decayed, "weight_decay": 1e-3})
        recipe = recipes.get("ir2net18_d_stage1_imagenet").config
        ours = TorchAdam(
            self.learning_rate,
            weight_decay=1e-3,
            decayed_weights=recipe.decayed_weights,
        )
        return theirs, ours


@pytest.mark.parametrize(
    "name, kind",
    [
        ("ir2net_resnet20", Restricted),
        ("ir2net18_d", RestrictedImageNet),
    ],
)
def test_restricted_training_side_by_side(name, kind):
    with float64():
        training = kind(BY_NAME[name])
        theirs, ours = training.run()
        training.use_unbiased_variances()
    assert_same(training, theirs, ours, TOLERANCE)
    assert len(training.erased) == training.published.steps == 20
    assert 0.01 < min(training.erased) <= max(training.erased) < 0.99
