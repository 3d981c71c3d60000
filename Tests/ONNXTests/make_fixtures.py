"""Writes Fixtures: a network as both of PyTorch's exporters write it, and its scores by onnxruntime.

  python make_fixtures.py

needs PyPI's torch, onnx, onnxscript, onnxruntime and numpy.
"""
import pathlib

import numpy
import onnxruntime
import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "Fixtures"
SHAPE = (1, 1, 8, 12, 16)


class Gate(nn.Module):
    """Squeeze-and-excitation."""

    def __init__(self, channels):
        super().__init__()
        self.dense = nn.Sequential(nn.Linear(channels, 2), nn.ReLU(), nn.Linear(2, channels), nn.Sigmoid())

    def forward(self, x):
        weights = self.dense(nn.functional.adaptive_avg_pool3d(x, 1).flatten(1))
        return x * weights.view(1, -1, 1, 1, 1)


class Small(nn.Module):
    """What exporters write in several nodes, in one small network."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv3d(1, 8, 3, padding=1), nn.GroupNorm(4, 8), nn.SiLU())
        self.down = nn.Sequential(nn.Conv3d(8, 12, 3, stride=2, padding=1, bias=False), nn.BatchNorm3d(12), nn.GELU(),
                                  nn.Conv3d(12, 12, 3, padding=1), nn.InstanceNorm3d(12, affine=True), nn.LeakyReLU(0.01))
        self.up = nn.Upsample(scale_factor=2, mode="trilinear")
        self.end = nn.Sequential(nn.Conv3d(20, 8, 3, padding=1), nn.PReLU(8), Gate(8), nn.Mish(), nn.Conv3d(8, 3, 1))

    def forward(self, x):
        skip = self.stem(x)
        below = nn.functional.pad(self.down(skip), (0, 0, 0, 0, 0, 0))
        return self.end(torch.cat([self.up(below), skip], dim=1))


def main():
    torch.manual_seed(1)
    module = Small().eval()
    with torch.no_grad():
        for name, tensor in list(module.named_parameters()) + list(module.named_buffers()):
            if tensor.is_floating_point() and tensor.dim() < 2:
                tensor.copy_(1 + 0.3 * torch.rand_like(tensor) if "var" in name or "weight" in name else 0.3 * torch.randn_like(tensor))
    image = numpy.random.default_rng(1).standard_normal(SHAPE).astype(numpy.float32)
    example = (torch.zeros(1, 1, 16, 16, 16),)
    axes = {2: "z", 3: "y", 4: "x"}
    old, new = FOLDER / "old-exporter.onnx", FOLDER / "new-exporter.onnx"
    torch.onnx.export(module, example, old, dynamo=False, opset_version=17, input_names=["image"], output_names=["scores"],
                      dynamic_axes={"image": axes, "scores": axes})
    torch.onnx.export(module, example, new, dynamo=True, opset_version=20, external_data=True, input_names=["image"],
                      output_names=["scores"], dynamic_shapes=({axis: torch.export.Dim.AUTO for axis in axes},))
    scores = [onnxruntime.InferenceSession(path).run(None, {"image": image})[0] for path in (old, new)]
    assert numpy.abs(scores[0] - scores[1]).max() < 1e-5
    image.tofile(FOLDER / "image.f32")
    scores[0].tofile(FOLDER / "scores.f32")


if __name__ == "__main__":
    main()
