"""Compares segdeck's scores with PyTorch's on networks of MONAI and of nnU-Net, with random weights.

  python compare_pytorch.py --bench ../../.build/release/segdeck-bench [--networks NAME,...] [--threads N]

needs PyPI's torch, monai, einops, dynamic-network-architectures and numpy. Every network runs on noise of several shapes that
are not cubic; the table has the greatest difference of a score, as a fraction of the greatest score.
"""
import argparse
import os
import subprocess
import sys
import tempfile
from array import array

import numpy
import torch
from torch import nn

from convert_pytorch import convert
from export_pytorch import write_model


def plain_unet():
    from dynamic_network_architectures.architectures.unet import PlainConvUNet
    return PlainConvUNet(
        1, 4, [16, 32, 64, 96], nn.Conv3d, [[1, 3, 3], 3, 3, 3], [1, [1, 2, 2], 2, 2], [2, 2, 2, 2], 3, [2, 2, 2],
        conv_bias=True, norm_op=nn.InstanceNorm3d, norm_op_kwargs={"eps": 1e-5, "affine": True}, nonlin=nn.LeakyReLU,
        nonlin_kwargs={"inplace": True}, deep_supervision=False)


def residual_encoder_unet(block_norm=nn.InstanceNorm3d):
    from dynamic_network_architectures.architectures.unet import ResidualEncoderUNet
    return ResidualEncoderUNet(
        1, 4, [16, 32, 64, 96], nn.Conv3d, 3, [1, 2, 2, 2], [1, 2, 2, 2], 3, [1, 1, 1], conv_bias=True,
        norm_op=block_norm, norm_op_kwargs={"eps": 1e-5, "affine": True}, nonlin=nn.LeakyReLU,
        nonlin_kwargs={"inplace": True}, deep_supervision=False)


def residual_encoder_batch():
    return residual_encoder_unet(nn.BatchNorm3d)


def unet():
    from monai.networks.nets import UNet
    return UNet(3, 1, 3, (16, 32, 64, 96), (2, 2, 2), num_res_units=2)


def unet_batch():
    from monai.networks.nets import UNet
    return UNet(3, 2, 3, (16, 32, 64), (2, 2), num_res_units=0, norm="batch", act="relu")


def basic_unet():
    from monai.networks.nets import BasicUNet
    return BasicUNet(3, 1, 3, (16, 16, 32, 48, 64, 16))


def basic_unet_plus_plus():
    from monai.networks.nets import BasicUNetPlusPlus
    return First(BasicUNetPlusPlus(3, 1, 3, (16, 16, 32, 48, 64, 16)))


def dynamic_unet():
    from monai.networks.nets import DynUNet
    return DynUNet(3, 1, 3, [3, 3, 3, 3], [1, 2, 2, 2], [2, 2, 2], [16, 32, 64, 96], res_block=True)


def segresnet():
    from monai.networks.nets import SegResNet
    return SegResNet(3, init_filters=16, in_channels=1, out_channels=3)


def segresnet_ds():
    from monai.networks.nets import SegResNetDS
    return SegResNetDS(3, init_filters=16, in_channels=1, out_channels=3, norm="instance", blocks_down=(1, 2, 2))


def vnet():
    from monai.networks.nets import VNet
    return VNet(3, 1, 3)


def attention_unet():
    from monai.networks.nets import AttentionUnet
    return AttentionUnet(3, 1, 3, (16, 32, 64), (2, 2))


def highresnet():
    from monai.networks.nets import HighResNet
    return HighResNet(3, 1, 3)


def se_residual():
    """AnatomyNet's block: a residual block with squeeze-and-excitation at one scale."""
    from monai.networks.blocks import SEResNeXtBottleneck  # noqa: F401  the part of MONAI that it is taken from
    from monai.networks.blocks.squeeze_and_excitation import ChannelSELayer, ResidualSELayer
    return nn.Sequential(nn.Conv3d(1, 16, 3, padding=1), nn.LeakyReLU(), ResidualSELayer(3, 16), nn.Conv3d(16, 16, 3, padding=1),
                         ChannelSELayer(3, 16), nn.ELU(), nn.Conv3d(16, 3, 1))


class First(nn.Module):
    """The first of a network's outputs."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x)[0]


NETWORKS = {maker.__name__: maker for maker in (
    plain_unet, residual_encoder_unet, residual_encoder_batch, unet, unet_batch, basic_unet, basic_unet_plus_plus, dynamic_unet,
    segresnet, segresnet_ds, vnet, attention_unet, highresnet, se_residual)}
SHAPES = [(16, 32, 48), (32, 48, 16), (48, 16, 32)]


def randomised(module):
    """Weights, biases and running statistics of noise, since fresh ones hide what is not read."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, tensor in list(module.named_parameters()) + list(module.named_buffers()):
            if not tensor.is_floating_point():
                continue
            noise = torch.randn(tensor.shape, generator=generator)
            if name.endswith("running_var"):
                tensor.copy_(1 + 0.2 * noise.abs())
            elif tensor.dim() < 2:
                tensor.copy_((1 if name.endswith("weight") else 0) + 0.2 * noise)
            else:
                tensor.copy_(noise * (2 / tensor[0].numel()) ** 0.5)
    return module.eval()


def compare(name, shape, folder, options):
    """The greatest difference as a fraction of the greatest score, and the number of layers."""
    module = randomised(NETWORKS[name]())
    channels = next(module.parameters()).shape[1]
    example = torch.from_numpy(numpy.random.default_rng(1).standard_normal((1, channels) + shape).astype(numpy.float32))
    graph, tensors = convert(module, example)
    with torch.inference_mode():
        expected = module(example)
    expected = expected if isinstance(expected, (list, tuple)) else [expected]
    model, image, scores = (os.path.join(folder, file) for file in ("model.safetensors", "input.f32", "scores.f32"))
    write_model(model, {key: (list(value.shape), array("f", value.flatten().tolist())) for key, value in tensors.items()},
                graph, [f"class {index + 1}" for index in range(expected[0].shape[1] - 1)])
    example.numpy().tofile(image)
    subprocess.run([options.bench, "scores", model, image, "--shape", "x".join(map(str, shape[::-1])), "-o", scores,
                    "--threads", str(options.threads)], check=True)
    found = numpy.fromfile(scores, numpy.float32)
    wanted = numpy.concatenate([head.numpy().ravel() for head in expected])
    return numpy.abs(found - wanted).max() / numpy.abs(wanted).max(), len(graph["layers"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="path of segdeck-bench")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    print("| network | layers | " + " | ".join("x".join(map(str, shape)) for shape in SHAPES) + " |")
    print("|---|---|" + "---|" * len(SHAPES))
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name in options.networks.split(","):
            cells, layers = [], "-"
            for shape in SHAPES:
                try:
                    difference, layers = compare(name, shape, folder, options)
                    failed |= not difference <= 1e-4
                    cells.append(f"{difference:.1e}")
                except Exception as error:  # A network that cannot be compared is a row that says why.
                    failed = True
                    cells.append(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
            print(f"| {name} | {layers} | " + " | ".join(cells) + " |", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
