package org.larq.irnet.sample

/**
 * What an image was normalised with when the model was trained, by channel, for
 * brightness in [0, 1]. Every model has its own: `zoo.datasets` tells those of a recipe.
 */
class Normalization(private val mean: FloatArray, private val deviation: FloatArray) {
    init {
        require(mean.size == deviation.size) {
            "Expected as many deviations as means (${mean.size}), got ${deviation.size}."
        }
    }

    /** How many channels an image has: 3, or 1 for grey ones. */
    val channels: Int get() = mean.size

    /** The number that the model sees for a brightness in 0..255. */
    fun apply(brightness: Int, channel: Int): Float =
        (brightness / WHITE - mean[channel]) / deviation[channel]

    companion object {
        private const val WHITE = 255f

        /** Of the recipes for ImageNet, and of some for CIFAR-10. */
        val IMAGENET = Normalization(
            floatArrayOf(0.485f, 0.456f, 0.406f),
            floatArrayOf(0.229f, 0.224f, 0.225f),
        )

        /** Of the other recipes for CIFAR-10. */
        val CIFAR10 = Normalization(
            floatArrayOf(0.4914f, 0.4822f, 0.4465f),
            floatArrayOf(0.2023f, 0.1994f, 0.2010f),
        )
    }
}
