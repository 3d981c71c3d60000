"""The two networks of the comparison as data, and what PyTorch and ONNX make of them.

A network is a list of layers, each with the name of the one that feeds it, exactly as `NetworkGraph.liver` and
`NetworkGraph.heart` define them (docs/decisions/0002-networks.md). Extents are z, y, x. Weights are drawn from one seed,
so that every program computes the same function.

  network_definitions.py NETWORK FOLDER

writes NETWORK.onnx.
"""
import os
import sys

import numpy

IMAGE = "input"
SHAPES = {"liver": (72, 160, 160), "heart": (64, 64, 64)}
# The main head first: (layer, weight of its loss).
HEADS = {
    "liver": [("deconv2", 1.0), ("aux1", 0.3), ("aux2b", 0.4)],
    "heart": [("score", 5.0), ("aux1s", 1.0), ("aux2s", 2.0)],
}


class Network:
    """Layers in order; `kind` is convolution, transposed, normalisation, relu or pooling."""

    def __init__(self):
        self.layers = []

    def add(self, name, source, kind, **facts):
        self.layers.append(dict(name=name, source=source, kind=kind, **facts))
        return name

    def block(self, name, source, inputs, outputs, kernel, normalised):
        """Convolution that keeps the extents, batch normalisation where asked for, ReLU."""
        source = self.add("conv" + name, source, "convolution", inputs=inputs, outputs=outputs, kernel=kernel, bias=True)
        if normalised:
            source = self.add("bn" + name, source, "normalisation", outputs=outputs)
        return self.add("relu" + name, source, "relu")

    def upsample(self, name, source, inputs, outputs, kernel, extra, bias=True):
        """Transposed convolution that doubles the extents."""
        return self.add(name, source, "transposed", inputs=inputs, outputs=outputs, kernel=(kernel,) * 3, extra=extra, bias=bias)

    def needed(self, heads):
        """The layers that lead to the heads."""
        sources = {layer["name"]: layer["source"] for layer in self.layers}
        wanted = set()
        for head in heads:
            while head != IMAGE:
                wanted.add(head)
                head = sources[head]
        return [layer for layer in self.layers if layer["name"] in wanted]


def liver():
    net = Network()
    net.block("1a", IMAGE, 1, 8, (7, 9, 9), False)
    net.block("1b", "relu1a", 8, 8, (7, 9, 9), False)
    net.add("pool1", "relu1b", "pooling")
    net.block("2a", "pool1", 8, 16, (5, 7, 7), False)
    net.block("2b", "relu2a", 16, 32, (5, 7, 7), False)
    net.add("pool2", "relu2b", "pooling")
    net.block("3a", "pool2", 32, 32, (3, 5, 5), False)
    net.block("3b", "relu3a", 32, 32, (1, 1, 1), False)
    net.upsample("deconv1", "relu3b", 32, 16, 3, 1)
    net.upsample("deconv2", "deconv1", 16, 2, 3, 1)
    net.upsample("aux1", "pool1", 8, 2, 3, 1)
    net.upsample("aux2a", "pool2", 32, 16, 3, 1)
    net.upsample("aux2b", "aux2a", 16, 2, 3, 1)
    return net


def heart():
    net = Network()
    net.block("1a", IMAGE, 1, 32, (3, 3, 3), True)
    net.add("pool1", "relu1a", "pooling")
    net.block("2a", "pool1", 32, 64, (3, 3, 3), True)
    net.block("2b", "relu2a", 64, 64, (3, 3, 3), True)
    net.add("pool2", "relu2b", "pooling")
    net.block("3a", "pool2", 64, 128, (3, 3, 3), True)
    net.block("3b", "relu3a", 128, 128, (3, 3, 3), True)
    net.add("pool3", "relu3b", "pooling")
    net.block("4a", "pool3", 128, 256, (3, 3, 3), True)
    net.block("4b", "relu4a", 256, 256, (3, 3, 3), True)
    net.upsample("deconv1", "relu4b", 256, 128, 4, 0)
    net.upsample("deconv2", "deconv1", 128, 64, 4, 0)
    net.upsample("deconv3", "deconv2", 64, 32, 4, 0)
    net.add("score", "deconv3", "convolution", inputs=32, outputs=3, kernel=(1, 1, 1), bias=True)
    net.upsample("aux1d", "relu2b", 64, 32, 4, 0, bias=False)
    net.add("aux1s", "aux1d", "convolution", inputs=32, outputs=3, kernel=(1, 1, 1), bias=True)
    net.upsample("aux2d", "relu3b", 128, 64, 4, 0, bias=False)
    net.upsample("aux2e", "aux2d", 64, 32, 4, 0, bias=False)
    net.add("aux2s", "aux2e", "convolution", inputs=32, outputs=3, kernel=(1, 1, 1), bias=True)
    return net


def network(name):
    return {"liver": liver, "heart": heart}[name]()


def parameters(net):
    """Tensors by name, as in segdeck's model files: He initialisation, fresh running statistics."""
    random = numpy.random.default_rng(7)
    tensors = {}
    for layer in net.layers:
        name, kind = layer["name"], layer["kind"]
        if kind in ("convolution", "transposed"):
            first = (layer["outputs"], layer["inputs"]) if kind == "convolution" else (layer["inputs"], layer["outputs"])
            fan_in = layer["inputs"] * numpy.prod(layer["kernel"])
            weight = random.standard_normal(first + tuple(layer["kernel"])) * numpy.sqrt(2 / fan_in)
            tensors[name + ".weight"] = weight.astype(numpy.float32)
            if layer["bias"]:
                tensors[name + ".bias"] = numpy.zeros(layer["outputs"], numpy.float32)
        elif kind == "normalisation":
            for role, value in [("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)]:
                tensors[f"{name}.{role}"] = numpy.full(layer["outputs"], value, numpy.float32)
    return tensors


def image(shape):
    """One volume of noise, [1, 1, z, y, x]."""
    return numpy.random.default_rng(0).standard_normal((1, 1) + shape).astype(numpy.float32)


def write_onnx(name, path):
    """The main head with softmax as an ONNX file of fixed extents."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    net = network(name)
    tensors = parameters(net)
    head = HEADS[name][0][0]
    nodes, initializers = [], []
    for layer in net.needed([head]):
        own, kind = layer["name"], layer["kind"]
        used = [key for key in tensors if key.startswith(own + ".")]
        initializers += [numpy_helper.from_array(tensors[key], key) for key in used]
        inputs = [layer["source"]] + used
        if kind == "convolution":
            padding = [k // 2 for k in layer["kernel"]]
            nodes.append(helper.make_node("Conv", inputs, [own], kernel_shape=layer["kernel"], pads=padding * 2))
        elif kind == "transposed":
            nodes.append(helper.make_node("ConvTranspose", inputs, [own], kernel_shape=layer["kernel"], strides=[2] * 3,
                                          pads=[1] * 6, output_padding=[layer["extra"]] * 3))
        elif kind == "normalisation":
            nodes.append(helper.make_node("BatchNormalization", inputs, [own], epsilon=1e-5))
        elif kind == "relu":
            nodes.append(helper.make_node("Relu", inputs, [own]))
        else:
            nodes.append(helper.make_node("MaxPool", inputs, [own], kernel_shape=[2] * 3, strides=[2] * 3))
    nodes.append(helper.make_node("Softmax", [head], ["probabilities"], axis=1))
    shape = (1, 1) + SHAPES[name]
    classes = tensors[head + ".bias"].shape[0]
    graph = helper.make_graph(
        nodes, name, [helper.make_tensor_value_info(IMAGE, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, (1, classes) + SHAPES[name])], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def torch_module(name):
    """The network as a PyTorch module whose forward pass takes the heads to compute."""
    import torch
    from torch import nn

    net = network(name)

    class Module(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = nn.ModuleDict()
            for layer in net.layers:
                kind = layer["kind"]
                if kind == "convolution":
                    part = nn.Conv3d(layer["inputs"], layer["outputs"], layer["kernel"], bias=layer["bias"],
                                     padding=tuple(k // 2 for k in layer["kernel"]))
                elif kind == "transposed":
                    part = nn.ConvTranspose3d(layer["inputs"], layer["outputs"], layer["kernel"], stride=2, padding=1,
                                              output_padding=layer["extra"], bias=layer["bias"])
                elif kind == "normalisation":
                    part = nn.BatchNorm3d(layer["outputs"])
                else:
                    part = nn.ReLU() if kind == "relu" else nn.MaxPool3d(2)
                self.parts[layer["name"]] = part

        def forward(self, x, heads):
            values = {IMAGE: x}
            for layer in net.needed(heads):
                values[layer["name"]] = self.parts[layer["name"]](values[layer["source"]])
            return [values[head] for head in heads]

    module = Module()
    state = {"parts." + key: torch.from_numpy(value) for key, value in parameters(net).items()}
    missing, unexpected = module.load_state_dict(state, strict=False)
    assert not unexpected and all(key.endswith("num_batches_tracked") for key in missing), (missing, unexpected)
    return module


if __name__ == "__main__":
    write_onnx(sys.argv[1], os.path.join(sys.argv[2], sys.argv[1] + ".onnx"))
