import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from zoo.datasets import SPLITS, Digits

SIZES = {"train": 1197, "validation": 200, "test": 400}


@pytest.fixture(scope="module")
def digits():
    return Digits()


@pytest.fixture(scope="module")
def original():
    pixels, labels = load_digits(return_X_y=True)
    return pixels.astype(int), labels


def raw_images(digits, split):
    """The pixels before normalisation, integers from 0 to 16, one row per image."""
    images = digits.arrays(split).images.reshape(-1, 64).astype(np.float64)
    darkest, brightest = (
        min(digits.arrays(name).images.min() for name in SPLITS),
        max(digits.arrays(name).images.max() for name in SPLITS),
    )
    return np.rint((images - darkest) / (brightest - darkest) * 16).astype(int)


def rows(images, labels):
    return sorted((*image, label) for image, label in zip(images.tolist(), labels))


@pytest.mark.parametrize("split", SPLITS)
def test_sizes_shapes_and_types(digits, split):
    images, labels = digits.arrays(split)
    assert digits.size(split) == SIZES[split]
    assert images.shape == (SIZES[split], *digits.input_shape)
    assert labels.shape == (SIZES[split],)
    assert images.dtype == np.float32
    assert labels.dtype == np.int64
    assert np.isfinite(images).all()


def test_together_they_are_all_images_once(digits, original):
    # equal multisets of the same size: hence disjoint as well
    found = [
        row
        for split in SPLITS
        for row in rows(raw_images(digits, split), digits.arrays(split).labels)
    ]
    assert sorted(found) == rows(*original)


def test_no_image_is_in_two_splits(digits, original):
    pixels, _ = original
    assert len(np.unique(pixels, axis=0)) == len(pixels)  # no twins in the original
    sets = [set(map(tuple, raw_images(digits, split).tolist())) for split in SPLITS]
    assert sum(map(len, sets)) == len(set.union(*sets)) == 1797


@pytest.mark.parametrize("split", SPLITS)
def test_splits_are_stratified(digits, original, split):
    _, labels = original
    share = np.bincount(digits.arrays(split).labels) / SIZES[split]
    expected = np.bincount(labels) / len(labels)
    # a stratified split is off by rounding: at most one image per cut, two cuts
    np.testing.assert_allclose(share, expected, rtol=0, atol=2 / SIZES[split])


def test_normalisation(digits):
    train = digits.arrays("train").images.astype(np.float64)
    # float32 pixels: sums of 76,608 of them are good to some 1e-6
    assert train.mean() == pytest.approx(0.0, abs=1e-5)
    assert train.std() == pytest.approx(1.0, abs=1e-5)


def test_other_splits_are_normalised_by_the_training_images(digits, original):
    train = raw_images(digits, "train") / 16.0
    for split in "validation", "test":
        images = digits.arrays(split).images.reshape(-1, 64)
        expected = (raw_images(digits, split) / 16.0 - train.mean()) / train.std()
        # float32 against float64
        np.testing.assert_allclose(images, expected, rtol=0, atol=1e-5)


def test_two_loads_are_equal(digits):
    for split in SPLITS:
        ours, theirs = digits.arrays(split), Digits().arrays(split)
        np.testing.assert_array_equal(ours.images, theirs.images)
        np.testing.assert_array_equal(ours.labels, theirs.labels)


@pytest.mark.parametrize("statistics", ["imagenet", "cifar10", ""])
def test_there_are_no_other_statistics(statistics):
    message = f"Expected `statistics` of digits to be None, .* got '{statistics}'"
    with pytest.raises(ValueError, match=message):
        Digits(statistics=statistics)


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"pip install 'larq-irnet\[zoo\]'"):
        Digits().check_prepared()
