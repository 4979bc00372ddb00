"""Means and deviations of the colour channels, which images are normalised with.

Those of CIFAR-10 and ImageNet are the published ones. Those of the scenes of digits
were printed by

    python -c "
    from zoo.datasets import DigitScenes
    pixels = DigitScenes().load()['train'].images / 255
    print(pixels.mean((0, 1, 2)).round(4), pixels.std((0, 1, 2)).round(4))"
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

__all__ = ["CHANNEL_STATISTICS", "ChannelStatistics", "channel_statistics"]


class ChannelStatistics(NamedTuple):
    """Mean and deviation of red, green and blue, of pixels in [0, 1]."""

    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]

    def normalise(self, pixels: tf.Tensor) -> tf.Tensor:
        """Subtracts the mean and divides by the deviation.

        # Arguments
            pixels: Float32 [..., H, W, 3], in [0, 1].
        """
        # whole images as constants: broadcasting over three channels is slow
        mean, deviation = (
            np.broadcast_to(np.array(values, np.float32), pixels.shape[-3:])
            for values in self
        )
        return (pixels - mean) / deviation


CHANNEL_STATISTICS = {
    "cifar10": ChannelStatistics((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
    "digit_scenes": ChannelStatistics(
        (0.4994, 0.5008, 0.5004), (0.2016, 0.1911, 0.2092)
    ),
    "imagenet": ChannelStatistics((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


def channel_statistics(name: str) -> ChannelStatistics:
    """Looks statistics up.

    # Raises
        ValueError: if there are none of this name.

    # Example
        >>> channel_statistics("imagenet").mean
        (0.485, 0.456, 0.406)
    """
    if name not in CHANNEL_STATISTICS:
        raise ValueError(
            f"Expected `statistics` out of {sorted(CHANNEL_STATISTICS)}, got {name!r}."
        )
    return CHANNEL_STATISTICS[name]
