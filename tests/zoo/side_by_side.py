"""The same steps of training in both frameworks, from the same weights."""

import numpy as np
import tensorflow as tf
import torch

from larq_irnet.callbacks import set_progress
from tests.zoo.network_pairs import random_images, random_labels
from tests.zoo.torch_networks import set_schedule
from zoo.torch_layouts import named_layers
from zoo.torch_sgd import TorchSGD

IMAGES = 4
# In place of 0.9, whose complement Keras rounds to float32 in float64 networks as well.
BN_MOMENTUM = 0.875


def batch_norms(model):
    return [
        layer
        for _, layer in named_layers(model)
        if isinstance(layer, tf.keras.layers.BatchNormalization)
    ]


class SideBySide:
    """Both networks, and what trains them."""

    passes = 1  # of every step
    learning_rate = 0.01

    def __init__(self, published, *, nesterov=False):
        self.published = published
        self.network, self.model = published.build(size=published.size, dtype="float64")
        self._set_momentum()
        self.initial = self.model.get_weights()
        self.theirs, self.ours = self.make_optimizers(nesterov)
        self.gradients = tf.function(self._gradients)

    def make_optimizers(self, nesterov):
        """PyTorch's and ours."""
        options = {"momentum": 0.9, "weight_decay": 1e-3, "nesterov": nesterov}
        theirs = torch.optim.SGD(
            self.network.parameters(), lr=self.learning_rate, **options
        )
        return theirs, TorchSGD(self.learning_rate, **options)

    def _set_momentum(self):
        for layer in batch_norms(self.model):
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
        rate = self.learning_rate * (1 - progress)
        for group in self.theirs.param_groups:
            group["lr"] = rate
        self.ours.learning_rate = rate
        images = random_images(IMAGES, self.published.size, seed=number)
        labels = random_labels(IMAGES, seed=number)
        return self.torch_step(images[0], labels[0]), self.keras_step(
            images[1], labels[1]
        )

    def torch_step(self, images, labels):
        self.network.train()
        self.theirs.zero_grad()
        loss = torch.nn.functional.cross_entropy(self.network(images), labels)
        loss.backward()
        self.theirs.step()
        return loss.item()

    def keras_step(self, images, labels):
        loss, gradients = self.gradients(images, labels)
        self.ours.apply_gradients(zip(gradients, self.model.trainable_weights))
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
        # of the imported variance
        left = BN_MOMENTUM ** (self.published.steps * self.passes)
        initial = {w.name: value for w, value in zip(self.model.weights, self.initial)}
        shapes = {layer.name: layer.output_shape for layer in self.model.layers}
        for name, layer in named_layers(self.model):
            if layer not in batch_norms(self.model):
                continue
            shape = shapes[name.partition("/")[0]]  # of a part: that of the whole
            n = IMAGES * np.prod(shape[1:-1])
            variance = layer.moving_variance
            imported = left * initial[variance.name]
            variance.assign(imported + (variance - imported) * n / (n - 1))
