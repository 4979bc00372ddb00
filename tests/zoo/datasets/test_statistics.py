import numpy as np
import pytest

from zoo.datasets.statistics import CHANNEL_STATISTICS, channel_statistics

PUBLISHED = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
}


def test_published_figures():
    figures = dict(CHANNEL_STATISTICS)
    del figures["digit_scenes"]  # measured; compared with its images in their test
    assert figures == PUBLISHED


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("shape", [(2, 3, 3), (4, 2, 3, 3)])
def test_normalisation(name, shape):
    pixels = np.random.default_rng(0).random(shape, np.float32)
    mean, deviation = PUBLISHED[name]
    result = channel_statistics(name).normalise(pixels)
    # float32
    np.testing.assert_allclose(result, (pixels - mean) / deviation, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["mnist", ""])
def test_unknown_statistics(name):
    known = r"\['cifar10', 'digit_scenes', 'imagenet'\]"
    message = f"Expected `statistics` out of {known}, got '{name}'"
    with pytest.raises(ValueError, match=message):
        channel_statistics(name)
