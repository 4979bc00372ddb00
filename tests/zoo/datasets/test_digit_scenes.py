import hashlib
import subprocess
import sys

import numpy as np
import pytest

from zoo import datasets
from zoo.datasets import SPLITS, DigitScenes, Split
from zoo.datasets.digits import digit_splits
from zoo.datasets.scene_composition import compose_scenes
from zoo.train_config import TrainConfig


@pytest.fixture(scope="module")
def scenes():
    return datasets.get("digit_scenes")  # made once for all tests


def compose(count=60, seed=(1, 2), split="validation"):
    return compose_scenes(digit_splits()[split], count, seed)


def digest(scenes):
    return hashlib.sha256(scenes.images.tobytes() + scenes.labels.tobytes()).hexdigest()


# of 60 scenes; the data set is the same on every machine, for good
DIGEST = "4c63c160f031bf74a4c0687273d8c487f1125738b0b65ac9e8f20bb301459d0b"


def test_the_scenes_are_these():
    assert digest(compose()) == DIGEST


def test_the_same_in_another_process_with_other_threads():
    code = (
        "from tests.zoo.datasets.test_digit_scenes import compose, digest;"
        "print(digest(compose()))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"OMP_NUM_THREADS": "1", "PYTHONPATH": ":".join(sys.path)},
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.split()[-1] == DIGEST


def test_seeds_differ():
    assert digest(compose()) != digest(compose(seed=(1, 3)))


def test_sizes_shapes_and_types(scenes):
    for split, size in zip(SPLITS, (10_000, 2_000, 4_000), strict=True):
        images, labels = scenes.arrays(split)
        assert scenes.size(split) == size
        assert images.shape == (size, 32, 32, 3)
        assert labels.shape == (size,)
    assert compose().images.dtype == np.uint8


def test_sizes_are_known_without_making_a_scene(monkeypatch):
    monkeypatch.setattr(DigitScenes, "load", None)
    config = TrainConfig(
        network="ResNet20",
        method="irnet",
        dataset="digit_scenes",
        epochs=1,
        batch_size=128,
        optimizer="adam",
        learning_rate=0.01,
    )
    assert config.steps == 78
    assert config.shrunk().dataset == "digit_scenes"


def test_the_digits_of_a_split_are_those_of_the_digits(monkeypatch):
    """No digit is in the scenes of two splits."""
    given = []

    def record(digits, count, seed):
        given.append(digits)
        return compose_scenes(digits, 10, seed)

    monkeypatch.setattr("zoo.datasets.digit_scenes.compose_scenes", record)
    DigitScenes().load()
    sets = [{image.tobytes() for image in digits.images} for digits in given]
    assert [len(images) for images in sets] == [1197, 200, 400]
    assert len(set.union(*sets)) == 1797
    digits = datasets.get("digits")
    for split, found in zip(SPLITS, given, strict=True):
        np.testing.assert_array_equal(found.labels, digits.arrays(split).labels)


def test_every_digit_is_used_equally_often():
    inks = np.zeros((7, 8, 8, 1), np.float32)
    scenes = compose_scenes(Split(inks, np.arange(7)), 30, seed=[0])
    counts = np.bincount(scenes.labels)
    assert set(counts) == {4, 5}
    assert scenes.labels.tolist() != sorted(scenes.labels)


def test_statistics_are_those_of_the_training_scenes(scenes):
    train = scenes.arrays("train").images.astype(np.float64)
    # constants of four digits over deviations of 0.2
    np.testing.assert_allclose(train.mean((0, 1, 2)), 0, atol=5e-4)
    np.testing.assert_allclose(train.std((0, 1, 2)), 1, atol=5e-4)


def test_labels_are_balanced_like_the_digits(scenes):
    for split, digits in digit_splits().items():
        share = np.bincount(scenes.arrays(split).labels) / scenes.size(split)
        expected = np.bincount(digits.labels) / len(digits.labels)
        # each digit once more or less
        np.testing.assert_allclose(share, expected, atol=0.01)


def test_the_digit_stands_out():
    """The scene differs from the one without its digit, all else being equal."""
    digits = digit_splits()["validation"]
    blank = Split(digits.images * 0, digits.labels)
    with_digit = compose_scenes(digits, 40, seed=[5]).images.astype(int)
    without = compose_scenes(blank, 40, seed=[5]).images.astype(int)
    luminance = np.abs((with_digit - without) @ [0.299, 0.587, 0.114])
    # clutter is blank as well there; contrast is 0.25 of 255 at least
    assert ((luminance > 40).mean((1, 2)) > 0.03).all()


def batch(**options):
    dataset = DigitScenes(**options)
    digits = digit_splits()["train"]
    dataset.load = lambda: {  # type: ignore[method-assign]
        "train": compose_scenes(digits, 8, seed=[0])
    }
    (images, _), *_ = dataset.training_batches(
        batch_size=8, steps=1, seed=0, epochs=range(1)
    )
    return images.numpy(), dataset.arrays("train").images


def shifted(image, down, right):
    """A normalised image, moved, with black where nothing is."""
    black = DigitScenes().preprocess(np.zeros((32, 32, 3), np.uint8))
    moved = np.array(black)
    rows = slice(max(down, 0), 32 + min(down, 0))
    columns = slice(max(right, 0), 32 + min(right, 0))
    from_rows = slice(max(-down, 0), 32 + min(-down, 0))
    from_columns = slice(max(-right, 0), 32 + min(-right, 0))
    moved[rows, columns] = image[from_rows, from_columns]
    return moved


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_training_images_are_shifted(shift):
    found, originals = batch(shift=shift)
    steps = range(-shift, shift + 1)
    candidates = np.stack(
        [[shifted(one, d, r) for d in steps for r in steps] for one in originals]
    )  # [8, shifts, H, W, C]
    matches = (found[:, None, None] == candidates[None]).all((-3, -2, -1))
    assert matches.any((1, 2)).all()  # each is one of the images, moved, not mirrored
    assert (len(np.unique(np.argwhere(matches)[:, 2])) > 1) == (shift > 0)


@pytest.mark.parametrize("shift", [-1, 17, 1.5, "2", True])
def test_invalid_shift(shift):
    with pytest.raises(ValueError, match=r"`shift` to be pixels in \[0, 16\], got"):
        DigitScenes(shift=shift)


def test_shift_is_an_augmentation_of_a_run():
    assert datasets.augmentation_options("digit_scenes") == ["shift"]
    dataset = datasets.get("digit_scenes", augmentation={"shift": 0})
    assert dataset is not datasets.get("digit_scenes")
