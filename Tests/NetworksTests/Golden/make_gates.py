"""Makes gates.safetensors: the network of gates.json run forward and backward in float64 by PyTorch.

Results are stored in float32. Run in this folder, with PyTorch: python3 make_gates.py
"""
import json

import numpy as np
import torch
import torch.nn.functional as functional

from safetensors_file import write


def triple(value, default=None):
    value = default if value is None else value
    return [value] * 3 if isinstance(value, int) else value


def sources(layer):
    return layer["input"] if isinstance(layer["input"], list) else [layer["input"]]


def padding(layer):
    """As PyTorch has it: the last axis first."""
    before, after = triple(layer.get("before"), 0), triple(layer.get("after"), 0)
    return [number for pair in zip(before[::-1], after[::-1]) for number in pair]


def resized(layer, x):
    aligned = layer.get("coordinates") == "alignCorners"
    if layer.get("mode", "nearest") == "nearest":
        return functional.interpolate(x, scale_factor=[float(f) for f in triple(layer["factor"])], mode="nearest")
    size = [n * f for n, f in zip(x.shape[2:], triple(layer["factor"]))]
    return functional.interpolate(x, size=size, mode="trilinear", align_corners=aligned)


def result(layer, inputs, weight, bias):
    x = inputs[0]
    match layer["kind"]:
        case "convolution":
            return functional.conv3d(x, weight, bias, triple(layer.get("stride"), 1), triple(layer.get("padding"), 0))
        case "relu":
            return functional.relu(x)
        case "maxPooling":
            return functional.max_pool3d(x, triple(layer["kernel"]))
        case "instanceNormalisation":
            return functional.instance_norm(x, weight=weight, bias=bias, eps=layer.get("epsilon", 1e-5))
        case "groupNormalisation":
            return functional.group_norm(x, layer["groups"], weight, bias, layer.get("epsilon", 1e-5))
        case "globalPooling":
            return x.amax((2, 3, 4), keepdim=True) if layer.get("statistic") == "maximum" else x.mean((2, 3, 4), keepdim=True)
        case "multiply":
            return inputs[0] * inputs[1]
        case "add":
            return sum(inputs)
        case "concatenate":
            return torch.cat(inputs, 1)
        case "pad":
            mode = {"edge": "replicate"}.get(layer.get("mode", "constant"), layer.get("mode", "constant"))
            return functional.pad(x, padding(layer), mode, layer.get("value") if mode == "constant" else None)
        case "crop":
            return functional.pad(x, [-number for number in padding(layer)])
        case "sliceChannels":
            return x[:, layer["first"]:layer["first"] + layer["count"]]
        case "resize":
            return resized(layer, x)
        case "dropout":
            return x


def run(graph, tensors, x):
    values = {"input": x}
    for layer in graph["layers"]:
        inputs, name = [values[source] for source in sources(layer)], layer["name"]
        values[name] = result(layer, inputs, tensors.get(name + ".weight"), tensors.get(name + ".bias"))
    return values


def initialised(graph, generator):
    """Weights in the order of the layers; every value also goes through float32, as the product stores it."""
    tensors, channels = {}, run_channels(graph)
    for layer in graph["layers"]:
        name, i = layer["name"], channels[sources(layer)[0]]
        if layer["kind"] == "convolution":
            shape = [layer["outputChannels"], i, *triple(layer["kernel"])]
            tensors[name + ".weight"] = generator.normal(0, (1.6 / np.prod(shape[1:])) ** 0.5, shape)
            if layer.get("bias", True):
                tensors[name + ".bias"] = generator.normal(0, 0.2, [layer["outputChannels"]])
        if layer["kind"].endswith("Normalisation") and layer.get("affine", True):
            tensors[name + ".weight"] = generator.uniform(0.7, 1.4, [i])
            tensors[name + ".bias"] = generator.uniform(-0.3, 0.3, [i])
    return {name: np.float32(value) for name, value in tensors.items()}


def run_channels(graph):
    channels = {"input": graph["inputChannels"]}
    for layer in graph["layers"]:
        i = [channels[source] for source in sources(layer)]
        channels[layer["name"]] = layer.get("outputChannels") or layer.get("count") or (
            sum(i) if layer["kind"] == "concatenate" else max(i))
    return channels


def make(name, batch, extent, class_weights, ignored, seed):
    with open(name + ".json") as file:
        graph = json.load(file)
    generator = np.random.default_rng(seed)
    tensors = initialised(graph, generator)
    x = np.float32(generator.normal(0, 1, [batch, graph["inputChannels"], *extent]))
    labels = generator.integers(0, len(class_weights), [batch, *extent])
    labels[generator.random(labels.shape) < 0.1] = ignored
    leaves = {key: torch.tensor(value, dtype=torch.float64, requires_grad=True) for key, value in tensors.items()}
    values = run(graph, leaves, torch.tensor(x, dtype=torch.float64))
    out, loss = {"input": x, "labels": labels}, 0
    for head in graph["heads"]:
        scores = values[head["layer"]]
        out["scores/" + head["name"]] = scores.detach().numpy()
        loss += head.get("lossWeight", 1) * functional.cross_entropy(
            scores, torch.tensor(labels), torch.tensor(class_weights, dtype=torch.float64), ignore_index=ignored)
    loss.backward()
    for key, leaf in leaves.items():
        out["gradient/" + key] = leaf.grad.numpy()
    out["loss"] = np.array([loss.item()])
    write(name, {**tensors, **out}, {"network": json.dumps(graph), "segdeck.format": "1"})


make("gates", 2, (6, 8, 10), [1, 2, 0.5], 255, seed=14)
