"""Makes the files of this folder with PyTorch: python make_exported.py

A narrow heart network with random weights goes through docs/models/export_pytorch.py; its scores of a random image are
what the product must give. The same weights as the authors' Caffe would store them become narrow-heart.caffemodel.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

import torch
import torch.nn as nn
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..", "..", "..")
DOCS = os.path.join(ROOT, "docs", "models")
WIDTH = 2
torch.manual_seed(7)


class Heart(nn.Module):
    def __init__(self, w, classes):
        super().__init__()
        for name, i, o in (("1a", 1, w), ("2a", w, 2 * w), ("2b", 2 * w, 2 * w), ("3a", 2 * w, 4 * w),
                           ("3b", 4 * w, 4 * w), ("4a", 4 * w, 8 * w), ("4b", 8 * w, 8 * w)):
            setattr(self, "conv" + name, nn.Conv3d(i, o, 3, padding=1))
            setattr(self, "bn" + name, nn.BatchNorm3d(o))
        up = dict(kernel_size=4, stride=2, padding=1)
        self.deconv1, self.deconv2 = nn.ConvTranspose3d(8 * w, 4 * w, **up), nn.ConvTranspose3d(4 * w, 2 * w, **up)
        self.deconv3, self.score = nn.ConvTranspose3d(2 * w, w, **up), nn.Conv3d(w, classes, 1)
        self.aux1d, self.aux1s = nn.ConvTranspose3d(2 * w, w, bias=False, **up), nn.Conv3d(w, classes, 1)
        self.aux2d = nn.ConvTranspose3d(4 * w, 2 * w, bias=False, **up)
        self.aux2e, self.aux2s = nn.ConvTranspose3d(2 * w, w, bias=False, **up), nn.Conv3d(w, classes, 1)

    def forward(self, x):
        def block(name, t):
            return F.relu(getattr(self, "bn" + name)(getattr(self, "conv" + name)(t)))

        c2 = block("2b", block("2a", F.max_pool3d(block("1a", x), 2)))
        c3 = block("3b", block("3a", F.max_pool3d(c2, 2)))
        main = self.deconv3(self.deconv2(self.deconv1(block("4b", block("4a", F.max_pool3d(c3, 2))))))
        return self.score(main), self.aux1s(self.aux1d(c2)), self.aux2s(self.aux2e(self.aux2d(c3)))


def varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def blob(tensor):
    shape = field(1, b"".join(varint(n) for n in tensor.shape))
    return field(7, field(7, shape) + field(5, tensor.float().contiguous().flatten().numpy().tobytes()))


def caffe(state):
    """The weights as NetParameter, statistics as Caffe sums them (here 1000 batches of weight 0.5)."""
    names = {"deconv1": "Deconv1a", "deconv2": "Deconv2a", "deconv3": "Deconv3a", "score": "score_main",
             "aux1d": "Deconv_aux1a", "aux1s": "score_aux1", "aux2d": "Deconv_aux2a", "aux2e": "Deconv_aux2b",
             "aux2s": "score_aux2"}
    model = field(1, b"deep-net")
    for layer in dict.fromkeys(name.rpartition(".")[0] for name in state):
        own = {name.rpartition(".")[2]: t for name, t in state.items() if name.rpartition(".")[0] == layer}
        if layer.startswith("bn"):
            base = "conv1" if layer == "bn1a" else "conv" + layer[2:]
            sums = [own["running_mean"] * 500, own["running_var"] * 500, torch.tensor([500.0])]
            model += field(100, field(1, (base + "_batch").encode()) + b"".join(map(blob, sums)))
            model += field(100, field(1, (base + "_scale").encode()) + blob(own["weight"]) + blob(own["bias"]))
        else:
            blobs = [blob(own[part]) for part in ("weight", "bias") if part in own]
            model += field(100, field(1, names.get(layer, layer).encode()) + b"".join(blobs))
    return model


def store(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.float().contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    head = json.dumps(header).encode()
    open(path, "wb").write(struct.pack("<Q", len(head)) + head + data)


network = json.load(open(os.path.join(ROOT, "sample-data", "networks", "heart.json")))
for layer in network["layers"]:
    if "outputChannels" in layer:
        layer["outputChannels"] = layer["outputChannels"] * WIDTH // 32
json.dump(network, open(os.path.join(HERE, "narrow-heart.json"), "w"))
module = Heart(WIDTH, 3).double().eval()
with torch.no_grad():
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm3d):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.3, 1.5)
            layer.weight.normal_(1, 0.3)
            layer.bias.normal_(0, 0.3)
        elif isinstance(layer, (nn.Conv3d, nn.ConvTranspose3d)):
            layer.weight.mul_(3)
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.float().double())
    image = torch.rand(1, 1, 8, 16, 24).float()
    scores = module(image.double())
with tempfile.TemporaryDirectory() as folder:
    checkpoint = os.path.join(folder, "state.pt")
    torch.save({k: v.float() if v.is_floating_point() else v for k, v in module.state_dict().items()}, checkpoint)
    subprocess.run([sys.executable, os.path.join(DOCS, "export_pytorch.py"), checkpoint,
                    os.path.join(HERE, "narrow-heart.json"), os.path.join(HERE, "narrow-heart.safetensors"),
                    "myocardium", "blood"], check=True)
state = {k: v for k, v in module.state_dict().items() if v.is_floating_point()}
open(os.path.join(HERE, "narrow-heart.caffemodel"), "wb").write(caffe(state))
store(os.path.join(HERE, "scores.safetensors"),
      {"image": image, "main": scores[0], "aux1": scores[1], "aux2": scores[2]})
