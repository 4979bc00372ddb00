import numpy as np
import pytest
import tensorflow as tf

from larq_irnet.callbacks import RestrictionMonitor, RestrictionSnapshot
from larq_irnet.restriction import RestrictedTraining, attention_map, attention_mask

IMAGES = np.random.default_rng(0).normal(size=(6, 8, 8, 2)).astype(np.float32)
LABELS = np.arange(6) % 3


def network():
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, strides=2, name="features"),
            layers.BatchNormalization(name="bn"),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )


def restricted(**options):
    model = RestrictedTraining(network(), "bn", threshold=0.8, **options)
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    return model


def fit(model, length=3, **options):
    snapshots: list[RestrictionSnapshot] = []
    monitor = RestrictionMonitor(IMAGES[:4], on_snapshot=snapshots.append, **options)
    model.fit(IMAGES, LABELS, epochs=length, callbacks=[monitor], verbose=0)
    return snapshots


@pytest.mark.parametrize(
    "epochs, expected",
    [(1, [0]), (2, [0, 1]), (4, [0, 1, 2, 3]), (12, [0, 3, 6, 9, 11])],
)
def test_the_first_of_each_quarter_and_the_last(epochs, expected):
    assert [one.epoch for one in fit(restricted(), epochs)] == expected


def test_chosen_epochs():
    assert [one.epoch for one in fit(restricted(), 5, epochs=[1, 4])] == [1, 4]


def test_masks_are_those_of_the_weights_of_that_moment():
    model = restricted()
    *_, last = fit(model)
    features = tf.keras.Model(model.network.input, model.network.get_layer("bn").output)
    values = features(IMAGES[:4], training=False)
    np.testing.assert_allclose(last.attention, attention_map(values, (8, 8)), rtol=1e-5)
    expected = attention_mask(values, (8, 8), threshold=0.8)[..., 0]
    np.testing.assert_array_equal(last.kept, expected)
    assert 0 < last.kept.mean() < 1


def test_masks_have_the_orientation_of_the_images():
    def turned(x):
        return tf.reverse(x, axis=[1, 2])

    plain, other = restricted(), restricted(orient=turned)
    other.set_weights(plain.get_weights())
    for ours, theirs in zip(other.attend(IMAGES), plain.attend(IMAGES)):
        np.testing.assert_array_equal(ours, np.asarray(theirs)[:, ::-1, ::-1])


def test_watching_changes_nothing():
    tf.keras.utils.set_random_seed(3)
    watched, plain = restricted(), restricted()
    plain.set_weights(watched.get_weights())
    fit(watched)
    plain.fit(IMAGES, LABELS, epochs=3, verbose=0)
    for ours, theirs in zip(watched.get_weights(), plain.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


def test_a_model_without_masks():
    model = network()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="Expected a RestrictedTraining .* Sequential"):
        fit(model)


def test_images_of_another_rank():
    with pytest.raises(ValueError, match=r"\[N, H, W, C\], got the shape \(8, 8, 2\)"):
        RestrictionMonitor(IMAGES[0], on_snapshot=print)
