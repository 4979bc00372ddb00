"""Numbers that lead nowhere are found before anything follows them."""

import numpy as np
import pytest
from tensorflow.lite.python import schema_py_generated as schema

from tests.tflite_export.tiny_flatbuffer import as_bytes, named, operator, tiny_model
from tflite_export import Flatbuffer, FlatbufferError


def test_the_model_is_right():
    content = as_bytes(tiny_model())
    assert [one.name for one in Flatbuffer(content).operators] == ["ADD", "ADD"]


def set_operator(number, inputs, outputs):
    return lambda model: model.subgraphs[0].operators.__setitem__(
        number, operator(inputs, outputs)
    )


def set_fields(find, **fields):
    def change(model):
        for name, value in fields.items():
            setattr(find(model), name, value)

    return change


def set_tensor(index, **fields):
    return set_fields(lambda model: model.subgraphs[0].tensors[index], **fields)


def set_graph(**fields):
    return set_fields(lambda model: model.subgraphs[0], **fields)


def set_model(**fields):
    return set_fields(lambda model: model, **fields)


def set_code(**fields):
    return set_fields(lambda model: model.operatorCodes[0], **fields)


def set_signature(**fields):
    return set_fields(lambda model: model.signatureDefs[0], **fields)


DAMAGE = {
    "no graph": (set_model(subgraphs=[]), "no graph"),
    "no tensors": (set_graph(tensors=None), "tensor 0 of 0"),
    "no contents": (set_model(buffers=None), "content 0 of 0"),
    "no kinds of operators": (set_model(operatorCodes=None), "of kind 0 of 0"),
    "an unknown operator": (
        set_code(builtinCode=9999, deprecatedBuiltinCode=127),
        "unknown code 9999",
    ),
    "a name that is no text": (set_tensor(2, name=b"\xff\xfe"), "not UTF-8"),
    "an operator's name that is no text": (set_code(customCode=b"\xff"), "not UTF-8"),
    "an unknown type": (set_tensor(2, type=99), "unknown type 99"),
    "content out of range": (set_tensor(1, buffer=7), "content 7 of 2"),
    "content of another size": (set_tensor(1, shape=[1, 5]), "has 16 bytes"),
    "a negative size": (set_tensor(2, shape=[1, -4]), r"shape \[1, -4\]"),
    "a huge size": (set_tensor(2, shape=[2**30, 4]), r"shape \[1073741824, 4\]"),
    "an input out of range": (set_graph(inputs=[4]), "begins or ends with tensor 4"),
    "a negative output": (set_graph(outputs=[-1]), "begins or ends with tensor -1"),
    "an output of nothing": (
        set_graph(operators=[operator([0, 1], [2])]),
        "nothing computes the output, tensor 3",
    ),
    "an operator that reads out of range": (
        set_operator(1, [2, 9], [3]),
        "operator 1 reads tensor 9 of 4",
    ),
    "an operator that reads a negative tensor": (
        set_operator(1, [2, -2], [3]),
        "reads tensor -2",
    ),
    "an operator that writes out of range": (
        set_operator(1, [2, 1], [4]),
        "operator 1 writes tensor 4",
    ),
    "an operator that reads what comes later": (
        set_operator(0, [3, 1], [2]),
        "operator 0 reads tensor 3 before it is computed",
    ),
    "an operator that reads itself": (
        set_operator(0, [2, 1], [2]),
        "operator 0 reads tensor 2 before it is computed",
    ),
    "an operator that overwrites a constant": (
        set_operator(0, [0, 1], [1]),
        "computes tensor 1, which is there already",
    ),
    "a signature of no graph": (set_signature(subgraphIndex=5), "of graph 5 of 1"),
    "a signature out of range": (
        set_signature(outputs=[named("output_0", 17)]),
        "names tensor 17 of 4",
    ),
    "a signature that is no text": (
        set_signature(inputs=[named(b"\xc3", 0)]),
        "not UTF-8",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named(damage):
    change, words = DAMAGE[damage]
    model = tiny_model()
    change(model)
    with pytest.raises(FlatbufferError, match=f"Expected a .tflite file.*{words}"):
        Flatbuffer(as_bytes(model))


def test_content_behind_the_end():
    model = tiny_model()
    model.buffers[1].data = None
    model.buffers[1].offset, model.buffers[1].size = 10**6, 16
    with pytest.raises(FlatbufferError, match="content 1 lies behind its end"):
        Flatbuffer(as_bytes(model))


def test_an_absent_input_is_no_damage():
    model = tiny_model()
    set_operator(1, [2, 1, -1], [3])(model)
    _, second = Flatbuffer(as_bytes(model)).operators
    assert [one.index for one in second.inputs] == [2, 1]


def test_variables_and_empty_tensors_are_there_from_the_start():
    model = tiny_model()
    variable, empty = schema.TensorT(), schema.TensorT()
    variable.isVariable, variable.shape = True, [1, 4]
    empty.shape = np.array([0], np.int32)
    model.subgraphs[0].tensors += [variable, empty]
    set_operator(0, [0, 4, 5], [2])(model)
    assert len(Flatbuffer(as_bytes(model)).tensors) == 6


def test_names_need_a_signature():
    model = tiny_model()
    model.signatureDefs = None
    flatbuffer = Flatbuffer(as_bytes(model))
    assert [one.names for one in flatbuffer.inputs] == [("x",)]
    with pytest.raises(FlatbufferError, match="with a signature"):
        flatbuffer.named_outputs()
