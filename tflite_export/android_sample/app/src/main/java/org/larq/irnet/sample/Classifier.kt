package org.larq.irnet.sample

import android.content.res.AssetManager
import android.graphics.Bitmap
import java.io.Closeable
import java.io.FileInputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel
import kotlin.math.exp
import org.tensorflow.lite.Interpreter

/** The most likely class of an image, and how long the model took. */
data class Prediction(val index: Int, val probability: Float, val milliseconds: Double)

/**
 * Runs an exported .tflite, with the pre- and post-processing that it needs.
 *
 * The Interpreter is that of the lce-lite AAR, which knows the binary operators. The
 * Task Library brings an interpreter of its own, which does not.
 */
class Classifier(
    assets: AssetManager,
    model: String,
    private val normalization: Normalization,
    threads: Int = 1,
) : Closeable {
    private val interpreter = Interpreter(
        mapped(assets, model),
        Interpreter.Options().setNumThreads(threads).setUseXNNPACK(false),
    )
    private val height: Int
    private val width: Int
    private val input: ByteBuffer
    private val output: Array<FloatArray>

    init {
        val shape = interpreter.getInputTensor(0).shape() // [1, height, width, channels]
        require(shape.size == 4 && shape[3] == normalization.channels) {
            "Expected a model for images of ${normalization.channels} channels, got " +
                "inputs of shape ${shape.contentToString()}."
        }
        height = shape[1]
        width = shape[2]
        input = ByteBuffer.allocateDirect(4 * height * width * shape[3])
            .order(ByteOrder.nativeOrder())
        val classes = interpreter.getOutputTensor(0).shape().last()
        output = arrayOf(FloatArray(classes))
    }

    /** Classifies an image of any size. */
    fun classify(image: Bitmap): Prediction {
        fill(Bitmap.createScaledBitmap(image, width, height, true))
        val start = System.nanoTime()
        interpreter.run(input, output)
        val milliseconds = (System.nanoTime() - start) / 1e6
        val probabilities = softmax(output[0])
        val best = probabilities.indices.maxByOrNull { probabilities[it] } ?: 0
        return Prediction(best, probabilities[best], milliseconds)
    }

    /** Writes the pixels as the model expects them: rows, then columns, then channels. */
    private fun fill(image: Bitmap) {
        val pixels = IntArray(width * height)
        image.getPixels(pixels, 0, width, 0, 0, width, height)
        input.rewind()
        for (pixel in pixels) {
            for (channel in 0 until normalization.channels) {
                val brightness = if (normalization.channels == 1) {
                    (channelOf(pixel, 0) + channelOf(pixel, 1) + channelOf(pixel, 2)) / 3
                } else {
                    channelOf(pixel, channel)
                }
                input.putFloat(normalization.apply(brightness, channel))
            }
        }
        input.rewind()
    }

    override fun close() = interpreter.close()
}

/** Red, green or blue of an Android colour, 0..255. */
private fun channelOf(pixel: Int, channel: Int): Int = (pixel shr (16 - 8 * channel)) and 0xff

/** The exported networks end in logits. */
internal fun softmax(logits: FloatArray): FloatArray {
    val largest = logits.maxOrNull() ?: 0f
    val powers = FloatArray(logits.size) { exp(logits[it] - largest) }
    val sum = powers.sum()
    return FloatArray(powers.size) { powers[it] / sum }
}

private fun mapped(assets: AssetManager, name: String): ByteBuffer =
    assets.openFd(name).use { descriptor ->
        FileInputStream(descriptor.fileDescriptor).channel.use { channel ->
            channel.map(
                FileChannel.MapMode.READ_ONLY,
                descriptor.startOffset,
                descriptor.declaredLength,
            )
        }
    }
