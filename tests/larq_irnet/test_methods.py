import dataclasses

import larq as lq
import pytest

from larq_irnet import methods
from larq_irnet.constraints import BalancedStandardized
from larq_irnet.quantizers import EDESign, LibraPB, NormalizedApproxSign, ReCU


def test_names_are_sorted_and_found():
    assert methods.names() == sorted(methods.names())
    known = {"float", "ste_sign", "irnet", "irnet_w1a32", "recu"}
    assert known <= set(methods.names())
    assert [methods.get(name).name for name in methods.names()] == methods.names()


def test_method_passes_through():
    method = methods.Method(name="mine", title="Mine")
    assert methods.get(method) is method


@pytest.mark.parametrize("name", ["irnett", "", "IRNet"])
def test_unknown_name_lists_the_known_ones(name):
    message = rf"Expected a method out of \['approx_sign', .*\], got {name!r}"
    with pytest.raises(ValueError, match=message):
        methods.get(name)


def test_methods_are_values():
    with pytest.raises(dataclasses.FrozenInstanceError):
        methods.get("irnet").kernel_quantizer = "ste_sign"  # type: ignore[misc]
    assert methods.get("irnet") == dataclasses.replace(methods.get("irnet"))


@pytest.mark.parametrize("name", methods.names())
def test_every_method_makes_fresh_objects_and_cites_its_paper(name):
    method = methods.get(name)
    for make, alias in (
        (method.make_input_quantizer, method.input_quantizer),
        (method.make_kernel_quantizer, method.kernel_quantizer),
        (method.make_kernel_constraint, method.kernel_constraint),
    ):
        assert (make() is None) == (alias is None)
        assert alias is None or make() is not make()
    is_binary = method.kernel_quantizer is not None
    assert method.reference.startswith("https://") == is_binary
    assert method.title


def test_irnet():
    method = methods.get("irnet")
    assert type(method.make_input_quantizer()) is EDESign
    assert type(method.make_kernel_quantizer()) is LibraPB
    assert method.make_kernel_constraint() is None
    assert methods.get("irnet_w1a32").make_input_quantizer() is None


def test_recu():
    method = methods.get("recu")
    assert type(method.make_input_quantizer()) is NormalizedApproxSign
    assert type(method.make_kernel_quantizer()) is ReCU
    assert method.make_kernel_quantizer((-2,)).filter_axes == (-2,)
    assert method.make_kernel_constraint() is None
    assert not method.is_weight_only


def test_networks_of_recu_alone_scale_their_channels():
    scaled = [name for name in methods.names() if methods.get(name).channel_scale]
    assert scaled == ["recu"]


def test_filter_axes_reach_quantizer_and_constraint():
    method = methods.Method(
        name="mine",
        title="Mine",
        kernel_quantizer="libra_pb",
        kernel_constraint="balanced_standardized",
    )
    assert method.make_kernel_quantizer((-2,)).filter_axes == (-2,)
    constraint = method.make_kernel_constraint((-2, -1))
    assert type(constraint) is BalancedStandardized
    assert constraint.filter_axes == (-2, -1)


def test_filter_axes_are_ignored_where_nothing_works_filter_by_filter():
    method = methods.get("ste_sign")
    assert type(method.make_kernel_quantizer((-2,))) is lq.quantizers.SteSign
    constraint = method.make_kernel_constraint((-2,))
    assert isinstance(constraint, lq.constraints.WeightClip)


@pytest.mark.parametrize("name", methods.names())
def test_real_weights(name):
    method = methods.get(name)
    first_stage = method.with_real_weights()
    assert first_stage.make_kernel_quantizer() is None
    assert first_stage.make_kernel_constraint() is None
    assert not first_stage.is_weight_only
    # all else is the method's, so that weights go from one stage to the other
    assert first_stage == dataclasses.replace(
        method, kernel_quantizer=None, kernel_constraint=None
    )


def test_constants_of_the_kernel_do_not_disturb_real_weights():
    method = methods.get("recu").with_estimator(tau_min=0.9).with_real_weights()
    assert method.estimator == {"tau_min": 0.9}
    assert method.make_input_quantizer() is not None


def test_weight_only_methods():
    found = [name for name in methods.names() if methods.get(name).is_weight_only]
    assert found == ["irnet_w1a32"]


def test_constants_reach_the_quantizers_that_have_them():
    method = methods.get("irnet").with_estimator(t_min=1e-3, t_max=20)
    for quantizer in method.make_input_quantizer(), method.make_kernel_quantizer():
        assert (quantizer.t_min, quantizer.t_max) == (1e-3, 20)
    clipped = methods.get("approx_sign").with_estimator(clip_value=1.5)
    assert clipped.make_kernel_quantizer().get_config()["clip_value"] == 1.5
    assert "clip_value" not in clipped.make_input_quantizer().get_config()


def test_constants_of_recu_reach_its_kernel_quantizer():
    method = methods.get("recu").with_estimator(tau_min=0.8, b_star=1.0)
    quantizer = method.make_kernel_quantizer()
    assert (quantizer.tau_min, quantizer.tau_max, quantizer.b_star) == (0.8, 0.99, 1.0)
    config = method.make_input_quantizer().get_config()
    assert "tau_min" not in config and "b_star" not in config
    assert method.channel_scale


@pytest.mark.parametrize(
    "constants, message",
    [
        ({"tau_min": 0.4}, "Expected 0.5 <= `tau_min` <= `tau_max` <= 1, got"),
        ({"b_star": 0.0}, "Expected 0 < `b_star` < infinity, got 0.0"),
    ],
)
def test_bad_constants_of_recu_are_refused_by_its_quantizer(constants, message):
    method = methods.get("recu").with_estimator(**constants)
    with pytest.raises(ValueError, match=message):
        method.make_kernel_quantizer()


def test_switches_of_recu_reach_its_quantizer():
    method = methods.get("recu").with_estimator(centered=False, analytic_scale=True)
    quantizer = method.make_kernel_quantizer()
    assert (quantizer.centered, quantizer.analytic_scale) == (False, True)


def test_a_method_with_other_constants_is_another_value():
    irnet = methods.get("irnet")
    changed = irnet.with_estimator(t_min=1e-3)
    assert irnet.estimator == {}
    assert changed != irnet
    assert changed.with_estimator(t_max=20).estimator == {"t_min": 1e-3, "t_max": 20}
    assert changed.with_estimator(t_min=0.5).estimator == {"t_min": 0.5}
    assert irnet.with_estimator() == irnet
    assert methods.get(changed) is changed


@pytest.mark.parametrize(
    "name, constant, known",
    [
        ("irnet", "t_mid", r"\['t_max', 't_min'\]"),
        ("irnet", "filter_axes", r"\['t_max', 't_min'\]"),
        ("ste_sign", "t_min", r"\['clip_value'\]"),
        (
            "recu",
            "t_min",
            r"\['analytic_scale', 'b_star', 'centered', 'tau_max', 'tau_min'\]",
        ),
        ("float", "t_min", r"\[\]"),
    ],
)
def test_constants_that_no_quantizer_has(name, constant, known):
    message = rf"Expected constants of '{name}' out of {known}, got \['{constant}'\]"
    with pytest.raises(ValueError, match=message):
        methods.get(name).with_estimator(**{constant: 1.0})
