"""Makes operations.json and operations.safetensors: every operation with its uncommon numbers, run by ONNX Runtime.

Run in this folder with numpy, onnx and onnxruntime: python3 make_operations.py
"""
import json
import struct

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

CHANNELS, EXTENT = 4, (5, 6, 7)
generator = np.random.default_rng(21)
image = np.float32(generator.normal(0, 2, [1, CHANNELS, *EXTENT]))


def weights(*shape):
    return np.float32(generator.normal(0, 0.5, shape))


def run(nodes, tensors):
    """The output "y" of nodes that read "x"."""
    graph = helper.make_graph(
        nodes, "operation", [helper.make_tensor_value_info("x", TensorProto.FLOAT, image.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [helper.make_tensor(name, TensorProto.FLOAT, value.shape, value.ravel()) for name, value in tensors.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": image})[0]


layers, heads, out = [], [], {"input": image}


def add(name, kind, nodes, fields, **tensors):
    """One layer on the image, and its output by the nodes; tensors are named as the layer's."""
    layers.append({"name": name, "kind": kind, "input": "input", **fields})
    heads.append({"name": name, "layer": name})
    out.update({f"{name}.{part}": value for part, value in tensors.items()})
    out["scores/" + name] = run(nodes, {part: value.reshape(-1, 1, 1, 1) if kind == "parametricReLU" else value
                                        for part, value in tensors.items()})


def convolution(name, kernel, fields, groups=1, kind="convolution", **attributes):
    operator = "Conv" if kind == "convolution" else "ConvTranspose"
    node = helper.make_node(operator, ["x", "weight", "bias"], ["y"], group=groups, **attributes)
    add(name, kind, [node], {"kernel": kernel, "outputChannels": CHANNELS, "groups": groups, **fields},
        weight=weights(CHANNELS, CHANNELS // groups, *kernel), bias=weights(CHANNELS))


def pooling(name, operator, fields, **attributes):
    kind = {"MaxPool": "maxPooling", "AveragePool": "averagePooling"}[operator]
    add(name, kind, [helper.make_node(operator, ["x"], ["y"], **attributes)], fields)


def activation(name, kind, operator, fields, **attributes):
    add(name, kind, [helper.make_node(operator, ["x"], ["y"], **attributes)], fields)


convolution("depthwise", [3, 3, 3], {"padding": 1}, groups=4, pads=[1] * 6)
convolution("uneven", [3, 2, 4], {"padding": [0, 1, 2, 2, 0, 1], "stride": [1, 2, 1], "dilation": [1, 2, 1]}, groups=2,
            pads=[0, 1, 2, 2, 0, 1], strides=[1, 2, 1], dilations=[1, 2, 1])
convolution("sameUpper", [3, 4, 5], {"padding": "sameUpper", "stride": 2}, auto_pad="SAME_UPPER", strides=[2] * 3)
convolution("sameLower", [2, 4, 5], {"padding": "sameLower", "stride": [1, 2, 3]}, auto_pad="SAME_LOWER",
            strides=[1, 2, 3])
convolution("planar", [1, 3, 3], {"kernel": [3, 3], "padding": 1}, pads=[0, 1, 1] * 2)
convolution("up", [5, 4, 6], {"padding": [1, 0, 2, 0, 1, 1], "outputPadding": [2, 0, 1], "stride": [3, 1, 2],
                              "dilation": [1, 2, 1]}, groups=2, kind="transposedConvolution",
            pads=[1, 0, 2, 0, 1, 1], output_padding=[2, 0, 1], strides=[3, 1, 2], dilations=[1, 2, 1])
convolution("depthwiseUp", [4, 4, 4], {"padding": 1}, groups=4, kind="transposedConvolution", pads=[1] * 6,
            strides=[2] * 3)
pooling("maxima", "MaxPool", {"kernel": [3, 2, 3], "stride": [2, 1, 2], "padding": [1, 0, 1, 1, 1, 0], "roundsUp": True},
        kernel_shape=[3, 2, 3], strides=[2, 1, 2], pads=[1, 0, 1, 1, 1, 0], ceil_mode=1)
pooling("maximaSame", "MaxPool", {"kernel": 3, "stride": 2, "padding": "sameUpper"}, kernel_shape=[3] * 3,
        strides=[2] * 3, auto_pad="SAME_UPPER")
pooling("means", "AveragePool", {"kernel": [3, 2, 4], "stride": [2, 3, 1], "padding": 1}, kernel_shape=[3, 2, 4],
        strides=[2, 3, 1], pads=[1] * 6, count_include_pad=1)
pooling("meansUp", "AveragePool", {"kernel": 2, "stride": 2, "roundsUp": True}, kernel_shape=[2] * 3, strides=[2] * 3,
        ceil_mode=1, count_include_pad=1)
pooling("meansInside", "AveragePool", {"kernel": [3, 2, 4], "stride": [2, 3, 1], "padding": 1, "countsPadding": False},
        kernel_shape=[3, 2, 4], strides=[2, 3, 1], pads=[1] * 6)
activation("leakyReLU", "leakyReLU", "LeakyRelu", {"slope": 0.125}, alpha=0.125)
add("parametricReLU", "parametricReLU", [helper.make_node("PRelu", ["x", "weight"], ["y"])], {}, weight=weights(CHANNELS))
activation("elu", "elu", "Elu", {"alpha": 1.5}, alpha=1.5)
activation("gelu", "gelu", "Gelu", {})
activation("geluTanh", "gelu", "Gelu", {"approximation": "tanh"}, approximate="tanh")
add("silu", "silu", [helper.make_node("Sigmoid", ["x"], ["s"]), helper.make_node("Mul", ["x", "s"], ["y"])], {})
activation("sigmoid", "sigmoid", "Sigmoid", {})
activation("tanh", "tanh", "Tanh", {})
layers.append({"name": "clip", "kind": "clip", "input": "input", "lower": -0.5, "upper": 1.5})
heads.append({"name": "clip", "layer": "clip"})
out["scores/clip"] = run([helper.make_node("Clip", ["x", "lower", "upper"], ["y"])],
                         {"lower": np.float32(-0.5).reshape(()), "upper": np.float32(1.5).reshape(())})
activation("softplus", "softplus", "Softplus", {})

with open("operations.json", "w") as file:
    lines = ",\n".join("  " + json.dumps(layer) for layer in layers)
    file.write('{"inputChannels": %d,\n "layers": [\n%s],\n "heads": [\n%s]}\n'
               % (CHANNELS, lines, ",\n".join("  " + json.dumps(head) for head in heads)))
header, offset = {"__metadata__": {"made by": f"ONNX Runtime {onnxruntime.__version__}"}}, 0
for key, value in out.items():
    header[key] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [offset, offset + 4 * value.size]}
    offset += 4 * value.size
text = json.dumps(header).encode()
with open("operations.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text)
    for value in out.values():
        file.write(np.ascontiguousarray(value, "<f4").tobytes())
