"""The augmentation of CIFAR images: pad, crop, flip; a whole batch at once."""

import tensorflow as tf

__all__ = ["CROP_AND_FLIP_DRAWS", "crop_and_flip"]

CROP_AND_FLIP_DRAWS = 3  # of the row, of the column, of the flip


def crop_and_flip(
    images: tf.Tensor, draws: tf.Tensor, *, padding: int = 4
) -> tf.Tensor:
    """Shifts each image by up to `padding` pixels, fills with zeros, flips every other.

    All shifts are equally likely, and each image is mirrored with a chance of one half.

    # Arguments
        images: [N, H, W, C].
        draws: Numbers in [0, 1), float32 [N, 3], that decide on each image.
        padding: Width of the black frame that the crop is taken out of.

    # Returns
        Images of the same size and type.

    # Example
        >>> image = tf.reshape(tf.range(1, 5), (1, 2, 2, 1))
        >>> still, flipped = [0.5, 0.5, 0.9], [0.5, 0.5, 0.1]
        >>> crop_and_flip(image, tf.constant([still]), padding=1)[0, ..., 0].numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
        >>> crop_and_flip(image, tf.constant([flipped]), padding=1)[0, ..., 0].numpy()
        array([[2, 1],
               [4, 3]], dtype=int32)
    """
    count, (height, width, channels) = tf.shape(images)[0], images.shape[1:]
    frame = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    padded = tf.pad(images, frame)

    offsets = tf.cast(draws[:, :2] * (2 * padding + 1), tf.int32)  # rounds down
    is_flipped = draws[:, 2:] < 0.5
    rows = offsets[:, :1] + tf.range(height)  # [N, H]
    columns = tf.where(is_flipped, tf.range(width)[::-1], tf.range(width))
    columns += offsets[:, 1:]  # [N, W]

    rows += tf.range(count)[:, None] * (height + 2 * padding)  # as if stacked
    pixels = rows[:, :, None] * (width + 2 * padding) + columns[:, None, :]
    return tf.gather(tf.reshape(padded, (-1, channels)), pixels)
