"""Makes heart.safetensors, unnamed.safetensors and joins.safetensors: networks run forward and backward in float64 with numpy.

The operations below are written from their definitions, tap by tap, and interpret the same graph JSON as the
product; results are stored in float32. Run in this folder: python3 make_golden.py
"""
import json
from itertools import product

import numpy as np

from safetensors_file import write


def triple(value, default=None):
    value = default if value is None else value
    return [value] * 3 if isinstance(value, int) else value


def tap_slices(tap, stride, dilation, count):
    return tuple(slice(t * d, t * d + s * (n - 1) + 1, s) for t, s, d, n in zip(tap, stride, dilation, count))


class Convolution:
    def __init__(self, layer):
        self.kernel, self.stride = triple(layer["kernel"]), triple(layer.get("stride"), 1)
        self.padding, self.dilation = triple(layer.get("padding"), 0), triple(layer.get("dilation"), 1)

    def forward(self, x, p):
        self.x, self.p = x, p
        self.padded = np.pad(x, [(0, 0), (0, 0)] + [(q, q) for q in self.padding])
        self.count = [(n - d * (k - 1) - 1) // s + 1
                      for n, k, s, d in zip(self.padded.shape[2:], self.kernel, self.stride, self.dilation)]
        y = np.zeros((x.shape[0], p["weight"].shape[0], *self.count))
        for tap in product(*map(range, self.kernel)):
            part = self.padded[(..., *tap_slices(tap, self.stride, self.dilation, self.count))]
            y += np.einsum("ncdhw,oc->nodhw", part, p["weight"][(..., *tap)])
        return y + p["bias"][:, None, None, None] if "bias" in p else y

    def backward(self, g):
        back, weight = np.zeros_like(self.padded), np.zeros_like(self.p["weight"])
        for tap in product(*map(range, self.kernel)):
            place = (..., *tap_slices(tap, self.stride, self.dilation, self.count))
            back[place] += np.einsum("nodhw,oc->ncdhw", g, self.p["weight"][(..., *tap)])
            weight[(..., *tap)] = np.einsum("nodhw,ncdhw->oc", g, self.padded[place])
        inner = tuple(slice(q, n - q) for q, n in zip(self.padding, back.shape[2:]))
        return back[(..., *inner)], {"weight": weight, "bias": g.sum((0, 2, 3, 4))}


class TransposedConvolution:
    def __init__(self, layer):
        self.kernel, self.stride = triple(layer["kernel"]), triple(layer.get("stride"), 2)
        self.padding, self.extra = triple(layer.get("padding"), 0), triple(layer.get("outputPadding"), 0)

    def forward(self, x, p):
        self.x, self.p = x, p
        self.full = [(n - 1) * s + k + e for n, s, k, e in zip(x.shape[2:], self.stride, self.kernel, self.extra)]
        y = np.zeros((x.shape[0], p["weight"].shape[1], *self.full))
        for tap in product(*map(range, self.kernel)):
            y[(..., *tap_slices(tap, self.stride, [1] * 3, x.shape[2:]))] += np.einsum(
                "ncdhw,co->nodhw", x, p["weight"][(..., *tap)])
        self.inner = tuple(slice(q, n - q) for q, n in zip(self.padding, self.full))
        y = y[(..., *self.inner)]
        return y + p["bias"][:, None, None, None] if "bias" in p else y

    def backward(self, g):
        full = np.zeros((*g.shape[:2], *self.full))
        full[(..., *self.inner)] = g
        back, weight = np.zeros_like(self.x), np.zeros_like(self.p["weight"])
        for tap in product(*map(range, self.kernel)):
            part = full[(..., *tap_slices(tap, self.stride, [1] * 3, self.x.shape[2:]))]
            back += np.einsum("nodhw,co->ncdhw", part, self.p["weight"][(..., *tap)])
            weight[(..., *tap)] = np.einsum("nodhw,ncdhw->co", part, self.x)
        return back, {"weight": weight, "bias": g.sum((0, 2, 3, 4))}


class MaxPooling:
    def __init__(self, layer):
        self.kernel = triple(layer["kernel"])
        self.stride, self.up = triple(layer.get("stride"), layer["kernel"]), layer.get("roundsUp", False)

    def forward(self, x, p):
        count = []
        for n, k, s in zip(x.shape[2:], self.kernel, self.stride):
            c = ((n - k + s - 1) // s if self.up else (n - k) // s) + 1
            count.append(c - 1 if (c - 1) * s >= n else c)
        room = [max(0, (c - 1) * s + k - n) for c, s, k, n in zip(count, self.stride, self.kernel, x.shape[2:])]
        self.shape, self.count = x.shape, count
        padded = np.pad(x, [(0, 0), (0, 0)] + [(0, r) for r in room], constant_values=-np.inf)
        self.padded_shape = padded.shape
        taps = [padded[(..., *tap_slices(t, self.stride, [1] * 3, count))] for t in product(*map(range, self.kernel))]
        self.winner = np.argmax(taps, 0)
        return np.max(taps, 0)

    def backward(self, g):
        back = np.zeros(self.padded_shape)
        for index, tap in enumerate(product(*map(range, self.kernel))):
            back[(..., *tap_slices(tap, self.stride, [1] * 3, self.count))] += np.where(self.winner == index, g, 0)
        return back[tuple(slice(0, n) for n in self.shape)], {}


class BatchNormalisation:
    def __init__(self, layer):
        self.epsilon = layer.get("epsilon", 1e-5)

    def forward(self, x, p, training):
        c = (slice(None), None, None, None)
        mean = x.mean((0, 2, 3, 4)) if training else p["running_mean"]
        variance = x.var((0, 2, 3, 4)) if training else p["running_var"]
        self.inverse = 1 / np.sqrt(variance + self.epsilon)[c]
        self.normal, self.p = (x - mean[c]) * self.inverse, p
        return self.normal * p["weight"][c] + p["bias"][c]

    def backward(self, g):
        axes = (0, 2, 3, 4)
        weight, bias = (g * self.normal).sum(axes), g.sum(axes)
        count = g.size / g.shape[1]
        c = (slice(None), None, None, None)
        back = self.p["weight"][c] * self.inverse * (g - bias[c] / count - self.normal * weight[c] / count)
        return back, {"weight": weight, "bias": bias}


class ReLU:
    def __init__(self, layer):
        pass

    def forward(self, x, p):
        self.y = np.maximum(x, 0)
        return self.y

    def backward(self, g):
        return np.where(self.y > 0, g, 0), {}


class Add:
    def __init__(self, layer):
        self.count = len(layer["input"])

    def forward(self, inputs, p):
        return np.sum(inputs, 0)

    def backward(self, g):
        return [g] * self.count, {}


class Concatenate:
    def __init__(self, layer):
        pass

    def forward(self, inputs, p):
        self.ends = np.cumsum([x.shape[1] for x in inputs])
        return np.concatenate(inputs, 1)

    def backward(self, g):
        return np.split(g, self.ends[:-1], 1), {}


KINDS = {"add": Add, "concatenate": Concatenate, "convolution": Convolution, "transposedConvolution": TransposedConvolution, "maxPooling": MaxPooling,
         "batchNormalisation": BatchNormalisation, "relu": ReLU, "rectifier": ReLU}


def sources(layer):
    return layer["input"] if isinstance(layer["input"], list) else [layer["input"]]


def initialise(graph, generator):
    """Weights in the order of the layers; every value also goes through float32, as the product stores it."""
    channels, tensors = {"input": graph["inputChannels"]}, {}
    for layer in graph["layers"]:
        i, name = [channels[source] for source in sources(layer)], layer["name"]
        i = sum(i) if layer["kind"] == "concatenate" else i[0]
        o = channels[name] = layer.get("outputChannels", i)
        if layer["kind"] in ("convolution", "transposedConvolution"):
            kernel = triple(layer["kernel"])
            shape = [o, i, *kernel] if layer["kind"] == "convolution" else [i, o, *kernel]
            taps = np.prod(kernel) / (1 if layer["kind"] == "convolution" else np.prod(triple(layer.get("stride"), 2)))
            tensors[name + ".weight"] = generator.normal(0, (1.6 / (i * taps)) ** 0.5, shape)
            if layer.get("bias", True):
                tensors[name + ".bias"] = generator.normal(0, 0.2, [o])
        if layer["kind"] == "batchNormalisation":
            for part, low, high in [("weight", 0.7, 1.4), ("bias", -0.3, 0.3), ("running_mean", -0.3, 0.3),
                                    ("running_var", 0.5, 1.5)]:
                tensors[f"{name}.{part}"] = generator.uniform(low, high, [o])
    return {name: np.float32(value) for name, value in tensors.items()}


def forward(graph, tensors, x, training):
    operations, values = {}, {"input": x}
    for layer in graph["layers"]:
        operation = operations[layer["name"]] = KINDS[layer["kind"]](layer)
        p = {key.split(".")[1]: np.float64(value) for key, value in tensors.items()
             if key.split(".")[0] == layer["name"]}
        extra = [training] if layer["kind"] == "batchNormalisation" else []
        inputs = [values[source] for source in sources(layer)]
        values[layer["name"]] = operation.forward(inputs if len(inputs) > 1 else inputs[0], p, *extra)
    return operations, values


def cross_entropy(scores, labels, class_weights, ignored):
    shifted = scores - scores.max(1, keepdims=True)
    logarithms = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    hot = (labels[:, None] == np.arange(scores.shape[1])[:, None, None, None]) * class_weights[:, None, None, None]
    hot = np.where((labels == ignored)[:, None], 0, hot)
    total = hot.sum()
    return -(hot * logarithms).sum() / total, (np.exp(logarithms) * hot.sum(1, keepdims=True) - hot) / total


def make(name, graph, batch, extent, class_weights, ignored, seed):
    generator = np.random.default_rng(seed)
    tensors = initialise(graph, generator)
    x = np.float32(generator.normal(0, 1, [batch, graph["inputChannels"], *extent]))
    classes = len(class_weights)
    labels = generator.integers(0, classes, [batch, *extent])
    labels[generator.random(labels.shape) < 0.1] = ignored
    out = {"input": x, "labels": labels}
    _, values = forward(graph, tensors, np.float64(x), training=False)
    for head in graph["heads"]:
        out["scores/" + head["name"]] = values[head["layer"]]
    operations, values = forward(graph, tensors, np.float64(x), training=True)
    gradients, loss = {}, 0
    for head in graph["heads"]:
        weight = head.get("lossWeight", 1)
        part, gradient = cross_entropy(values[head["layer"]], labels, np.float64(class_weights), ignored)
        loss += weight * part
        gradients[head["layer"]] = gradients.get(head["layer"], 0) + weight * gradient
    for layer in reversed(graph["layers"]):
        back, parts = operations[layer["name"]].backward(gradients[layer["name"]])
        for source, part in zip(sources(layer), back if len(sources(layer)) > 1 else [back]):
            gradients[source] = gradients.get(source, 0) + part
        for part, value in parts.items():
            if f"{layer['name']}.{part}" in tensors:
                out[f"gradient/{layer['name']}.{part}"] = value
    out["loss"] = np.array([loss])
    write(name, {**tensors, **out}, {"network": json.dumps(graph), "segdeck.format": "1"})


def heart(width):
    """The heart network of the paper's authors, with `width` channels where they have 32."""
    layers, up = [], {"kind": "transposedConvolution", "kernel": 4, "padding": 1}

    def block(name, feeding, channels):
        layers.append({"name": "conv" + name, "kind": "convolution", "input": feeding, "outputChannels": channels,
                       "kernel": 3, "padding": 1})
        layers.append({"name": "bn" + name, "kind": "batchNormalisation", "input": "conv" + name})
        layers.append({"name": "relu" + name, "kind": "relu", "input": "bn" + name})

    def pool(name, feeding):
        layers.append({"name": name, "kind": "maxPooling", "input": feeding, "kernel": 2})

    block("1a", "input", width), pool("pool1", "relu1a")
    block("2a", "pool1", 2 * width), block("2b", "relu2a", 2 * width), pool("pool2", "relu2b")
    block("3a", "pool2", 4 * width), block("3b", "relu3a", 4 * width), pool("pool3", "relu3b")
    block("4a", "pool3", 8 * width), block("4b", "relu4a", 8 * width)
    for name, feeding, channels, bias in [
            ("deconv1", "relu4b", 4 * width, True), ("deconv2", "deconv1", 2 * width, True),
            ("deconv3", "deconv2", width, True), ("aux1d", "relu2b", width, False),
            ("aux2d", "relu3b", 2 * width, False), ("aux2e", "aux2d", width, False)]:
        layers.append({"name": name, "input": feeding, "outputChannels": channels, "bias": bias, **up})
    for name, feeding in [("score", "deconv3"), ("aux1s", "aux1d"), ("aux2s", "aux2e")]:
        layers.append({"name": name, "kind": "convolution", "input": feeding, "outputChannels": 3, "kernel": 1})
    return {"inputChannels": 1, "layers": layers, "heads": [
        {"name": "main", "layer": "score", "lossWeight": 5}, {"name": "aux1", "layer": "aux1s", "lossWeight": 1},
        {"name": "aux2", "layer": "aux2s", "lossWeight": 2}]}


make("heart", heart(2), 2, (16, 8, 24), [1, 1, 1], 255, seed=11)
with open("unnamed.json") as file:
    make("unnamed", json.load(file), 2, (9, 11, 13), [1, 2, 0.5], 255, seed=12)
with open("joins.json") as file:
    make("joins", json.load(file), 2, (8, 8, 12), [1, 2, 0.5], 255, seed=13)
