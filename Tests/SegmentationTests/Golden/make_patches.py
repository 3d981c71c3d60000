"""Makes patches.json and patches.safetensors with nnU-Net's own code (PyPI nnunetv2 2.8.1) and PyTorch.

patches.json: where patches begin along one axis, and the fraction of the mean that each of their voxels contributes.
patches.safetensors: a model with random weights whose network normalises over each patch, an `image` [z, y, x], and the `labels/`
that nnUNetPredictor gives it in single precision. Run in this folder: python3 make_patches.py
"""
import json
import sys
from functools import partial
from types import SimpleNamespace
from unittest import mock

import numpy as np
import torch
from nnunetv2.inference import predict_from_raw_data
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.inference.sliding_window_prediction import compute_gaussian, compute_steps_for_sliding_window

sys.path.append("../../NetworksTests/Golden")
from safetensors_file import write

CPU = torch.device("cpu")
PATCH, SHAPE, CLASSES = [16, 8, 12], [20, 23, 11], 3


def axis(size, extent, step, weights):
    starts = compute_steps_for_sliding_window([size], [extent], step)[0]
    patch = compute_gaussian((extent,), dtype=torch.float64, device=CPU) if weights == "gaussian" else torch.ones(extent).double()
    total = torch.zeros(size).double()
    for start in starts:
        total[start:start + extent] += patch
    fractions = [(patch / total[start:start + extent]).tolist() for start in starts]
    return {"size": size, "extent": extent, "step": step, "weights": weights, "starts": starts, "fractions": fractions}


class Network(torch.nn.Module):
    """One level of a U-Net with instance normalisation."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv3d(1, 4, 3, padding=1, bias=False)
        self.norm1 = torch.nn.InstanceNorm3d(4, affine=True)
        self.down = torch.nn.Conv3d(4, 6, 3, stride=2, padding=1)
        self.norm2 = torch.nn.InstanceNorm3d(6, affine=True)
        self.up = torch.nn.ConvTranspose3d(6, 4, 2, stride=2)
        self.score = torch.nn.Conv3d(8, CLASSES, 1)

    def forward(self, x):
        skip = torch.nn.functional.leaky_relu(self.norm1(self.first(x)))
        low = torch.nn.functional.leaky_relu(self.norm2(self.down(skip)))
        return self.score(torch.cat([self.up(low), skip], 1))


LAYERS = [
    {"name": "first", "kind": "convolution", "input": "input", "outputChannels": 4, "kernel": 3, "padding": 1, "bias": False},
    {"name": "norm1", "kind": "instanceNormalisation", "input": "first"},
    {"name": "relu1", "kind": "leakyReLU", "input": "norm1"},
    {"name": "down", "kind": "convolution", "input": "relu1", "outputChannels": 6, "kernel": 3, "stride": 2, "padding": 1},
    {"name": "norm2", "kind": "instanceNormalisation", "input": "down"},
    {"name": "relu2", "kind": "leakyReLU", "input": "norm2"},
    {"name": "up", "kind": "transposedConvolution", "input": "relu2", "outputChannels": 4, "kernel": 2, "stride": 2},
    {"name": "join", "kind": "concatenate", "input": ["up", "relu1"]},
    {"name": "score", "kind": "convolution", "input": "join", "outputChannels": CLASSES, "kernel": 1},
]


def labels(network, image, weights, mirrored):
    predictor = nnUNetPredictor(
        use_gaussian=weights == "gaussian", use_mirroring=bool(mirrored), perform_everything_on_device=False, device=CPU,
        allow_tqdm=False)
    predictor.network, predictor.allowed_mirroring_axes = network, mirrored
    predictor.configuration_manager = SimpleNamespace(patch_size=PATCH)
    predictor.label_manager = SimpleNamespace(num_segmentation_heads=CLASSES)
    # In single precision: in half, weights far from the middle of a patch are rounded to one and the same number.
    single = partial(compute_gaussian, dtype=torch.float)
    with mock.patch.object(torch, "half", torch.float), mock.patch.object(predict_from_raw_data, "compute_gaussian", single):
        logits = predictor.predict_sliding_window_return_logits(image[None])
    return logits.argmax(0).float().numpy()


if __name__ == "__main__":
    axes = [axis(*case) for case in [
        (8, 8, 0.5, "gaussian"), (9, 8, 0.5, "gaussian"), (23, 8, 0.5, "gaussian"), (21, 7, 0.5, "gaussian"),
        (30, 7, 1, "gaussian"), (40, 10, 0.3, "gaussian"), (27, 10, 0.75, "constant"), (110, 64, 0.5, "constant")]]
    json.dump({"axes": axes}, open("patches.json", "w"))

    torch.manual_seed(3)
    network = Network().eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.InstanceNorm3d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.5, 0.5)
        ramp = sum(torch.linspace(0, 1, n).reshape([-1 if a == b else 1 for b in range(3)]) for a, n in enumerate(SHAPE)) / 3
        image = (0.5 * ramp + 0.5 * torch.rand(SHAPE)).float()
        # Classes that occur alike.
        network.score.bias -= network(image[None, None, :20, :22, :10]).mean((0, 2, 3, 4))
        tensors = {name: value.numpy() for name, value in network.state_dict().items()}
        tensors["image"] = image.numpy()
        tensors["labels/gaussian"] = labels(network, image, "gaussian", None)
        tensors["labels/constant mirrored"] = labels(network, image, "constant", (0, 1, 2))
    for name in ("labels/gaussian", "labels/constant mirrored"):
        print(name, np.bincount(tensors[name].astype(int).ravel()))
    graph = {"inputChannels": 1, "layers": LAYERS, "heads": [{"name": "main", "layer": "score"}]}
    named = [{"value": i, "name": f"class {i}", "colour": {"red": 80 * i, "green": 90, "blue": 0}} for i in range(1, CLASSES)]
    preprocessing = {"orientation": "RAS", "spacingMillimetres": {"i": 1, "j": 1, "k": 1},
                     "normalisation": {"kind": "window", "lower": 0, "upper": 1}}
    texts = {"network": graph, "labels": named, "preprocessing": preprocessing, "tiling": {"patch": PATCH}}
    write("patches", tensors, {"segdeck.format": "1", **{name: json.dumps(value) for name, value in texts.items()}})
