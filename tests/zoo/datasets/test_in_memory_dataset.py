import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings

from zoo.datasets import SPLITS, InMemoryDataset, Split


class Numbered(InMemoryDataset):
    """Image i is filled with i and of class i % 3, so that order can be read off."""

    name = "numbered"
    input_shape = (2, 2, 1)
    num_classes = 3
    sizes = {"train": 23, "validation": 5, "test": 7}

    def load(self):
        return {split: numbered_split(size) for split, size in self.sizes.items()}


def numbered_split(size):
    numbers = np.arange(size)
    images = np.broadcast_to(numbers[:, None, None, None], (size, 2, 2, 1))
    return Split(images.astype(np.float32), numbers % 3)


DATASET = Numbered()


def numbers(batches):
    """The numbers of the images of each batch."""
    return [images[:, 0, 0, 0].numpy().astype(int).tolist() for images, _ in batches]


def training_numbers(epochs, *, batch_size=4, steps=5, seed=0):
    return numbers(
        DATASET.training_batches(
            batch_size=batch_size, steps=steps, seed=seed, epochs=epochs
        )
    )


def test_batches_have_static_shapes_and_types():
    batches = DATASET.training_batches(
        batch_size=4, steps=5, seed=0, epochs=range(0, 1)
    )
    images, labels = batches.element_spec
    assert images == tf.TensorSpec((4, 2, 2, 1), tf.float32)
    assert labels == tf.TensorSpec((4,), tf.int64)


def test_images_keep_their_labels():
    batches = DATASET.training_batches(
        batch_size=4, steps=5, seed=0, epochs=range(0, 2)
    )
    for images, labels in batches:
        np.testing.assert_array_equal(images[:, 0, 0, 0] % 3, labels)


few = settings(max_examples=8)  # each reads two data sets from their beginning


@few
@given(
    st.integers(1, 23), st.integers(1, 23), st.integers(0, 2**31 - 1), st.integers(1, 3)
)
def test_number_and_size_of_batches(batch_size, steps, seed, epochs):
    steps = min(steps, 23 // batch_size)
    batches = training_numbers(
        range(epochs), batch_size=batch_size, steps=steps, seed=seed
    )
    assert len(batches) == steps * epochs
    assert {len(batch) for batch in batches} == {batch_size}


@few
@given(st.integers(0, 2**31 - 1), st.integers(0, 1000))
def test_no_image_twice_in_an_epoch(seed, epoch):
    batches = training_numbers(range(epoch, epoch + 1), seed=seed)
    seen = [number for batch in batches for number in batch]
    assert len(set(seen)) == len(seen) == 20
    assert set(seen) <= set(range(23))


def test_every_image_is_seen_when_the_batches_divide():
    (batch,) = training_numbers(range(1), batch_size=23, steps=1)
    assert sorted(batch) == list(range(23))
    assert batch != sorted(batch)


@few
@given(st.integers(0, 2**31 - 1), st.integers(0, 5))
def test_a_resumed_range_gives_the_tail_of_the_full_range(seed, first):
    full = training_numbers(range(5), seed=seed)
    assert training_numbers(range(first, 5), seed=seed) == full[5 * first :]


def test_order_does_not_depend_on_the_state_of_the_process():
    before = training_numbers(range(2))
    tf.keras.utils.set_random_seed(99)
    tf.random.normal((3,))
    assert training_numbers(range(2)) == before


def test_order_depends_on_seed_and_epoch():
    orders = [
        tuple(training_numbers(range(epoch, epoch + 1), seed=seed)[0])
        for seed in range(3)
        for epoch in range(3)
    ]
    assert len(set(orders)) == 9


def test_nothing_is_left_to_do_after_the_last_epoch():
    assert training_numbers(range(3, 3)) == []


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_evaluation_gives_every_image_in_order(split, batch_size):
    batches = numbers(DATASET.evaluation_batches(split, batch_size=batch_size))
    size = DATASET.size(split)
    assert [n for batch in batches for n in batch] == list(range(size))
    assert len(batches) == -(-size // batch_size)


class Drawn(Numbered):
    """Keeps bytes; training replaces the upper two pixels by random numbers."""

    draws_per_image = 2

    def load(self):
        return {
            split: Split(images.astype(np.uint8), labels)
            for split, (images, labels) in super().load().items()
        }

    def preprocess(self, images):
        return tf.cast(images, tf.float32) - 100

    def augment(self, images, draws):
        lower = self.preprocess(images)[:, 1:]
        return tf.concat([draws[:, None, :, None], lower], axis=1)


def draws_by_number(*, batch_size, steps, epochs=1):
    """The draws that each image met, by the place of the epoch and its number."""
    batches = Drawn().training_batches(
        batch_size=batch_size, steps=steps, seed=3, epochs=range(epochs)
    )
    return {
        (place // steps, image[1, 0, 0]): tuple(image[0, :, 0])
        for place, (images, _) in enumerate(batches.as_numpy_iterator())
        for image in images
    }


def test_draws_are_uniform_and_differ_between_images_and_epochs():
    values = np.array(list(draws_by_number(batch_size=23, steps=1, epochs=20).values()))
    assert values.shape == (20 * 23, 2)
    assert len(np.unique(values)) == values.size
    assert values.min() >= 0 and values.max() < 1
    # mean of 920 numbers with deviation sqrt(1/12): four times its own deviation
    assert values.mean() == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / values.size))


def test_draws_depend_on_the_place_in_the_epoch_not_on_the_batch():
    whole = draws_by_number(batch_size=23, steps=1, epochs=2)
    parts = draws_by_number(batch_size=4, steps=5, epochs=2)
    assert len(parts) == 2 * 20
    assert parts == {number: whole[number] for number in parts}


def test_evaluation_preprocesses_and_does_not_augment():
    expected = numbered_split(7).images - 100
    ((images, _),) = Drawn().evaluation_batches("test", batch_size=7)
    np.testing.assert_array_equal(images, expected)
    np.testing.assert_array_equal(Drawn().arrays("test").images, expected)


def test_images_are_loaded_once():
    class CountsLoads(Numbered):
        loads = 0

        def load(self):
            self.loads += 1
            return super().load()

    dataset = CountsLoads()
    assert dataset.loads == 0
    dataset.size("train")
    dataset.arrays("test")
    list(dataset.evaluation_batches("validation", batch_size=2))
    assert dataset.loads == 1
