package org.larq.irnet.sample

import android.app.Activity
import android.graphics.BitmapFactory
import android.os.Bundle
import android.widget.TextView
import java.util.Locale
import kotlin.concurrent.thread

private const val MODEL = "model.tflite"
private const val IMAGE = "image.png"
private const val LABELS = "labels.txt"
private const val WARM_UP_RUNS = 5
private const val RUNS = 50

/** Classifies one image of the assets, and shows its class and the milliseconds. */
class MainActivity : Activity() {
    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        val text = TextView(this).apply {
            textSize = 20f
            setPadding(48, 48, 48, 48)
            text = "running …"
        }
        setContentView(text)
        thread {
            val result = try {
                describe()
            } catch (error: Exception) {
                "error: ${error.message}"
            }
            runOnUiThread { text.text = result }
        }
    }

    private fun describe(): String {
        val labels = assets.open(LABELS).bufferedReader().use { it.readLines() }
        val image = assets.open(IMAGE).use { BitmapFactory.decodeStream(it) }
            ?: return "error: expected an image in $IMAGE"
        return Classifier(assets, MODEL, Normalization.CIFAR10).use { classifier ->
            repeat(WARM_UP_RUNS) { classifier.classify(image) }
            val predictions = List(RUNS) { classifier.classify(image) }
            val times = predictions.map { it.milliseconds }.sorted()
            val top = predictions.last()
            val name = labels.getOrElse(top.index) { "class ${top.index}" }
            String.format(
                Locale.ROOT,
                "%s\n%.1f %%\n\n%.2f ms (median of %d runs, one thread)",
                name,
                100 * top.probability,
                times[times.size / 2],
                RUNS,
            )
        }
    }
}
