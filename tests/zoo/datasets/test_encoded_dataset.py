import re

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.datasets.scaling import scaled
from zoo.datasets import ColorJitter, EncodedDataset
from zoo.datasets.statistics import CHANNEL_STATISTICS

MEAN, DEVIATION = CHANNEL_STATISTICS["imagenet"]


class Images(EncodedDataset):
    name = "images"
    num_classes = 4

    def __init__(self, *encoded, **options):
        super().__init__(**options)
        self._encoded = list(encoded)

    def size(self, split):
        return len(self._encoded)

    def encoded(self, split):
        labels = tf.range(len(self._encoded), dtype=tf.int64)
        return tf.data.Dataset.from_tensor_slices((self._encoded, labels))

    def encoded_epochs(self, seed):
        return lambda epoch: self.encoded("train")


def jpeg(height, width, seed=0):
    generator = np.random.default_rng(seed)
    smooth = generator.uniform(0, 255, (6, 6, 3))
    pixels = tf.image.resize(smooth, (height, width), method="bicubic")
    return tf.io.encode_jpeg(tf.saturate_cast(pixels, tf.uint8)).numpy()


def decoded(encoded):
    return tf.io.decode_jpeg(encoded, 3, dct_method="INTEGER_ACCURATE").numpy()


def normalised(pixels):
    return (pixels / 255.0 - MEAN) / DEVIATION


@pytest.mark.parametrize(
    "shape, scaled_shape",
    [
        ((256, 256), (256, 256)),
        ((256, 301), (256, 301)),
        ((375, 500), (256, 341)),
        ((500, 333), (384, 256)),
        ((100, 113), (256, 289)),
    ],
)
def test_evaluation_scales_and_takes_the_middle(shape, scaled_shape):
    encoded = jpeg(*shape)
    row, column = (round((side - 224) / 2) for side in scaled_shape)
    pixels = scaled(decoded(encoded), *scaled_shape)
    expected = normalised(pixels[row : row + 224, column : column + 224])
    images, _ = Images(encoded).arrays("test")
    # float32 pixels up to 255, divided by a deviation of 57
    np.testing.assert_allclose(images[0], expected, rtol=0, atol=1e-4)


def training_images(dataset, epochs=range(1), seed=0):
    batches = dataset.training_batches(
        batch_size=1, steps=dataset.size("train"), seed=seed, epochs=epochs
    )
    return np.concatenate([images for images, _ in batches])


def test_whole_images_are_scaled_and_every_other_is_flipped():
    encoded = jpeg(280, 280)
    expected = normalised(scaled(decoded(encoded), 224, 224))
    dataset = Images(*(20 * [encoded]), scale=(1.0, 1.0), jitter=None)
    flips = 0
    for image in training_images(dataset):
        if np.abs(image - expected).max() > 0.1:
            flips += 1
            image = image[:, ::-1]
        np.testing.assert_allclose(image, expected, rtol=0, atol=1e-4)  # as above
    assert 4 <= flips <= 16  # all but 0.3 % of 20 fair throws


def test_jitter_changes_colours_and_nothing_else():
    encoded = jpeg(260, 300)
    plain = training_images(Images(encoded, jitter=None))
    same = training_images(Images(encoded, jitter=ColorJitter(0.0, 0.0, 0.0, 0.0)))
    changed = training_images(Images(encoded))
    # the way to the hue and back in float32, divided by a deviation of 0.22
    np.testing.assert_allclose(same, plain, rtol=0, atol=1e-4)
    assert np.abs(changed - plain).max() > 0.01


@pytest.mark.parametrize("fraction", [0.04, 0.25, 1.0])
def test_scale_sets_the_part_that_is_seen(fraction):
    levels = np.arange(256, dtype=np.uint8)  # each column is brighter than the last
    encoded = tf.io.encode_jpeg(np.tile(levels[:, None], (256, 1, 3)), quality=100)
    dataset = Images(encoded.numpy(), scale=(fraction, fraction), jitter=None)
    red = training_images(dataset)[..., 0] * DEVIATION[0] * 255.0
    columns = np.ptp(red) + 1
    side = 256 * np.sqrt(fraction)
    # aspect ratios between 3/4 and 4/3, and a level or two lost by JPEG
    assert side * np.sqrt(3 / 4) - 3 <= columns <= side * np.sqrt(4 / 3) + 3


def test_images_of_an_epoch_are_changed_differently_and_anew_each_epoch():
    images = training_images(Images(*(3 * [jpeg(240, 240)])), range(2))
    assert len({image.tobytes() for image in images}) == 6


def test_the_same_image_is_changed_in_the_same_way_wherever_it_is_trained():
    encoded = [jpeg(240, 260, seed) for seed in range(4)]
    epoch = training_images(Images(*encoded), range(3, 4), seed=2**31 - 1)
    np.testing.assert_array_equal(
        training_images(Images(*encoded[:2]), range(3, 4), seed=2**31 - 1), epoch[:2]
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_photographs(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (250, 230, channels), np.uint8)
    dataset = Images(tf.io.encode_jpeg(pixels).numpy())
    assert dataset.arrays("test").images.shape == (1, 224, 224, 3)
    assert training_images(dataset).shape == (1, 224, 224, 3)


def test_statistics():
    encoded = jpeg(256, 256)
    (imagenet,), _ = Images(encoded).arrays("test")
    (cifar10,), _ = Images(encoded, statistics="cifar10").arrays("test")
    mean, deviation = CHANNEL_STATISTICS["cifar10"]
    expected = (imagenet * DEVIATION + MEAN - mean) / deviation
    np.testing.assert_allclose(cifar10, expected, rtol=0, atol=1e-5)  # float32


@pytest.mark.parametrize(
    "option, value",
    [
        ("scale", (0.0, 1.0)),
        ("scale", (0.5, 0.4)),
        ("scale", (0.5, float("inf"))),
        ("scale", (float("nan"), 1.0)),
        ("scale", (0.5,)),
        ("scale", 0.5),
        ("scale", None),
        ("scale", (True, 1.0)),
        ("scale", ("0.5", "1")),
        ("jitter", (0.2, 0.2, 0.2)),
        ("jitter", (0.2, 0.2, 0.2, 0.6)),
        ("jitter", (1.2, 0.2, 0.2, 0.1)),
        ("jitter", (-0.2, 0.2, 0.2, 0.1)),
        ("jitter", {"hue": 0.1}),
        ("jitter", False),
    ],
)
def test_augmentation_out_of_range(option, value):
    message = f"Expected `{option}` to be .*, got {re.escape(repr(value))}"
    with pytest.raises(ValueError, match=message):
        Images(jpeg(240, 240), **{option: value})


def test_areas_above_the_whole_image_give_its_middle_more_often():
    encoded = jpeg(240, 240)
    whole = normalised(scaled(decoded(encoded), 224, 224))
    dataset = Images(*(20 * [encoded]), scale=(1.25, 1.25), jitter=None)
    for image in training_images(dataset):  # no try fits
        either = min(abs(image - whole).max(), abs(image[:, ::-1] - whole).max())
        assert either < 1e-4  # float32
