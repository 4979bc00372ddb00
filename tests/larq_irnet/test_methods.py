import dataclasses

import larq as lq
import pytest

from larq_irnet import methods
from larq_irnet.constraints import BalancedStandardized
from larq_irnet.quantizers import EDESign, LibraPB


def test_names_are_sorted_and_found():
    assert methods.names() == sorted(methods.names())
    assert {"float", "ste_sign", "irnet", "irnet_w1a32"} <= set(methods.names())
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
