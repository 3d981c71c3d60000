"""Networks of the field, beside the paper's two, as PyTorch modules with random weights, and their files.

  field_networks.py NETWORK FOLDER

writes NETWORK.onnx, the probabilities as PyTorch's exporter has them, NETWORK.safetensors, segdeck's model, and
NETWORK.f32, the image. Extents are z, y, x.
"""
import os
import sys
from array import array

import torch
from torch import nn

from network_definitions import IMAGE

MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../models")
sys.path.insert(0, MODELS)


def nnunet(kind, blocks, decoder):
    """nnU-Net's network of four levels, 32 to 256 channels, instance normalisation and leaky ReLU."""
    from dynamic_network_architectures.architectures import unet
    return getattr(unet, kind)(
        1, 4, [32, 64, 128, 256], nn.Conv3d, 3, [1, 2, 2, 2], blocks, 4, decoder, conv_bias=True, norm_op=nn.InstanceNorm3d,
        norm_op_kwargs={"eps": 1e-5, "affine": True}, nonlin=nn.LeakyReLU, nonlin_kwargs={"inplace": True},
        deep_supervision=False)


def segresnet():
    from monai.networks.nets import SegResNet
    return SegResNet(3, init_filters=32, in_channels=1, out_channels=4)


class VoxResNet(nn.Module):
    """Chen et al. 2018: six residual blocks, and the sum of heads at four scales."""

    def __init__(self, classes=4):
        super().__init__()
        def normalised(channels):
            return nn.Sequential(nn.BatchNorm3d(channels), nn.ReLU())

        def block():
            return nn.Sequential(normalised(64), nn.Conv3d(64, 64, 3, padding=1), normalised(64), nn.Conv3d(64, 64, 3, padding=1))

        self.stem = nn.Sequential(nn.Conv3d(1, 32, 3, padding=1), normalised(32), nn.Conv3d(32, 32, 3, padding=1))
        self.down = nn.ModuleList(nn.Sequential(normalised(inputs), nn.Conv3d(inputs, 64, 3, stride=2, padding=1))
                                  for inputs in (32, 64, 64))
        self.blocks = nn.ModuleList(nn.ModuleList([block(), block()]) for _ in range(3))
        self.heads = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose3d(channels, channels, kernel, stride, padding=1), nn.ReLU(),
                          nn.Conv3d(channels, classes, 3, padding=1))
            for channels, kernel, stride in ((32, 3, 1), (64, 4, 2), (64, 6, 4), (64, 10, 8)))

    def forward(self, x):
        x = self.stem(x)
        scores = self.heads[0](x)
        for down, blocks, head in zip(self.down, self.blocks, list(self.heads)[1:]):
            x = down(x)
            for block in blocks:
                x = x + block(x)
            scores = scores + head(x)
        return scores


def convolved(inputs, outputs, kernel=3, stride=1):
    """Convolution that keeps the extents, without a bias, and batch normalisation."""
    return nn.Sequential(nn.Conv3d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm3d(outputs))


class SqueezedBlock(nn.Module):
    """A residual block whose channels are weighted by squeeze and excitation."""

    def __init__(self, inputs, outputs, squeezes=True):
        super().__init__()
        self.path = nn.Sequential(convolved(inputs, outputs), nn.LeakyReLU(), convolved(outputs, outputs))
        self.weights = nn.Sequential(
            nn.AdaptiveAvgPool3d(1), nn.Conv3d(outputs, 2, 1), nn.LeakyReLU(), nn.Conv3d(2, outputs, 1),
            nn.Sigmoid()) if squeezes else None
        self.shortcut = nn.Identity() if inputs == outputs else convolved(inputs, outputs, 1)

    def forward(self, x):
        result = self.path(x)
        if self.weights is not None:
            result = result * self.weights(result)
        return nn.functional.leaky_relu(result + self.shortcut(x))


class AnatomyNet(nn.Module):
    """Zhu et al. 2019: squeeze-and-excitation blocks of 28 to 34 channels at half resolution."""

    def __init__(self, classes=10):
        super().__init__()
        def blocks(inputs, outputs):
            return nn.Sequential(SqueezedBlock(inputs, outputs), SqueezedBlock(outputs, outputs))

        self.stem = nn.Sequential(convolved(1, 28, stride=2), nn.LeakyReLU())
        self.down = nn.ModuleList([blocks(28, 30), blocks(30, 32), blocks(32, 34)])
        self.up = nn.ModuleList([blocks(66, 32), blocks(62, 30), blocks(58, 28)])
        self.enlarge = nn.ConvTranspose3d(28, 14, 2, 2)
        self.end = nn.Sequential(SqueezedBlock(15, 14, squeezes=False), nn.Conv3d(14, classes, 3, padding=1))

    def forward(self, image):
        skips = [self.stem(image)]
        for down in self.down:
            skips.append(down(skips[-1]))
        x = skips.pop()
        for up in self.up:
            x = up(torch.cat([x, skips.pop()], 1))
        return self.end(torch.cat([self.enlarge(x), image], 1))


def meshnet(channels, classes=18):
    """Fedorov et al. 2017 as Brainchop has it: dilations up to 16 and back, with ReLU."""
    layers = []
    for inputs, dilation in zip([1] + [channels] * 8, [1, 2, 4, 8, 16, 8, 4, 2, 1]):
        layers += [nn.Conv3d(inputs, channels, 3, padding=dilation, dilation=dilation), nn.BatchNorm3d(channels), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv3d(channels, classes, 1))


# Of each network its maker and the extents of the image.
NETWORKS = {
    "nnunet": (lambda: nnunet("PlainConvUNet", 2, 2), (96, 96, 96)),
    "nnunet-residual": (lambda: nnunet("ResidualEncoderUNet", [1, 3, 4, 6], 1), (96, 96, 96)),
    "segresnet": (segresnet, (96, 96, 96)),
    "voxresnet": (VoxResNet, (80, 80, 80)),
    "anatomynet": (AnatomyNet, (96, 96, 96)),
    "meshnet21": (lambda: meshnet(21), (256, 256, 256)),
    "meshnet30": (lambda: meshnet(30), (256, 256, 256)),
}
SHAPES = {name: shape for name, (_, shape) in NETWORKS.items()}


def module(name):
    from compare_pytorch import randomised
    return randomised(NETWORKS[name][0]())


def torch_module(name):
    """The network as `network_definitions.torch_module` gives it: its forward pass takes the heads, of which there is one."""
    class WithHeads(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = module(name)

        def forward(self, x, heads):
            return [self.network(x)]

    return WithHeads()


def write_files(name, folder):
    """The ONNX file, segdeck's model and the image."""
    import onnx
    from convert_pytorch import convert
    from export_pytorch import write_model
    from network_definitions import image

    network, path = module(name), os.path.join(folder, name)
    x = image(SHAPES[name])
    x.tofile(path + ".f32")
    # A trace has the extents of the example, but no layer depends on them.
    example = torch.from_numpy(x[:, :, :32, :32, :32].copy())
    graph, tensors = convert(network, example)
    classes = network(example).shape[1]
    write_model(path + ".safetensors", {key: (list(value.shape), array("f", value.flatten().tolist()))
                                        for key, value in tensors.items()},
                graph, [f"class {index}" for index in range(1, classes)])
    torch.onnx.export(nn.Sequential(network, nn.Softmax(1)), (example,), path + ".onnx", dynamo=False, opset_version=17,
                      input_names=[IMAGE], output_names=["probabilities"])
    model = onnx.load(path + ".onnx")
    for value in [*model.graph.input, *model.graph.output]:
        for dimension, extent in zip(value.type.tensor_type.shape.dim[2:], SHAPES[name]):
            dimension.dim_value = extent
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save(model, path + ".onnx")


if __name__ == "__main__":
    write_files(*sys.argv[1:])
