import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from zoo.models import published_choices
from zoo.models.torch_initializers import default_kernel

NAMES = irnet.methods.names()
IR2NET = irnet.methods.get("ir2net")
RECU = [irnet.methods.get("recu"), irnet.methods.get("recu").with_estimator(b_star=1.0)]
OTHERS = [irnet.methods.get(name) for name in NAMES if name != "recu"]


@pytest.mark.parametrize("name", NAMES)
def test_one_shortcut_for_two_convolutions_where_only_weights_are_binary(name):
    method = irnet.methods.get(name)
    expected = "normal" if name == "irnet_w1a32" else "bi_real"
    assert published_choices.default_block(method) == expected


def test_default_shortcuts():
    assert {published_choices.default_shortcut(one) for one in RECU} == {"average_pool"}
    assert {published_choices.default_shortcut(one) for one in OTHERS} == {"strided"}


def test_only_ir2net_recovers_information_unless_told_otherwise():
    assert published_choices.default_recovery(IR2NET, "D") == "D"
    others = [one for one in [*RECU, *OTHERS] if one is not IR2NET]
    assert {published_choices.default_recovery(one, "D") for one in others} == {"none"}


def test_default_releases():
    assert published_choices.default_release(IR2NET) == 2022
    others = [one for one in [*RECU, *OTHERS] if one is not IR2NET]
    assert {published_choices.default_release(one) for one in others} == {2020}


def test_ir2nets_classifiers_start_from_kaiming_and_recus_from_the_default():
    def of_irnet() -> tf.keras.initializers.Initializer:
        return tf.keras.initializers.Constant(7.0)

    def scale(method):
        made = published_choices.classifier_initializer(method, of_irnet)
        return getattr(made, "scale", None), getattr(made, "value", None)

    assert scale(IR2NET) == (2.0, None)
    assert scale(RECU[0])[0] == pytest.approx(1 / 3)
    assert scale(irnet.methods.get("irnet")) == (None, 7.0)


def test_only_recus_classifier_starts_from_pytorchs_default():
    assert all(published_choices.has_default_classifier(one) for one in RECU)
    assert not any(published_choices.has_default_classifier(one) for one in OTHERS)


@pytest.mark.parametrize("method", [*RECU, IR2NET])
def test_convolutions_start_from_kaiming(method):
    make = published_choices.conv_initializer(method, default_kernel)
    kernel = make()((3, 3, 64, 128)).numpy()
    deviation = np.sqrt(2 / (9 * 64))  # of the inputs
    # four standard errors of the deviation of 73,728 numbers
    assert kernel.std() == pytest.approx(deviation, rel=4 / np.sqrt(2 * kernel.size))
    assert abs(kernel).max() > 3.5 * deviation  # not truncated
    assert (make()((4, 64)).numpy() != make()((4, 64)).numpy()).any()  # fresh


@pytest.mark.parametrize("method", [one for one in OTHERS if one is not IR2NET])
def test_other_convolutions_start_as_in_irnet(method):
    def of_irnet() -> tf.keras.initializers.Initializer:
        raise NotImplementedError

    assert published_choices.conv_initializer(method, of_irnet) is of_irnet
