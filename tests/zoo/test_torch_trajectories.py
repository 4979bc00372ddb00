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

from larq_irnet.callbacks import set_progress
from tests.zoo.network_pairs import (
    BY_NAME,
    as_keras,
    float64,
    random_images,
    random_labels,
    relative_difference,
    snapshot,
)
from tests.zoo.torch_networks import set_schedule
from zoo.torch_sgd import TorchSGD

IMAGES = 4
LEARNING_RATE = 0.01
# Rounding of 1e-16 grows with every step, by the curvature of the loss: to 1e-10 in 20
# steps, and to 4e-10 where gradients grow, another one on another processor.
TOLERANCE = 1e-9
TOLERANCE_OF = {"resnet20_normal": 1e-8}
# In place of 0.9, whose complement Keras rounds to float32 in float64 networks as well.
BN_MOMENTUM = 0.875


class Training:
    """The same steps in both frameworks."""

    def __init__(self, published, *, nesterov):
        self.published = published
        self.network, self.model = published.build(size=published.size, dtype="float64")
        self._set_momentum()
        self.initial = self.model.get_weights()
        options = {"momentum": 0.9, "weight_decay": 1e-3, "nesterov": nesterov}
        self.keras_sgd = TorchSGD(LEARNING_RATE, **options)
        self.torch_sgd = torch.optim.SGD(
            self.network.parameters(), lr=LEARNING_RATE, **options
        )
        self.gradients = tf.function(self._gradients)

    def _set_momentum(self):
        for layer in self.model.layers:
            if isinstance(layer, tf.keras.layers.BatchNormalization):
                layer.momentum = BN_MOMENTUM
        for module in self.network.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.momentum = 1 - BN_MOMENTUM

    def run(self):
        """The losses of each step, theirs and ours."""
        return np.array([self._step(n) for n in range(self.published.steps)]).T

    def _step(self, number):
        progress = number / self.published.steps
        set_schedule(self.network, progress)
        set_progress(self.model, progress)
        rate = LEARNING_RATE * (1 - progress)
        self.torch_sgd.param_groups[0]["lr"] = rate
        self.keras_sgd.learning_rate = rate
        images = random_images(IMAGES, self.published.size, seed=number)
        labels = random_labels(IMAGES, seed=number)
        return self._torch_step(images[0], labels[0]), self._keras_step(
            images[1], labels[1]
        )

    def _torch_step(self, images, labels):
        self.network.train()
        self.torch_sgd.zero_grad()
        loss = torch.nn.functional.cross_entropy(self.network(images), labels)
        loss.backward()
        self.torch_sgd.step()
        return loss.item()

    def _keras_step(self, images, labels):
        loss, gradients = self.gradients(images, labels)
        self.keras_sgd.apply_gradients(zip(gradients, self.model.trainable_weights))
        return float(loss)

    def _gradients(self, images, labels):
        with tf.GradientTape() as tape:
            logits = self.model(images, training=True)
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            )
        return loss, tape.gradient(loss, self.model.trainable_weights)

    def use_unbiased_variances(self):
        """Moving variances as if each batch had given PyTorch's n / (n - 1).

        Keras does so itself, but in float32 and 16 alone, where it runs the fused
        kernel. The moving average is linear in what the batches give.
        """
        left = BN_MOMENTUM**self.published.steps  # of the imported variance
        initial = {w.name: value for w, value in zip(self.model.weights, self.initial)}
        for layer in self.model.layers:
            if isinstance(layer, tf.keras.layers.BatchNormalization):
                n = IMAGES * np.prod(layer.input_shape[1:-1])
                variance = layer.moving_variance
                imported = left * initial[variance.name]
                variance.assign(imported + (variance - imported) * n / (n - 1))


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
    tolerance = TOLERANCE_OF.get(name, TOLERANCE)
    with float64():
        training = Training(BY_NAME[name], nesterov=nesterov)
        theirs, ours = training.run()
        training.use_unbiased_variances()
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=0)
    assert np.abs(np.diff(theirs)).min() > 1e-3  # something happens in every step

    trained = as_keras(training.model, snapshot(training.network))
    for ours, theirs in zip(training.model.get_weights(), trained):
        assert relative_difference(ours, theirs) < tolerance
    images = random_images(IMAGES, training.published.size, seed=99)
    with torch.no_grad():
        expected = training.network.eval()(images[0]).numpy()
    logits = training.model(images[1], training=False)
    assert relative_difference(logits, expected) < tolerance
