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
