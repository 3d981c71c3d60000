"""Converts a 3D network of TensorFlow.js, such as brainchop's MeshNets, to ONNX, for `segdeck import`.

  python convert_tfjs.py model.json network.onnx

needs PyPI's onnx and numpy. `model.json` is a layers model (Keras' topology and a manifest of weights, which lie beside it) of Conv3D and
activations in a row, with channels last. A convolution whose name ends in "_gn" is followed by an instance normalisation without
weights, as brainchop runs it. The network has the axes of brainchop's image, x, y, z: `--axes xyz --orientation LIA --spacing 1`.
"""
import json
import pathlib
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

ACTIVATIONS = {"relu": "Relu", "elu": "Elu", "gelu": "Gelu", "sigmoid": "Sigmoid", "tanh": "Tanh"}


def read_weights(path, manifest):
    tensors = {}
    for group in manifest:
        data = b"".join((path.parent / name).read_bytes() for name in group["paths"])
        offset = 0
        for entry in group["weights"]:
            if entry["dtype"] != "float32" or "quantization" in entry:
                raise SystemExit(f"{path}: weight {entry['name']}: found {entry['dtype']}, expected float32")
            count = int(numpy.prod(entry["shape"]))
            tensors[entry["name"]] = numpy.frombuffer(data, "<f4", count, offset).reshape(entry["shape"])
            offset += 4 * count
        if offset != len(data):
            raise SystemExit(f"{path}: {len(data)} bytes of weights, expected {offset}")
    return tensors


def main(source, target):
    path = pathlib.Path(source)
    model = json.loads(path.read_text())
    weights = read_weights(path, model["weightsManifest"])
    nodes, initializers, value, channels = [], [], None, None

    def add(operation, name, inputs, **attributes):
        nonlocal value
        nodes.append(helper.make_node(operation, inputs, [name], name=name, **attributes))
        value = name

    def constant(name, array):
        initializers.append(numpy_helper.from_array(numpy.ascontiguousarray(array), name))
        return name

    for layer in model["modelTopology"]["model_config"]["config"]["layers"]:
        kind, config = layer["class_name"], layer["config"]
        name = config["name"]
        inbound = [entry[0] for entry in layer["inbound_nodes"][0]] if layer.get("inbound_nodes") else []
        if kind == "InputLayer" and value is None:
            value, channels = name, config["batch_input_shape"][-1]
            first, count = name, channels
            previous = name
            continue
        if inbound != [previous]:
            raise SystemExit(f"{path}: layer {name}: found inputs {inbound}, expected {previous}: layers in a row")
        previous = name
        if kind == "Conv3D":
            if config["data_format"] != "channels_last" or config["padding"] not in ("same", "valid") or config.get("groups", 1) != 1:
                raise SystemExit(f"{path}: layer {name}: expected channels_last, padding same or valid, one group")
            kernel = weights[f"{name}/kernel"].transpose(4, 3, 0, 1, 2)
            channels = kernel.shape[0]
            inputs = [value, constant(f"layer{name}.weight", kernel)]
            if config["use_bias"]:
                inputs.append(constant(f"layer{name}.bias", weights[f"{name}/bias"]))
            # onnxruntime does not take auto_pad with dilations.
            half = [rate * (extent - 1) // 2 for rate, extent in zip(config["dilation_rate"], kernel.shape[2:])]
            is_even = all(extent % 2 for extent in kernel.shape[2:]) and config["strides"] == [1, 1, 1]
            padding = {"auto_pad": "VALID"} if config["padding"] == "valid" else (
                {"pads": half + half} if is_even else {"auto_pad": "SAME_UPPER"})
            add("Conv", f"conv/{name}", inputs, strides=config["strides"], dilations=config["dilation_rate"], **padding)
            if name.endswith("_gn"):
                add("InstanceNormalization", f"norm/{name}",
                    [value, constant(f"ones/{name}", numpy.ones(channels, numpy.float32)),
                     constant(f"zeros/{name}", numpy.zeros(channels, numpy.float32))], epsilon=1e-5)
        elif kind != "Activation":
            raise SystemExit(f"{path}: layer {name}: found {kind}, expected Conv3D or Activation")
        activation = config["activation"]
        if activation == "softmax":
            add("Softmax", f"softmax/{name}", [value], axis=1)
        elif activation != "linear":
            if activation not in ACTIVATIONS:
                raise SystemExit(f"{path}: layer {name}: found activation {activation}")
            add(ACTIVATIONS[activation], f"{activation}/{name}", [value])

    graph = helper.make_graph(
        nodes, path.stem, [helper.make_tensor_value_info(first, TensorProto.FLOAT, [1, count, "x", "y", "z"])],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, [1, channels, None, None, None])], initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), target)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
