"""A .tflite put together by hand: y = x + constant, z = y + constant."""

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils


def tensor(name, buffer=0, shape=(1, 4)):
    one = schema.TensorT()
    one.name, one.buffer, one.shape = name, buffer, list(shape)
    one.type = schema.TensorType.FLOAT32
    return one


def named(name, index):
    one = schema.TensorMapT()
    one.name, one.tensorIndex = name, index
    return one


def operator(inputs, outputs):
    one = schema.OperatorT()
    one.opcodeIndex, one.inputs, one.outputs = 0, list(inputs), list(outputs)
    one.builtinOptionsType = schema.BuiltinOptions.AddOptions
    one.builtinOptions = schema.AddOptionsT()
    return one


def tiny_model() -> schema.ModelT:
    model = schema.ModelT()
    model.version = 3
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.ADD
    code.version = 1
    model.operatorCodes = [code]
    constant = schema.BufferT()
    constant.data = np.arange(4, dtype=np.float32).view(np.uint8)
    model.buffers = [schema.BufferT(), constant]
    graph = schema.SubGraphT()
    graph.tensors = [tensor("x"), tensor("c", buffer=1), tensor("y"), tensor("z")]
    graph.inputs, graph.outputs = [0], [3]
    graph.operators = [operator([0, 1], [2]), operator([2, 1], [3])]
    model.subgraphs = [graph]
    signature = schema.SignatureDefT()
    signature.inputs, signature.outputs = [named("input_0", 0)], [named("output_0", 3)]
    signature.signatureKey = "serving_default"
    model.signatureDefs = [signature]
    return model


def as_bytes(model: schema.ModelT) -> bytes:
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
