"""What holds for every dataset: digits, twins, and those that lie on the disk."""

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.datasets.prepared_files import TINY_DATASETS
from zoo import datasets
from zoo.datasets import SPLITS, Shard

BATCH_SIZE = 8
STEPS = 2
NEED_FILES = {dataset_class.name: dataset_class for dataset_class in TINY_DATASETS}


@pytest.fixture(scope="module", params=datasets.names())
def dataset(request, data_dir):
    if request.param in NEED_FILES:
        return NEED_FILES[request.param](data_dir=data_dir)
    return datasets.get(request.param)


def training_batches(dataset, epochs=range(1), *, seed=0, **options):
    return dataset.training_batches(
        batch_size=BATCH_SIZE, steps=STEPS, seed=seed, epochs=epochs, **options
    )


def collect(batches):
    """Images [steps, N, H, W, C] and labels [steps, N] of batches of one size."""
    images, labels = zip(*batches.as_numpy_iterator())
    return np.stack(images), np.stack(labels)


def assert_same_bits(first, second):
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def three_epochs(dataset):
    return collect(training_batches(dataset, range(3)))


def test_training_batches_have_static_shapes_and_types(dataset):
    images, labels = training_batches(dataset).element_spec
    assert images == tf.TensorSpec((BATCH_SIZE, *dataset.input_shape), tf.float32)
    assert labels == tf.TensorSpec((BATCH_SIZE,), tf.int64)


def test_there_are_all_steps_of_all_epochs(dataset, three_epochs):
    images, labels = three_epochs
    assert images.shape == (3 * STEPS, BATCH_SIZE, *dataset.input_shape)
    assert np.isfinite(images).all()
    assert labels.min() >= 0
    assert labels.max() < dataset.num_classes


def test_a_resumed_run_sees_the_same_pixels(dataset, three_epochs):
    tf.keras.utils.set_random_seed(99)  # as another process
    tail = tuple(values[STEPS:] for values in three_epochs)
    assert_same_bits(collect(training_batches(dataset, range(1, 3))), tail)


def test_fewer_steps_are_the_first_ones(dataset, three_epochs):
    batches = dataset.training_batches(
        batch_size=BATCH_SIZE, steps=1, seed=0, epochs=range(2)
    )
    assert_same_bits(
        collect(batches), tuple(values[[0, STEPS]] for values in three_epochs)
    )


def test_shards_together_are_the_global_batches(dataset, three_epochs):
    shards = [
        collect(training_batches(dataset, range(3), shard=Shard(index, 2)))
        for index in range(2)
    ]
    images, labels = zip(*shards)
    assert_same_bits(
        (np.concatenate(images, axis=1), np.concatenate(labels, axis=1)), three_epochs
    )


def test_epochs_and_seeds_differ(dataset, three_epochs):
    other_seed, _ = collect(training_batches(dataset, seed=1))
    epochs = [*np.split(three_epochs[0], 3), other_seed]
    assert len({epoch.tobytes() for epoch in epochs}) == 4


@pytest.mark.parametrize("split", SPLITS)
def test_evaluation_gives_every_image_once(dataset, split):
    images, labels = dataset.arrays(split)
    size = dataset.size(split)
    batch_size = size // 3 + 1
    assert images.shape == (size, *dataset.input_shape)
    assert images.dtype == np.float32
    assert labels.shape == (size,)
    assert labels.dtype == np.int64
    batches = list(dataset.evaluation_batches(split, batch_size=batch_size))
    assert {len(labels) for _, labels in batches[:-1]} == {batch_size}
    assert_same_bits(
        (
            np.concatenate([images for images, _ in batches]),
            np.concatenate([labels for _, labels in batches]),
        ),
        (images, labels),
    )


@pytest.mark.parametrize("limit", [0, 1, 5])
def test_a_limit_takes_the_first_images(dataset, limit):
    some, all_images = dataset.arrays("validation", limit), dataset.arrays("validation")
    assert_same_bits(some, tuple(values[:limit] for values in all_images))
    assert some.images.dtype == np.float32


def test_a_limit_above_the_size_is_none(dataset):
    images, _ = dataset.arrays("validation", limit=10**6)
    assert len(images) == dataset.size("validation")


def test_splits_differ(dataset):
    train, validation = dataset.arrays("train", 10), dataset.arrays("validation", 10)
    assert (train.images != validation.images).any()


def test_is_prepared(dataset):
    assert dataset.check_prepared() is None


@pytest.mark.parametrize("split", ["training", "", None])
def test_unknown_split(dataset, split):
    message = (
        rf"Expected a split out of \['train', 'validation', 'test'\], got {split!r}"
    )
    with pytest.raises(ValueError, match=message):
        dataset.size(split)
    with pytest.raises(ValueError, match=message):
        dataset.arrays(split)
    with pytest.raises(ValueError, match=message):
        dataset.evaluation_batches(split, batch_size=1)


def test_too_many_steps(dataset):
    most = dataset.size("train") // 8
    message = f"`steps` to be at most {most} with batches of 8 images, got {most + 1}"
    with pytest.raises(ValueError, match=message):
        dataset.training_batches(batch_size=8, steps=most + 1, seed=0, epochs=range(1))


def test_shards_that_do_not_divide_a_batch(dataset):
    message = "`batch_size` to be a multiple of 3, the number of shards, got 8"
    with pytest.raises(ValueError, match=message):
        training_batches(dataset, shard=Shard(0, 3))
