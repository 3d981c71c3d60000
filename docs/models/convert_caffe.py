"""Turns a .caffemodel of the 3D-DSN release into a segdeck model: convert_caffe.py FILE.caffemodel HEART.json OUT LABEL...

Needs no Caffe: the protobuf messages NetParameter, LayerParameter and BlobProto are read field by field.
"""
import json
import struct
import sys
from array import array

from export_pytorch import write_model

CONVOLUTIONS = {c: c for c in ("conv1a", "conv2a", "conv2b", "conv3a", "conv3b", "conv4a", "conv4b")} | {
    "Deconv1a": "deconv1", "Deconv2a": "deconv2", "Deconv3a": "deconv3", "score_main": "score",
    "Deconv_aux1a": "aux1d", "score_aux1": "aux1s", "Deconv_aux2a": "aux2d", "Deconv_aux2b": "aux2e",
    "score_aux2": "aux2s"}
# conv1_batch and conv1_scale, conv2a_batch and conv2a_scale, ... are one batch normalisation here.
NORMALISATIONS = {"conv1": "bn1a"} | {c: "bn" + c[4:] for c in CONVOLUTIONS if c.startswith("conv") and c != "conv1a"}


def varint(data, place):
    value = shift = 0
    while True:
        byte = data[place]
        value, place, shift = value | (byte & 127) << shift, place + 1, shift + 7
        if byte < 128:
            return value, place


def fields(data):
    """(number, value) of each field: a number, or the bytes of anything longer."""
    place = 0
    while place < len(data):
        key, place = varint(data, place)
        kind = key & 7
        if kind == 0:
            value, place = varint(data, place)
        else:
            length, place = varint(data, place) if kind == 2 else ({1: 8, 5: 4}[kind], place)
            value, place = data[place:place + length], place + length
        yield key >> 3, value


def blob(data):
    """(shape, values) of a BlobProto: 5 data, 7 shape, 8 data in double precision, 1 to 4 the shape of old files."""
    shape, values, old = [], array("f"), {}
    for number, value in fields(data):
        if number == 5:
            values.frombytes(value)  # packed or one by one
        elif number == 8:
            values.extend(struct.unpack(f"<{len(value) // 8}d", value))
        elif number == 7:
            for _, extents in fields(value):
                place = 0
                while isinstance(extents, bytes) and place < len(extents):
                    extent, place = varint(extents, place)
                    shape.append(extent)
                if isinstance(extents, int):
                    shape.append(extents)
        elif number <= 4:
            old[number] = value
    return shape or [old[n] for n in sorted(old)], values


def tensors(model):
    found = {}
    for number, layer in fields(model):
        if number != 100:
            continue
        name = next(value.decode() for n, value in fields(layer) if n == 1)
        blobs = [blob(value) for n, value in fields(layer) if n == 7]
        base, _, kind = name.rpartition("_")
        if name in CONVOLUTIONS:
            for part, tensor in zip(("weight", "bias"), blobs):
                found[f"{CONVOLUTIONS[name]}.{part}"] = tensor
        elif kind == "scale" and base in NORMALISATIONS:
            for part, tensor in zip(("weight", "bias"), blobs):
                found[f"{NORMALISATIONS[base]}.{part}"] = tensor
        elif kind == "batch" and base in NORMALISATIONS:
            factor = blobs[2][1]  # statistics are stored as sums with their weight beside them
            for part, (shape, values) in zip(("running_mean", "running_var"), blobs):
                scaled = array("f", (v / factor[0] if factor[0] else 0 for v in values))
                found[f"{NORMALISATIONS[base]}.{part}"] = (shape, scaled)
    return found


if __name__ == "__main__":
    source, network, out, labels = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    write_model(out, tensors(open(source, "rb").read()), json.load(open(network)), labels)
