import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.datasets.prepared_files import (
    EVALUATION_SIZE,
    TRAIN_SIZE,
    TinyImagenet2012,
    jpeg,
)
from zoo.datasets import ColorJitter, Imagenet2012, Shard


class OrderOnly(TinyImagenet2012):
    """Does not decode what is not looked at."""

    def augment(self, encoded, image_seed):
        return tf.zeros(self.input_shape)


@pytest.fixture(scope="module")
def dataset(data_dir):
    return TinyImagenet2012(data_dir=data_dir)


def orders(data_dir, epochs=range(2), *, seed=0, shard=Shard()):
    """The order of each epoch: the class of each image is its number."""
    batches = OrderOnly(data_dir=data_dir).training_batches(
        batch_size=TRAIN_SIZE // 2, steps=2, seed=seed, epochs=epochs, shard=shard
    )
    labels = np.concatenate([labels for _, labels in batches])
    return labels.reshape(len(epochs), -1).tolist()


@pytest.fixture(scope="module")
def two_orders(data_dir):
    return orders(data_dir)


def test_an_epoch_has_every_image_once_in_a_new_order(data_dir, two_orders):
    found = two_orders + orders(data_dir, seed=1)
    assert all(sorted(order) == list(range(TRAIN_SIZE)) for order in found)
    assert len({*map(tuple, found), tuple(range(TRAIN_SIZE))}) == 5


@pytest.mark.parametrize("process_seed", [0, 2**31 - 1])
def test_the_order_does_not_depend_on_the_process(data_dir, two_orders, process_seed):
    tf.random.set_seed(process_seed)
    assert orders(data_dir) == two_orders


def test_two_shards_share_every_batch(data_dir, two_orders):
    halves = [orders(data_dir, shard=Shard(index, 2)) for index in range(2)]
    batches = np.stack([np.reshape(half, (2, 2, -1)) for half in halves], axis=2)
    np.testing.assert_array_equal(np.reshape(batches, (2, -1)), two_orders)


def test_a_late_epoch_does_not_read_those_before(data_dir, monkeypatch):
    read = []
    original = OrderOnly.encoded_epochs

    def counting(dataset, seed):
        images_of = original(dataset, seed)

        def counted(epoch):
            tf.py_function(lambda number: read.append(int(number)), [epoch], [])
            return images_of(epoch)

        return counted

    monkeypatch.setattr(OrderOnly, "encoded_epochs", counting)
    orders(data_dir, range(98, 100))
    assert read == [98, 99]


@pytest.mark.parametrize("split", ["validation", "test"])
def test_both_evaluation_splits_are_the_published_validation(dataset, split):
    images, labels = dataset.arrays(split)
    assert sorted(labels) == list(range(EVALUATION_SIZE))
    for image, label in zip(images, labels):
        expected = dataset.preprocess(jpeg("validation", label))
        # in a graph, and not
        np.testing.assert_allclose(image, expected, rtol=0, atol=1e-5)


def test_the_encoded_images_are_those_on_the_disk(dataset):
    pairs = dataset.encoded("train").as_numpy_iterator()
    assert {label: image for image, label in pairs} == {
        label: jpeg("train", label) for label in range(TRAIN_SIZE)
    }


def test_scale_and_jitter_are_passed_on(data_dir):
    def images(**options):
        dataset = TinyImagenet2012(data_dir=data_dir, **options)
        batches = dataset.training_batches(
            batch_size=2, steps=1, seed=0, epochs=range(1)
        )
        return next(batches.as_numpy_iterator())[0]

    different = [
        images(),
        images(jitter=None),
        images(jitter=ColorJitter(hue=0.5)),
        images(jitter=None, scale=(0.08, 1.25)),
    ]
    assert len({batch.tobytes() for batch in different}) == 4


def test_published_figures():
    assert Imagenet2012.published_sizes == {"train": 1_281_167, "validation": 50_000}
    assert Imagenet2012.num_classes == 1000
    assert Imagenet2012.input_shape == (224, 224, 3)
