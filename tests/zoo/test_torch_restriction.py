"""IR2Net's two passes against an independently written PyTorch implementation.

In float64. Masks are the result of a comparison: they agree wherever attention is not
within rounding of the threshold, which random features never are.
"""

import numpy as np
import pytest
import tensorflow as tf
import torch

from larq_irnet.restriction import (
    NORMALIZATIONS,
    RestrictedTraining,
    attention_erase,
    attention_map,
)
from tests.zoo import torch_networks
from tests.zoo.network_pairs import (
    BY_NAME,
    as_keras,
    float64,
    random_images,
    random_labels,
    relative_difference,
)
from zoo.models import Rotate180

IMAGES = 4
# Rounding gives 1e-13; one pixel that is erased on one side alone would give 1e-3.
TOLERANCE = 1e-9


def random_features(shape, seed=0):
    """[N, h, w, C] of very different strength, as hard tanh leaves them."""
    generator = np.random.default_rng(seed)
    strength = generator.exponential(size=shape[:3]) ** 3
    return np.clip(generator.normal(size=shape) * strength[..., None], -1, 1)


def to_torch(array):
    return torch.from_numpy(np.ascontiguousarray(array.transpose(0, 3, 1, 2)))


@pytest.mark.parametrize("normalize", NORMALIZATIONS)
@pytest.mark.parametrize("threshold", [0.15, 0.7])
@pytest.mark.parametrize(
    "features, image", [((8, 8), (32, 32)), ((7, 7), (224, 224)), ((3, 5), (10, 11))]
)
def test_masks(features, image, threshold, normalize):
    features = random_features((3, *features, 16))
    images = np.random.default_rng(1).normal(size=(3, *image, 3))
    theirs = torch_networks.attention(to_torch(features), image, normalize=normalize)
    ours = attention_map(features, image, normalize=normalize)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)
    options = {"threshold": threshold, "normalize": normalize}
    erased = torch_networks.attention_erase(
        to_torch(images), to_torch(features), **options
    )
    result = attention_erase(images, features, **options).numpy()
    np.testing.assert_array_equal(result, erased.numpy().transpose(0, 2, 3, 1))
    assert 0.05 < (result == 0).mean() < 0.95


def test_the_turned_mask_is_that_of_turned_images():
    """In the rotated frame corners are corners, and columns are columns."""
    features = random_features((3, 4, 4, 8))
    images = np.random.default_rng(1).normal(size=(3, 9, 9, 3))
    turned = features[:, ::-1, ::-1]
    result = attention_erase(images, turned, orient=Rotate180())
    np.testing.assert_array_equal(result, attention_erase(images, features))


class Gradients(tf.keras.optimizers.Optimizer):
    """Keeps the gradients of one step and changes nothing."""

    def __init__(self):
        super().__init__(name="gradients")
        self._learning_rate = self._build_learning_rate(0.0)
        self.kept = {}

    def apply_gradients(self, grads_and_vars, *arguments, **options):
        self.kept = {variable.name: gradient for gradient, variable in grads_and_vars}


CASES = [
    ("ir2net_resnet20", "stage3_block3_conv2_act"),
    ("ir2net_cifar_resnet18", "stage4_block2_act"),
    ("ir2net_vgg_small", "conv5_act"),
    ("ir2net18_a", "stage4_block4_prelu"),
    ("ir2net18_c", "stage4_block4_prelu"),
]
# Features of random weights are much alike: the authors' 0.15 would keep all pixels.
THRESHOLD = 0.98


@pytest.mark.parametrize("name, layer", CASES)
def test_losses_and_gradients(name, layer):
    published = BY_NAME[name]
    size = max(published.size, 32)
    with float64():
        network, model = published.build(size=size, dtype="float64")
        images, labels = random_images(IMAGES, size), random_labels(IMAGES)
        network.train()

        def loss_of(logits):
            return torch.nn.functional.cross_entropy(logits, labels[0])

        erased: list[torch.Tensor] = []
        loss, logits = torch_networks.restricted_loss(
            network,
            loss_of,
            images[0],
            threshold=THRESHOLD,
            on_erased=erased.append,
        )
        loss.backward()
        orient = None if name == "ir2net_vgg_small" else Rotate180()
        training = RestrictedTraining(model, layer, threshold=THRESHOLD, orient=orient)
        optimizer = Gradients()
        training.compile(
            optimizer,
            tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            run_eagerly=True,
        )
        ours = training.train_on_batch(images[1], labels[1])
    assert relative_difference(ours, loss.item()) < TOLERANCE
    assert 0.01 < (erased[0] == 0).double().mean() < 0.99
    assert abs(loss_of(logits).item() - loss.item()) > 1e-3
    gradients = {name: w.grad for name, w in network.named_parameters()}
    theirs = as_keras(model, {**network.state_dict(), **gradients})
    expected = dict(zip([weight.name for weight in model.weights], theirs))
    differences = {
        weight: relative_difference(gradient, expected[weight])
        for weight, gradient in optimizer.kept.items()
    }
    assert {n: d for n, d in differences.items() if not d < TOLERANCE} == {}
    assert len(differences) == len(model.trainable_weights)
