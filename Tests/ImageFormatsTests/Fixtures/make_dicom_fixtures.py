#!/usr/bin/env python3
"""Makes the DICOM files below this folder, and expected_dicom.json, which says what is in them.

Needs numpy, pydicom and highdicom, and gdcmconv (Debian's libgdcm-tools) for the compressed ones; run it from anywhere:
python3 make_dicom_fixtures.py. Names and UIDs are made up. What a reader must find is worked out here from the positions and
numbers that go into the files, not by reading them.
"""
import copy
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage, DeflatedExplicitVRLittleEndian, EnhancedMRImageStorage, ExplicitVRBigEndian,
    ExplicitVRLittleEndian, ImplicitVRLittleEndian, PositronEmissionTomographyImageStorage, SegmentationStorage)

HERE = Path(__file__).parent
OUT = HERE / "DICOM"
LABELMAP = "1.2.840.10008.5.1.4.1.1.66.7"
ROWS, COLUMNS, SLICES = 11, 15, 4
ALONG, DOWN = np.array([0.8, 0.6, 0]), np.array([-0.6, 0.8, 0])
NORMAL = np.cross(ALONG, DOWN)
SPACING = (1.1, 0.9)  # rows, columns
ORIGIN = np.array([-31.5, 42.25, 7.75])
STEP = 2.5 * NORMAL
EXPECTED = {}
ROOT = "1.2.826.0.1.3680043.10.1499"


def uid(*numbers):
    return ".".join([ROOT, *map(str, numbers)])


def pixels(k, dtype="<u2"):
    """Numbers that differ in every pixel, below 4096."""
    return (np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) * 5 + 37 * k + 100).astype(dtype)


def decimals(numbers):
    return [f"{x:.10g}" for x in numbers]


def image(k, series=1, sop_class=CTImageStorage, position=None, syntax=ExplicitVRLittleEndian):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = sop_class, syntax
    ds = FileDataset(
        None, {}, file_meta=meta, preamble=b"\0" * 128, is_implicit_VR=syntax == ImplicitVRLittleEndian,
        is_little_endian=syntax != ExplicitVRBigEndian)
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, uid(3, series, k + 1)
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.Modality, ds.SeriesDescription = "CT", "Phantom"
    ds.PatientName, ds.PatientID = "Made^Up", "0815"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid(1), uid(2, series)
    ds.FrameOfReferenceUID = uid(4)
    ds.SeriesNumber, ds.InstanceNumber = series, k + 1
    ds.ImagePositionPatient = decimals(ORIGIN + k * STEP if position is None else position)
    ds.ImageOrientationPatient = decimals([*ALONG, *DOWN])
    ds.PixelSpacing, ds.SliceThickness = decimals(SPACING), "2.5"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = ROWS, COLUMNS
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.RescaleSlope, ds.RescaleIntercept = "1", "-1024"
    ds.PixelData = pixels(k).tobytes()
    ds["PixelData"].VR = "OW"
    return ds


def affine(step=STEP, origin=ORIGIN):
    lps = np.column_stack([ALONG * SPACING[1], DOWN * SPACING[0], step, origin])
    return (np.diag([-1.0, -1, 1]) @ lps).tolist()


def expect(name, volumes, kind="uint16", matrix=None):
    """volumes: arrays [k, j, i] of values."""
    first = np.asarray(volumes[0])
    EXPECTED["DICOM/" + name] = {
        "size": list(first.shape[::-1]), "frames": [len(volumes)] if len(volumes) > 1 else [], "type": kind,
        "affine": matrix or affine(), "values": np.concatenate([np.ravel(v) for v in volumes]).astype(float).tolist()}


def save(name, instances, names=None):
    folder = OUT / name
    folder.mkdir(parents=True)
    for number, ds in enumerate(instances):
        ds.save_as(folder / (names[number] if names else f"{number:02d}.dcm"))
    return folder


HOUNSFIELD = np.array([pixels(k) for k in range(SLICES)]).astype(float) - 1024


def plain():
    """Uncompressed, in every encoding of elements, and compressed in every way that GDCM decodes."""
    for name, syntax in [("explicit", ExplicitVRLittleEndian), ("implicit", ImplicitVRLittleEndian),
                         ("deflated", DeflatedExplicitVRLittleEndian)]:
        save(name, [image(k, syntax=syntax) for k in range(SLICES)])
        expect(name, [HOUNSFIELD])
    big = [image(k, syntax=ExplicitVRBigEndian) for k in range(SLICES)]
    for k, ds in enumerate(big):
        ds.PixelData = pixels(k, ">u2").tobytes()
    save("big_endian", big)
    expect("big_endian", [HOUNSFIELD])
    for name, option in [("jpeg_lossless", "--jpeg"), ("jpegls", "--jpegls"), ("jpeg2000", "--j2k"), ("rle", "--rle")]:
        folder = OUT / name
        folder.mkdir()
        for file in sorted((OUT / "explicit").iterdir()):
            subprocess.run(["gdcmconv", option, file, folder / file.name], check=True, capture_output=True)
        expect(name, [HOUNSFIELD])


def series():
    """Orders, names, numbers and places."""
    shuffled = [image(k) for k in (2, 0, 3, 1)]
    for number, ds in enumerate(shuffled):
        ds.InstanceNumber = number + 1
    save("shuffled", shuffled, ["b", "DX", "0001", "image"])
    (OUT / "shuffled" / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 8)
    (OUT / "shuffled" / "notes.txt").write_text("no image\n")
    expect("shuffled", [HOUNSFIELD])

    signed = [image(k) for k in range(SLICES)]
    for k, ds in enumerate(signed):
        ds.PixelRepresentation, ds.RescaleIntercept = 1, "0"
        ds.PixelData = ((pixels(k).astype(int) - 1024) & 0xFFF | 0xA000).astype("<u2").tobytes()
    save("signed_12_bits", signed)
    expect("signed_12_bits", [HOUNSFIELD], "int16")

    high = [image(k) for k in range(SLICES)]
    for k, ds in enumerate(high):
        ds.HighBit = 15
        ds.PixelData = (pixels(k) << 4 | 9).astype("<u2").tobytes()
    save("high_bits", high)
    expect("high_bits", [HOUNSFIELD])

    pet = [image(k, sop_class=PositronEmissionTomographyImageStorage) for k in range(SLICES)]
    for k, ds in enumerate(pet):
        ds.Modality, ds.RescaleSlope, ds.RescaleIntercept = "PT", f"{0.5 + 0.25 * k}", "0"
    save("slopes", pet)
    expect("slopes", [np.array([pixels(k) * (0.5 + 0.25 * k) for k in range(SLICES)])], "float32")

    step = STEP + np.array([0.2, 0.5, 0])
    save("tilted", [image(k, position=ORIGIN + k * step) for k in range(SLICES)])
    expect("tilted", [HOUNSFIELD], matrix=affine(step))

    times = []
    for k in range(SLICES):
        for time in range(2):
            ds = image(k)
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid(3, 1, k + 1, time + 1)
            ds.InstanceNumber, ds.AcquisitionNumber = 2 * k + time + 1, time + 1
            ds.PixelData = (pixels(k) + 1000 * time).astype("<u2").tobytes()
            times.append(ds)
    save("times", times)
    expect("times", [HOUNSFIELD, HOUNSFIELD + 1000])

    save("two_series", [image(k) for k in range(3)] + [image(k, series=2) for k in range(SLICES)])


def enhanced():
    """One file with functional groups: two time points of three slices, in an order of its own."""
    ds = image(0, sop_class=EnhancedMRImageStorage)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept"):
        delattr(ds, keyword)
    ds.Modality = "MR"
    shared, frames, numbers = Dataset(), [], []
    orientation, measures = Dataset(), Dataset()
    orientation.ImageOrientationPatient = decimals([*ALONG, *DOWN])
    measures.PixelSpacing, measures.SliceThickness = decimals(SPACING), "2.5"
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Sequence([orientation]), Sequence([measures])
    for time in (1, 0):
        for k in (2, 0, 1):
            frame, content, position, value = Dataset(), Dataset(), Dataset(), Dataset()
            content.TemporalPositionIndex, content.StackID, content.InStackPositionNumber = time + 1, "1", k + 1
            position.ImagePositionPatient = decimals(ORIGIN + k * STEP)
            value.RescaleSlope, value.RescaleIntercept, value.RescaleType = "2", "-3", "US"
            frame.FrameContentSequence, frame.PlanePositionSequence = Sequence([content]), Sequence([position])
            frame.PixelValueTransformationSequence = Sequence([value])
            frames.append(frame)
            numbers.append(pixels(k + 10 * time))
    ds.SharedFunctionalGroupsSequence, ds.PerFrameFunctionalGroupsSequence = Sequence([shared]), Sequence(frames)
    ds.NumberOfFrames, ds.PixelData = len(frames), np.array(numbers).tobytes()
    save("enhanced", [ds])
    expect("enhanced", [np.array([pixels(k + 10 * t) for k in range(3)]) * 2.0 - 3 for t in range(2)])


SEGMENTS = [("Liver", [41661, 41167, 40792]), ("Left kidney", [43803, 26565, 37722])]


def region(number, k):
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[2 + k:7, 2 + 6 * number:7 + 6 * number] = True
    return mask


def segmentation(frames, kind="BINARY", syntax=ExplicitVRLittleEndian):
    """frames: (segment number, k, array)."""
    labelmap = kind == "LABELMAP"
    ds = image(0, series=9, sop_class=LABELMAP if labelmap else SegmentationStorage, syntax=syntax)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept"):
        delattr(ds, keyword)
    ds.Modality, ds.SegmentationType = "SEG", kind
    ds.SegmentSequence = Sequence()
    for number, (label, colour) in enumerate(SEGMENTS):
        item = Dataset()
        item.SegmentNumber, item.SegmentLabel, item.RecommendedDisplayCIELabValue = number + 1, label, colour
        ds.SegmentSequence.append(item)
    bits = 1 if kind == "BINARY" else 8
    ds.BitsAllocated = ds.BitsStored = bits
    ds.HighBit = bits - 1
    if kind == "FRACTIONAL":
        ds.SegmentationFractionalType, ds.MaximumFractionalValue = "PROBABILITY", 200
    source, shared, per_frame = Dataset(), Dataset(), []
    source.SeriesInstanceUID = uid(2, 1)
    ds.ReferencedSeriesSequence = Sequence([source])
    orientation, measures = Dataset(), Dataset()
    orientation.ImageOrientationPatient = decimals([*ALONG, *DOWN])
    measures.PixelSpacing, measures.SliceThickness, measures.SpacingBetweenSlices = decimals(SPACING), "2.5", "2.5"
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Sequence([orientation]), Sequence([measures])
    for number, k, _ in frames:
        frame, position = Dataset(), Dataset()
        position.ImagePositionPatient = decimals(ORIGIN + k * STEP)
        frame.PlanePositionSequence = Sequence([position])
        if not labelmap:
            identification = Dataset()
            identification.ReferencedSegmentNumber = number
            frame.SegmentIdentificationSequence = Sequence([identification])
        per_frame.append(frame)
    ds.SharedFunctionalGroupsSequence, ds.PerFrameFunctionalGroupsSequence = Sequence([shared]), Sequence(per_frame)
    ds.NumberOfFrames = len(frames)
    stack = np.array([array for _, _, array in frames])
    data = np.packbits(stack.ravel().astype(bool), bitorder="little") if bits == 1 else stack.astype("u1")
    ds.PixelData = data.tobytes() + b"\0" * (data.size % 2)
    ds["PixelData"].VR = "OB"
    return ds


def masks():
    """Slices 1 and 3 of an image of four; slice 2 is left out."""
    values = np.zeros((3, ROWS, COLUMNS))
    for number in (0, 1):
        for k in (1, 3):
            values[k - 1][region(number, k)] = number + 1
    matrix = affine(origin=ORIGIN + STEP)
    frames = [(n + 1, k, region(n, k)) for n in (0, 1) for k in (3, 1)]
    save("segmentation", [segmentation(frames)], ["binary.dcm"])
    expect("segmentation/binary.dcm", [values], "uint8", matrix)
    fractional = [(n, k, np.where(mask, 150, 99)) for n, k, mask in frames]
    segmentation(fractional, "FRACTIONAL").save_as(OUT / "segmentation" / "fractional.dcm")
    expect("segmentation/fractional.dcm", [values], "uint8", matrix)
    maps = [(0, k, values[k - 1]) for k in (3, 1)]
    segmentation(maps, "LABELMAP").save_as(OUT / "segmentation" / "labelmap.dcm")
    expect("segmentation/labelmap.dcm", [values], "uint8", matrix)
    both = [(n + 1, 1, region(0, 1)) for n in (0, 1)]
    segmentation(both).save_as(OUT / "segmentation" / "overlapping.dcm")


shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
plain()
series()
enhanced()
masks()
(HERE / "expected_dicom.json").write_text(json.dumps(EXPECTED, separators=(",", ":")) + "\n")
