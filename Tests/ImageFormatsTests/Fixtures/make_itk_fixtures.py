#!/usr/bin/env python3
"""Makes the MetaImage, NRRD and FreeSurfer files below this folder, and expected_itk.json, which says what is in them.

Needs numpy, nibabel and SimpleITK; run it from anywhere: python3 make_itk_fixtures.py. The files are the same on every run.
Headers are written here, so that every way to state something occurs. What a reader must find is what SimpleITK (MetaImage,
NRRD) and nibabel (FreeSurfer) read; where ITK does not read a file, the script says so and what the format's
specification means.
"""
import bz2
import gzip
import json
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk

HERE = Path(__file__).parent
SHAPE = (5, 4, 3)
ROTATION = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, -1.0]])
SPACING = np.array([0.9, 1.1, 2.5])
ORIGIN = np.array([-31.5, 42.25, 7.75])
LPS = np.diag([-1.0, -1, 1, 1])
TYPES = {
    "u1": ("MET_UCHAR", "uchar"), "i1": ("MET_CHAR", "signed char"), "u2": ("MET_USHORT", "unsigned short"),
    "i2": ("MET_SHORT", "short"), "u4": ("MET_UINT", "uint32"), "i4": ("MET_INT", "int"),
    "u8": ("MET_ULONG_LONG", "unsigned long long int"), "i8": ("MET_LONG_LONG", "longlong"),
    "f4": ("MET_FLOAT", "float"), "f8": ("MET_DOUBLE", "double"),
}
EXPECTED = {}


def ramp(dtype, shape=SHAPE):
    """Values that differ in every voxel and reach both signs where the type has them."""
    start = 0 if np.dtype(dtype).kind == "u" else -20
    values = np.arange(int(np.prod(shape)), dtype=np.float64) + start
    if np.dtype(dtype).kind == "f":
        values = values * 0.37
    return values.astype(dtype).reshape(shape, order="F")


def packed(data):
    return gzip.compress(data, mtime=0)


def oblique():
    affine = np.eye(4)
    affine[:3, :3] = ROTATION * SPACING
    affine[:3, 3] = ORIGIN
    return LPS @ affine


def note(name, array, affine, oracle=None):
    """Notes what is in a file; `array` has frames behind the axes of space."""
    if oracle is not None:
        read_array, read_affine = oracle
        assert np.array_equal(read_array.reshape(array.shape, order="F"), array), name
        assert np.allclose(read_affine, affine, atol=1e-5), (name, read_affine, affine)
    EXPECTED[name] = {
        "size": list((list(array.shape) + [1, 1])[:3]), "frames": [int(n) for n in array.shape[3:]],
        "type": array.dtype.newbyteorder("=").name, "affine": np.asarray(affine, float).tolist(),
        "values": [float(v) for v in np.asarray(array, np.float64).ravel(order="F")],
    }


def itk(path):
    image = sitk.ReadImage(str(path))
    array = sitk.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        array = np.moveaxis(array, -1, 0)
    dimension = image.GetDimension()
    axes = min(3, dimension)
    affine = np.eye(4)
    step = np.array(image.GetDirection()).reshape(dimension, dimension) * np.array(image.GetSpacing())
    affine[:axes, :axes] = step[:axes, :axes]
    affine[:axes, 3] = image.GetOrigin()[:axes]
    return array.T, LPS @ affine


def metaimage(name, fields, voxels=b"", others=None):
    path = HERE / "MetaImage" / name
    for other, data in (others or {}).items():
        (path.parent / other).write_bytes(data)
    text = "".join(f"{key} = {value}\n" for key, value in fields.items())
    path.write_bytes(text.encode() + voxels)
    return path


def numbers(values):
    return " ".join(repr(float(v)) for v in np.asarray(values).ravel())


def metaimages():
    affine = oblique()
    matrix = numbers(ROTATION.T)

    def fields(code="i2", data_file="LOCAL", size=SHAPE, **more):
        made = {"ObjectType": "Image", "NDims": len(size), "BinaryData": "True", "BinaryDataByteOrderMSB": "False"}
        made |= {"CompressedData": "False", "TransformMatrix": matrix, "Offset": numbers(ORIGIN)}
        made |= {"ElementSpacing": numbers(SPACING), "DimSize": " ".join(map(str, size))}
        made |= {"ElementType": TYPES[code][0]} | more
        return {key: value for key, value in made.items() if value is not None} | {"ElementDataFile": data_file}

    def add(name, array, made, voxels=b"", others=None, expected=affine, is_read_by_itk=True):
        path = metaimage(name, made, voxels, others)
        note("MetaImage/" + name, array, expected, itk(path) if is_read_by_itk else None)

    for code in TYPES:
        array = ramp(code)
        raw = array.tobytes("F")
        add(f"{code}.mha", array, fields(code), raw)
    array = ramp("i2")
    raw, big = array.tobytes("F"), array.astype(">i2").tobytes("F")
    slices = [raw[40 * k : 40 * k + 40] for k in range(3)]
    add("msb.mha", array, fields(BinaryDataByteOrderMSB=None, ElementByteOrderMSB="True"), big)
    deflated = zlib.compress(raw)
    add("zlib.mha", array, fields(CompressedData="True", CompressedDataSize=len(deflated)), deflated)
    add("zraw.mhd", array, fields(CompressedData="True", data_file="zraw.zraw"), others={"zraw.zraw": deflated})
    add("raw.mhd", array, fields(data_file="raw.raw"), others={"raw.raw": raw})
    add("skipped.mhd", array, fields(data_file="skipped.raw", HeaderSize=7), others={"skipped.raw": b"header:" + raw})
    add("last.mhd", array, fields(data_file="last.raw", HeaderSize=-1), others={"last.raw": b"any header" + raw})
    add("pattern.mhd", array, fields(data_file="slice%02d.raw 3 5 1"),
        others={f"slice{k + 3:02d}.raw": part for k, part in enumerate(slices)})
    add("list.mhd", array, fields(data_file="LIST\nslice03.raw\nslice04.raw\nslice05.raw"))
    add("position.mha", array, fields(Offset=None, Position=numbers(ORIGIN)), raw)
    add("origin.mha", array, fields(Offset=None, Origin=numbers(ORIGIN)), raw)
    add("rotation.mha", array, fields(TransformMatrix=None, Rotation=matrix), raw)
    add("orientation.mha", array, fields(TransformMatrix=None, Orientation=matrix), raw)
    text = "".join(f"{v}\n" for v in array.ravel(order="F")).encode()
    add("ascii.mha", array, fields(BinaryData="False", BinaryDataByteOrderMSB=None), text)
    channels = ramp("i2", SHAPE + (2,))
    interleaved = np.moveaxis(channels, -1, 0).tobytes("F")
    add("channels.mha", channels, fields(ElementNumberOfChannels=2), interleaved)
    add("four.mha", channels, fields(size=SHAPE + (2,), TransformMatrix=None, Offset="1 2 3 4", ElementSpacing="1 2 3 4"),
        channels.tobytes("F"), expected=LPS @ [[1, 0, 0, 1], [0, 2, 0, 2], [0, 0, 3, 3], [0, 0, 0, 1.0]])
    flat = ramp("u1", (5, 4))
    add("plane.mha", flat, fields("u1", size=(5, 4), TransformMatrix=None, Offset="1 2", ElementSpacing="0.5 2"),
        flat.tobytes("F"), expected=[[-0.5, 0, 0, -1], [0, -2, 0, -2], [0, 0, 1, 0], [0, 0, 0, 1]])

    metaimage("bad_size.mha", fields(size=(5, 4, 0)), raw)
    metaimage("bad_size_huge.mha", fields(size=(2000000000,) * 3), raw)
    metaimage("bad_size_count.mha", fields(DimSize="5 4"), raw)
    metaimage("bad_type.mha", fields(ElementType="MET_COMPLEX"), raw)
    metaimage("bad_matrix.mha", fields(TransformMatrix="1 0 0 0 1 0 0 1 0"), raw)
    metaimage("bad_number.mha", fields(ElementSpacing="1 1 1.5x"), raw)
    metaimage("bad_short.mha", fields(), raw[:100])
    metaimage("bad_zlib_cut.mha", fields(CompressedData="True"), deflated[:-20])
    metaimage("bad_zlib.mha", fields(CompressedData="True"), deflated[:10] + b"damaged!" + deflated[18:])
    metaimage("bad_parent.mhd", fields(data_file="../plain.nii"))
    metaimage("bad_root.mhd", fields(data_file="/etc/passwd"))
    metaimage("bad_missing.mhd", fields(data_file="nowhere.raw"))
    metaimage("bad_list.mhd", fields(data_file="LIST\nslice03.raw\nslice04.raw"))
    metaimage("bad_pattern.mhd", fields(data_file="slice%02d%s.raw 3 5 1"))
    metaimage("bad_object.mha", fields(ObjectType="Tube"), raw)
    (HERE / "MetaImage" / "bad_end.mha").write_bytes(b"ObjectType = Image\nNDims = 3\n")


def nrrd(name, lines, voxels=None, others=None, end="\n"):
    path = HERE / "NRRD" / name
    for other, data in (others or {}).items():
        (path.parent / other).write_bytes(data)
    text = end.join(lines) + end
    path.write_bytes(text.encode() + (b"" if voxels is None else end.encode() + voxels))
    return path


def vectors(steps):
    return " ".join("(" + ",".join(repr(float(v)) for v in step) + ")" for step in np.asarray(steps))


def nrrds():
    affine = oblique()
    steps = (ROTATION * SPACING).T
    geometry = ["space: left-posterior-superior", f"space directions: {vectors(steps)}",
                f"space origin: {vectors([ORIGIN])}", "kinds: domain domain domain"]

    def header(code="i2", encoding="raw", size=SHAPE, space=geometry, endian="little", more=()):
        lines = ["NRRD0004", "# a comment", f"type: {TYPES[code][1]}", f"dimension: {len(size)}",
                 "sizes: " + " ".join(map(str, size)), f"encoding: {encoding}", *space]
        return lines + ([f"endian: {endian}"] if endian else []) + list(more)

    def add(name, array, lines, voxels=None, others=None, expected=affine, is_read_by_itk=True, end="\n"):
        path = nrrd(name, lines, voxels, others, end)
        note("NRRD/" + name, array, expected, itk(path) if is_read_by_itk else None)

    for code in TYPES:
        array = ramp(code)
        add(f"{code}.nrrd", array, header(code, "gzip"), packed(array.tobytes("F")))
    array = ramp("i2")
    raw, big = array.tobytes("F"), array.astype(">i2").tobytes("F")
    text = " ".join(str(v) for v in array.ravel(order="F")).encode()
    slices = [raw[40 * k : 40 * k + 40] for k in range(3)]
    add("raw.nrrd", array, header(), raw)
    add("big.nrrd", array, header(endian="big"), big)
    # ITK is built without bzip2.
    add("bzip2.nrrd", array, header(encoding="bzip2"), bz2.compress(raw), is_read_by_itk=False)
    add("bzip2_members.nrrd", array, header(encoding="bz2"), bz2.compress(raw[:50]) + bz2.compress(raw[50:]),
        is_read_by_itk=False)
    add("hex.nrrd", array, header(encoding="hex"), raw.hex("\n", 20).encode())
    add("text.nrrd", array, header(encoding="text", endian=None), text)
    add("commas.nrrd", array, header(encoding="ascii", endian=None), text.replace(b" ", b", "), is_read_by_itk=False)
    add("crlf.nrrd", array, header(), raw, end="\r\n", is_read_by_itk=False)
    add("key_values.nrrd", array, header(more=["content: hello", "Some Key:=a: value\\nin two lines"]), raw)

    for name, signs in (("right-anterior-superior", [-1, -1, 1]), ("LAS", [1, -1, 1])):
        space = [f"space: {name}", f"space directions: {vectors(steps * signs)}",
                 f"space origin: {vectors([ORIGIN * signs])}"]
        add(f"{name}.nrrd", array, header(space=space), raw)
    spaced = LPS @ np.diag([1.0, 2, 3, 1])
    add("spacings.nrrd", array, header(space=["spacings: 1 2 3"]), raw, expected=spaced)
    add("no_geometry.nrrd", array, header(space=[]), raw, expected=LPS)
    add("scanner.nrrd", array, header(space=["space: scanner-xyz"] + geometry[1:3]), raw)
    add("dimension.nrrd", array, header(space=["space dimension: 3"] + geometry[1:3]), raw)
    # ITK reads lengths in any unit as millimetres.
    centimetres = ["space: LPS", f"space directions: {vectors(steps / 10)}", f"space origin: {vectors([ORIGIN / 10])}",
                   'space units: "cm" "cm" "cm"']
    add("centimetres.nrrd", array, header(space=centimetres), raw, is_read_by_itk=False)
    time = ["space: left-posterior-superior-time",
            "space directions: " + " ".join(v[:-1] + ",0)" for v in vectors(steps).split()) + " (0,0,0,5)",
            f"space origin: {vectors([ORIGIN])[:-1]},0)"]
    frames = ramp("i2", SHAPE + (2,))
    add("time.nrrd", frames, header(size=SHAPE + (2,), space=time), frames.tobytes("F"), is_read_by_itk=False)
    none_last = [geometry[0], geometry[1] + " none", geometry[2], "kinds: domain domain domain list"]
    add("list_last.nrrd", frames, header(size=SHAPE + (2,), space=none_last), frames.tobytes("F"), is_read_by_itk=False)
    none_first = [geometry[0], geometry[1].replace(": ", ": none "), geometry[2], "kinds: vector domain domain domain"]
    add("vector_first.nrrd", frames, header(size=(2,) + SHAPE, space=none_first),
        np.moveaxis(frames, -1, 0).tobytes("F"))
    flat = ramp("u1", (5, 4))
    add("plane.nrrd", flat, header("u1", size=(5, 4), space=["spacings: 0.5 2"], endian=None), flat.tobytes("F"),
        expected=LPS @ np.diag([0.5, 2, 1, 1]))

    add("detached.nhdr", array, header(more=["data file: detached.raw"]), others={"detached.raw": raw})
    add("detached_gzip.nhdr", array, header(encoding="gz", more=["datafile: detached.raw.gz"]),
        others={"detached.raw.gz": packed(raw)})
    add("list.nhdr", array, header(more=["data file: LIST", "slice1.raw", "slice3.raw", "slice5.raw"]),
        others={f"slice{2 * k + 1}.raw": part for k, part in enumerate(slices)})
    add("pattern.nhdr", array, header(more=["data file: slice%d.raw 1 5 2"]))
    add("byte_skip.nhdr", array, header(more=["byte skip: 7", "data file: byte_skip.raw"]),
        others={"byte_skip.raw": b"header:" + raw})
    add("byte_skip_last.nhdr", array, header(more=["byte skip: -1", "data file: byte_skip.raw"]))
    add("line_skip.nhdr", array, header(more=["line skip: 2", "data file: line_skip.raw"]),
        others={"line_skip.raw": b"one\ntwo\n" + raw})
    add("gzip_skip.nhdr", array, header(encoding="gzip", more=["byte skip: 5", "data file: gzip_skip.raw.gz"]),
        others={"gzip_skip.raw.gz": packed(b"other" + raw)}, is_read_by_itk=False)

    def bad(name, lines, voxels=raw):
        nrrd("bad_" + name, lines, voxels)

    bad("type.nrrd", ["type: foo" if line.startswith("type") else line for line in header()])
    bad("block.nrrd", ["type: block" if line.startswith("type") else line for line in header()])
    bad("encoding.nrrd", header(encoding="lzw"))
    bad("size.nrrd", header(size=(-5, 4, 3)))
    bad("size_huge.nrrd", header(size=(4000000000, 4000000000, 4)))
    bad("size_overflow.nrrd", header(size=(4000000, 4000000, 4000000)))
    bad("dimension.nrrd", ["dimension: 5" if line.startswith("dimension") else line for line in header()])
    bad("endian.nrrd", header(endian=None))
    bad("directions.nrrd", header(space=[geometry[0], "space directions: (1,0,0) (0,1,0)"]))
    bad("singular.nrrd", header(space=[geometry[0], "space directions: (1,0,0) (0,1,0) (1,1,0)"]))
    bad("space.nrrd", header(space=["space: anterior-right-up"] + geometry[1:]))
    bad("middle.nrrd", header(size=(5, 2, 4, 3), space=[geometry[0], "space directions: (1,0,0) none (0,1,0) (0,0,1)"]),
        frames.tobytes("F"))
    bad("twice.nrrd", header(more=["sizes: 5 4 3"]))
    bad("line.nrrd", header(more=["no field"]))
    bad("short.nrrd", header(), raw[:100])
    bad("gzip_cut.nrrd", header(encoding="gzip"), packed(raw)[:-20])
    bad("not_gzip.nrrd", header(encoding="gzip"))
    bad("bzip2.nrrd", header(encoding="bzip2"), bz2.compress(raw)[:-10] + b"0123456789")
    bad("bzip2_cut.nrrd", header(encoding="bzip2"), bz2.compress(raw)[:-10])
    bad("text.nrrd", header(encoding="text", endian=None), text.replace(b" 7", b" 7.5"))
    bad("text_range.nrrd", header("u1", "text", endian=None), b"300 " + text)
    bad("text_short.nrrd", header(encoding="text", endian=None), text[:-8] + b"        ")
    bad("hex.nrrd", header(encoding="hex"), b"0g" + raw.hex().encode())
    bad("parent.nhdr", header(more=["data file: ../plain.nii"]), None)
    bad("root.nhdr", header(more=["data file: /etc/passwd"]), None)
    bad("missing.nhdr", header(more=["data file: nowhere.raw"]), None)
    bad("list.nhdr", header(more=["data file: LIST", "slice1.raw"]), None)
    bad("magic.nrrd", ["NRRD0009"] + header()[1:])


def segmentations():
    """Segmentations as 3D Slicer writes them, with one layer and with two."""
    def lines(size, directions, kinds, segments):
        made = ["NRRD0004", "type: unsigned char", f"dimension: {len(size)}", "space: left-posterior-superior",
                "sizes: " + " ".join(map(str, size)), f"space directions: {directions}(1,0,0) (0,1,0) (0,0,1)",
                f"kinds: {kinds}domain domain domain", "encoding: gzip", "space origin: (0,0,0)"]
        for index, segment in enumerate(segments):
            made += [f"Segment{index}_{key}:={value}" for key, value in segment.items()]
        return made + ["Segmentation_MasterRepresentation:=Binary labelmap"]

    def segment(number, name, colour, value, layer):
        return {"Color": colour, "Extent": "0 4 0 3 0 2", "ID": f"Segment_{number}", "LabelValue": value, "Layer": layer,
                "Name": name, "Tags": "Segmentation.Status:inprogress|"}

    liver, lesion = np.zeros(SHAPE, "u1"), np.zeros(SHAPE, "u1")
    liver[1:4, 1:3, :] = 1
    lesion[0, 0, 0] = 2
    one = [segment(1, "liver", "0.8 0.2 0", 1, 0), segment(2, "left kidney", "0 0.6 1", 2, 0)]
    nrrd("one_layer.seg.nrrd", lines(SHAPE, "", "", one), packed((liver + lesion).tobytes("F")))
    apart = [segment(1, "liver", "0.8 0.2 0", 1, 0), segment(2, "lesion", "0 0.6 1", 1, 1)]
    both = np.stack([liver, (lesion > 0).astype("u1")])
    nrrd("apart.seg.nrrd", lines((2,) + SHAPE, "none ", "list ", apart), packed(both.tobytes("F")))
    lesion[2, 1, 1] = 2
    over = [segment(1, "liver", "0.8 0.2 0", 1, 0), segment(2, "lesion", "0 0.6 1", 2, 1)]
    both = np.stack([liver, lesion])
    nrrd("overlapping.seg.nrrd", lines((2,) + SHAPE, "none ", "list ", over), packed(both.tobytes("F")))


def freesurfer():
    affine = oblique()
    for code in ("u1", "i2", "i4", "f4"):
        array = ramp(code, SHAPE + (2,)) if code == "f4" else ramp(code)
        data = nib.MGHImage(array, affine).to_bytes()
        name = f"{code}.mgz" if code != "i2" else "i2.mgh"
        (HERE / "FreeSurfer" / name).write_bytes(packed(data) if name.endswith("z") else data)
        note("FreeSurfer/" + name, array, affine)
    data = bytearray(nib.MGHImage(ramp("u1"), affine).to_bytes())
    data[28:30] = b"\0\0"
    (HERE / "FreeSurfer" / "no_ras.mgh").write_bytes(data)
    # FreeSurfer takes coronal axes, LIA, with the centre at 0; nibabel 5 takes j and k the other way round.
    coronal = np.array([[-1.0, 0, 0, 2.5], [0, 0, 1, -1.5], [0, -1, 0, 2], [0, 0, 0, 1]])
    note("FreeSurfer/no_ras.mgh", ramp("u1"), coronal)

    def bad(name, position, change):
        changed = bytearray(nib.MGHImage(ramp("i2"), affine).to_bytes())
        changed[position : position + len(change)] = change
        (HERE / "FreeSurfer" / name).write_bytes(changed)

    bad("bad_version.mgh", 0, b"\0\0\0\2")
    bad("bad_extent.mgh", 4, b"\xff\xff\xff\xff")
    bad("bad_extent_huge.mgh", 4, b"\x7f\xff\xff\xff")
    bad("bad_type.mgh", 20, b"\0\0\0\x09")
    bad("bad_cosines.mgh", 42, b"\0" * 12)
    (HERE / "FreeSurfer" / "bad_short.mgh").write_bytes(nib.MGHImage(ramp("i2"), affine).to_bytes()[:350])


def main():
    for folder in ("MetaImage", "NRRD", "FreeSurfer"):
        (HERE / folder).mkdir(exist_ok=True)
    metaimages()
    nrrds()
    segmentations()
    freesurfer()
    (HERE / "expected_itk.json").write_text(json.dumps(EXPECTED, sort_keys=True) + "\n")


main()
