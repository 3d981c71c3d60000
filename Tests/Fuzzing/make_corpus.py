"""Writes the inputs with which fuzzing begins, where no fixture of ImageFormatsTests has that form. Python 3, pydicom."""

import bz2
import json
import pathlib
import struct
import zlib

import pydicom
import pydicom.encaps

here = pathlib.Path(__file__).parent
corpus = here / "corpus"
fixtures = here.parent / "ImageFormatsTests" / "Fixtures"
networks = here.parent.parent / "sample-data" / "networks"


def put(name, content):
    file = corpus / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def frame(folder):
    dataset = pydicom.dcmread(fixtures / "DICOM" / folder / "01.dcm")
    return next(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1))


voxels = bytes(range(120))
put("bzip2/whole", bz2.compress(voxels))
put("bzip2/members", bz2.compress(voxels[:60]) + bz2.compress(voxels[60:]))

for target, folder in (("jpeg", "jpeg_lossless"), ("jpegls", "jpegls"), ("jpeg2000", "jpeg2000"), ("rle", "rle")):
    put(f"dicom-{target}/whole", frame(folder))

put("label-names-json/own", '{"labels": [{"value": 6, "name": "liver", "colour": "#0072b2"}, {"value": 7}]}')
put("label-names-json/nnunet", '{"labels": {"background": 0, "liver": 6, "whole": [1, 2], "ignore": 3}}')
put("label-names-json/decathlon", '{"labels": {"0": "background", "6": "liver \\u00e9"}}')
put("label-names-text/itk-snap", '# ITK-SnAP\n    0 0 0 0 0 0 0 "Clear Label"\n    6 255 0 0 1 1 1 "liver"\n')
put("label-names-text/freesurfer", "#No. Label R G B A\n0 Unknown 0 0 0 0\n17 Left-Hippocampus 220 216 20 0\n")
put("label-names-text/mricron", "1 Precentral_L 2001\n2 Precentral_R 2002\n")
put("label-names-table/bids", "index\tname\tcolor\n1\tGM\t#ff53bb\n2\tn/a\tn/a\n")

put("worklist/plain", 'case,image,mask,mask:b,probabilities,age\na,a.nii,b.nii,,p.npz,4\n"b ""1""",c.nii,,d.nii,,\n')
put("case-record/whole", json.dumps({
    "sequence": 7, "time": "2026-01-01T00:00:00.000Z", "reader": "a", "host": "h", "case": "c\n1", "image": "c.nii",
    "event": "decided", "verdict": "accepted", "flagged": True, "score": 4, "comment": "\u00e9", "tags": ["x", "y"],
    "seconds": 12.5, "version": "seg", "exported": "out/c.nii"}))

runs = b"".join(struct.pack("<BBH", 0x80, 0x10, label) for label in (0, 6))
put("journal-voxels/whole", zlib.compress(runs))
line = b"segdeck journal 1"
journal = line + b" %08x\n" % zlib.crc32(line)
text, packed = b'{"kind":"opened"}', zlib.compress(runs)
header = struct.pack("<IIQI", len(text) | 1 << 31, zlib.crc32(text), len(packed), zlib.crc32(packed))
journal += header + struct.pack("<I", zlib.crc32(header)) + text + packed + text
put("journal/whole", journal)

graph = {"inputChannels": 1, "heads": [{"name": "main", "layer": "c", "lossWeight": 1}], "layers": [
    {"name": "c", "kind": "convolution", "input": "input", "outputChannels": 2, "kernel": [1, 1, 1],
     "padding": [0, 0, 0]}]}
put("network/one-layer", json.dumps(graph))
joins = {"inputChannels": 2, "heads": [{"name": "main", "layer": "sum"}], "layers": [
    {"name": "twice", "kind": "concatenate", "input": ["input", "input"]},
    {"name": "c", "kind": "convolution", "input": ["twice"], "outputChannels": 2, "kernel": 1},
    {"name": "sum", "kind": "add", "input": ["c", "input"]}]}
put("network/joins", json.dumps(joins))
put("network/liver", (networks / "liver.json").read_bytes())
tensors = {"__metadata__": {"segdeck.format": "1", "network": json.dumps(graph)},
           "c.weight": {"dtype": "F32", "shape": [2, 1, 1, 1, 1], "data_offsets": [0, 8]},
           "c.bias": {"dtype": "F16", "shape": [2], "data_offsets": [8, 12]}}
text = json.dumps(tensors).encode()
put("model/one-layer", struct.pack("<Q", len(text)) + text + struct.pack("<ff", 1, 2) + bytes(4))


def varint(value):
    value &= (1 << 64) - 1
    encoded = b""
    while value >= 0x80:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def message(*fields):
    """Protocol Buffers: pairs of a field's number and its value, an integer, a text, bytes or a float."""
    encoded = b""
    for number, value in fields:
        if isinstance(value, int):
            encoded += varint(number << 3) + varint(value)
        elif isinstance(value, float):
            encoded += varint(number << 3 | 5) + struct.pack("<f", value)
        else:
            value = value.encode() if isinstance(value, str) else value
            encoded += varint(number << 3 | 2) + varint(len(value)) + value
    return encoded


def attribute(name, value):
    if isinstance(value, list):
        return message((1, name), *((8, item) for item in value), (20, 7))
    number, kind = {int: (3, 2), float: (2, 1), str: (4, 3)}[type(value)]
    return message((1, name), (number, value), (20, kind))


def onnx_node(operation, inputs, output, **attributes):
    return (1, message(*((1, name) for name in inputs), (2, output), (3, "n" + output), (4, operation),
                       *((5, attribute(name, value)) for name, value in attributes.items())))


def onnx_tensor(name, shape, *values):
    elements = struct.pack(f"<{len(values)}f", *values)
    return (5, message(*((1, extent) for extent in shape), (2, 1), (8, name), (9, elements)))


def onnx_integers(name, *values):
    return (5, message((1, len(values)), (2, 7), (8, name), (7, b"".join(map(varint, values)))))


def onnx_value(number, name, shape):
    axes = message(*((1, message((1, extent)) if extent else message((2, "n"))) for extent in shape))
    return (number, message((1, name), (2, message((1, message((1, 1), (2, axes)))))))


def onnx_model(opset, *graph, shape=(1, 2, 0, 0, 0)):
    graph = message(*graph, onnx_value(11, "x", shape), onnx_value(12, "y", ()))
    return message((1, 8), (7, graph), (8, message((2, opset))))


convolution = onnx_node("Conv", ["x", "c.weight"], "a", kernel_shape=[1, 1, 3], pads=[0, 0, 1, 0, 0, 1])
weight = onnx_tensor("c.weight", (2, 2, 1, 1, 3), *range(12))
put("onnx/residual", onnx_model(
    13, convolution, weight, onnx_node("BatchNormalization", ["a", "s", "s", "s", "s"], "b", epsilon=0.001), onnx_tensor("s", (2,), 1, 2),
    onnx_node("LeakyRelu", ["b"], "d", alpha=0.1), onnx_node("Add", ["d", "x"], "e"), onnx_node("Concat", ["e", "x"], "f", axis=1),
    onnx_node("Softmax", ["f"], "y", axis=1)))
put("onnx/groups-and-shapes", onnx_model(
    17, convolution, weight, onnx_integers("g", 0, 2, -1), onnx_node("Reshape", ["a", "g"], "b"), onnx_tensor("one", (2,), 1, 1),
    onnx_tensor("zero", (2,), 0, 0), onnx_node("InstanceNormalization", ["b", "one", "zero"], "d"), onnx_node("Shape", ["a"], "e"),
    onnx_node("Reshape", ["d", "e"], "f"), onnx_node("Sigmoid", ["f"], "h"), onnx_node("Mul", ["f", "h"], "i"),
    onnx_node("Shape", ["i"], "j", start=2), onnx_integers("two", 2), onnx_node("Mul", ["j", "two"], "k"), onnx_node("Shape", ["i"], "l", end=2),
    onnx_node("Concat", ["l", "k"], "m", axis=0), onnx_node("Resize", ["i", "", "", "m"], "y", mode="linear")))
put("onnx/padding", onnx_model(
    11, onnx_integers("w", 0, 0, 1, 2), onnx_integers("r", 6), onnx_node("ConstantOfShape", ["r"], "z"),
    onnx_node("Cast", ["z"], "zi", to=7), onnx_node("Concat", ["w", "zi"], "p", axis=0), onnx_integers("t", -1, 2),
    onnx_node("Reshape", ["p", "t"], "q"), onnx_integers("last", -1), onnx_integers("least", -2 ** 63), onnx_integers("first", 0),
    onnx_node("Slice", ["q", "last", "least", "first", "last"], "u"), onnx_node("Transpose", ["u"], "v", perm=[1, 0]),
    onnx_integers("flat", -1), onnx_node("Reshape", ["v", "flat"], "pads"), onnx_node("Pad", ["x", "pads"], "a", mode="edge"),
    onnx_node("MaxPool", ["a"], "b", kernel_shape=[2, 2, 2], strides=[2, 2, 2]), onnx_node("PRelu", ["b", "slope"], "y"),
    onnx_tensor("slope", (2, 1, 1, 1), 0.1, 0.2)))
put("onnx/channels-last", onnx_model(
    13, onnx_node("Transpose", ["x"], "a", perm=[0, 3, 1, 2]), onnx_node("ConvTranspose", ["a", "u"], "b", strides=[2, 2], auto_pad="SAME_UPPER"),
    onnx_tensor("u", (2, 3, 2, 2), *range(24)), onnx_node("ReduceMean", ["b"], "d", axes=[2, 3], keepdims=0),
    onnx_node("Gemm", ["d", "w"], "e", transB=1), onnx_tensor("w", (3, 3), *range(9)), onnx_node("Unsqueeze", ["e", "axes"], "f"),
    onnx_integers("axes", 2, 3), onnx_node("Mul", ["b", "f"], "g"), onnx_node("Transpose", ["g"], "y", perm=[0, 2, 3, 1]), shape=(0, 8, 12, 2)))
put("onnx/external", onnx_model(
    17, convolution, (5, message((1, 2), (1, 2), (1, 1), (1, 1), (1, 3), (2, 1), (8, "c.weight"), (13, message((1, "location"), (2, "../w.bin"))),
                                 (13, message((1, "length"), (2, "48"))), (14, 1))), onnx_node("Elu", ["a"], "y")))
