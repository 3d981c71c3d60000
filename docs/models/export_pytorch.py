"""Writes a PyTorch state dict as a segdeck model: export_pytorch.py STATE.pt NETWORK.json OUT.safetensors LABEL...

NETWORK.json is the layer graph; tensors are taken by its names. RENAME and the preprocessing are yours to edit.
"""
import json
import struct
import sys
from array import array

RENAME = {}  # names there -> names here, such as {"encoder.0": "conv1a", "encoder.1": "bn1a"}
PREPROCESSING = {"orientation": "RAS", "spacingMillimetres": {"i": 1, "j": 1, "k": 1},
                 "normalisation": {"kind": "standard-score"}}  # or {"kind": "window", "lower": -125, "upper": 240}
# Of a network with several input channels, "channels": [{"name": "T1", "normalisation": {...}}, ...] instead.


def write_model(path, tensors, network, labels, tiling=None):
    """tensors: {name: (shape, array('f'))}; every head gets a channel for each label and, without sigmoid, the background;
    tiling, where there is one, the patches in which the network runs."""
    channels = {head["layer"]: len(labels) + (head.get("activation") != "sigmoid") for head in network["heads"]
                if head.get("lossWeight") != 0}
    for layer in network["layers"]:
        if layer["name"] in channels:
            layer["outputChannels"] = channels[layer["name"]]
    named = [{"value": i + 1, "name": name, "colour": {"red": 230, "green": 159 - 40 * i % 160, "blue": 80 * i % 256}}
             for i, name in enumerate(labels)]
    texts = {"segdeck.format": "1", "network": network, "labels": named, "preprocessing": PREPROCESSING}
    if tiling:
        texts["tiling"] = tiling
    header, data = {"__metadata__": {k: v if isinstance(v, str) else json.dumps(v) for k, v in texts.items()}}, b""
    for name, (shape, values) in sorted(tensors.items()):
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(data), len(data) + 4 * len(values)]}
        data += values.tobytes()  # little-endian, as the machine
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    open(path, "wb").write(struct.pack("<Q", len(head)) + head + data)


if __name__ == "__main__":
    import torch

    state, network, out, labels = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    tensors = {}
    for name, tensor in torch.load(state, map_location="cpu", weights_only=True).items():
        layer, _, kind = name.rpartition(".")
        if kind != "num_batches_tracked":
            values = array("f", tensor.float().flatten().tolist())
            shape = tensor.unsqueeze(2).shape if tensor.dim() == 4 else tensor.shape  # of a 2D network: one plane
            tensors[RENAME.get(layer, layer) + "." + kind] = (shape, values)
    write_model(out, tensors, json.load(open(network)), labels)
