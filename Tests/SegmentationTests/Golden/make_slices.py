"""Makes slices.safetensors with PyTorch: a 2D network and its probabilities of each slice of a volume.

The network is converted from PyTorch by docs/models/convert_pytorch.py. It has the layers whose results depend on the whole
slice: instance and group normalisation, a gate of global averages, and resizing with aligned corners. The file has a model with
random weights that runs on whole slices, an `image` [z, y, x], and the `probabilities` [class, z, y, x] that the 2D network gives
for each slice by itself. Run in this folder: python3 make_slices.py
"""
import json
import sys

import torch
from torch import nn

sys.path += ["../../NetworksTests/Golden", "../../../docs/models"]
from convert_pytorch import convert
from safetensors_file import write

SHAPE, CLASSES = [5, 16, 24], 3


class Network(nn.Module):
    """One level of a U-Net with a gate of squeeze and excitation."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.InstanceNorm2d(4, affine=True), nn.LeakyReLU())
        self.pool = nn.MaxPool2d(2)
        self.down = nn.Sequential(nn.Conv2d(4, 6, (3, 5), padding=(1, 2)), nn.GroupNorm(2, 6), nn.ReLU())
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(6, 6, 1), nn.Sigmoid())
        self.resize = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.up = nn.ConvTranspose2d(6, 4, 2, stride=2)
        self.score = nn.Conv2d(14, CLASSES, 1)

    def forward(self, x):
        skip = self.first(x)
        low = self.down(self.pool(skip))
        low = low * self.gate(low)
        return self.score(torch.cat([self.up(low), self.resize(low), skip], 1))


if __name__ == "__main__":
    torch.manual_seed(4)
    network = Network().eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.InstanceNorm2d, nn.GroupNorm)):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.5, 0.5)
        # Each slice has a brightness and a contrast of its own.
        level = torch.linspace(0, 0.5, SHAPE[0])[:, None, None]
        image = level + (1 - level) * torch.rand(SHAPE) * torch.linspace(0.3, 1, SHAPE[1])[None, :, None]
        slices = torch.cat([network(image[z][None, None]) for z in range(SHAPE[0])])
        probabilities = (3 * slices).softmax(1).permute(1, 0, 2, 3)
        network.score.weight *= 3
        network.score.bias *= 3
        graph, tensors = convert(network, image[:1, None])
    tensors = {name: value.detach().numpy() for name, value in tensors.items()}
    tensors["image"] = image.numpy()
    tensors["probabilities"] = probabilities.contiguous().numpy()
    named = [{"value": i, "name": f"class {i}", "colour": {"red": 80 * i, "green": 90, "blue": 0}} for i in range(1, CLASSES)]
    preprocessing = {"orientation": "RAS", "spacingMillimetres": {"i": 1, "j": 1, "k": 1},
                     "normalisation": {"kind": "window", "lower": 0, "upper": 1}}
    texts = {"network": graph, "labels": named, "preprocessing": preprocessing, "tiling": {"patch": [1, None, None]}}
    write("slices", tensors, {"segdeck.format": "1", **{name: json.dumps(value) for name, value in texts.items()}})
