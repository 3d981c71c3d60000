#!/usr/bin/env python3
"""Makes the image files beside this script and expected.json, which says what a reader must find in them.

Needs numpy and nibabel; run it from anywhere: python3 make_fixtures.py. The files are the same on every run.
nibabel writes the good files and states their affine; the bad ones are good ones with a few bytes changed.
"""
import gzip
import io
import json
import struct
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np

HERE = Path(__file__).parent
SHAPE = (5, 4, 3)
OBLIQUE = np.array([[-0.84, -0.39, -0.10, 31.5], [-0.31, 1.0, -0.59, -42.25], [-0.11, 0.23, 2.43, 7.75], [0, 0, 0, 1.0]])
EXPECTED = {}


def ramp(dtype, shape=SHAPE):
    """Values that differ in every voxel and reach both signs where the type has them."""
    count = int(np.prod(shape))
    start = 0 if np.dtype(dtype).kind == "u" else -20
    values = np.arange(count, dtype=np.float64) + start
    if np.dtype(dtype).kind == "f":
        values = values * 0.37
    return values.astype(dtype).reshape(shape, order="F")


def compress(data):
    """gzip without name and time."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", filename="", mtime=0) as stream:
        stream.write(data)
    return out.getvalue()


def blocked(data, size=100):
    """Blocked gzip (BGZF) of blocks with `size` bytes of content, and the empty block at its end."""
    out = b""
    for start in range(0, len(data) + size, size):
        content = data[start : start + size]
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = deflate.compress(content) + deflate.flush()
        out += b"\x1f\x8b\x08\x04" + bytes(5) + b"\xff" + struct.pack("<H2sHH", 6, b"BC", 2, len(packed) + 25)
        out += packed + struct.pack("<II", zlib.crc32(content), len(content))
    return out


def image(array, affine=OBLIQUE, version=1, endian="<", pair=False, scaling=None):
    kind = {(1, False): nib.Nifti1Image, (2, False): nib.Nifti2Image, (1, True): nib.Nifti1Pair, (2, True): nib.Nifti2Pair}
    header = kind[version, pair].header_class(endianness=endian)
    header.set_data_dtype(array.dtype.newbyteorder(endian))
    made = kind[version, pair](array, affine, header)
    made.header.set_xyzt_units("mm")
    if scaling:
        made.header.set_slope_inter(*scaling)
    return made


def note(name, made, array):
    EXPECTED[name] = {
        "size": list((list(array.shape) + [1, 1])[:3]),
        "frames": [int(n) for n in array.shape[3:]],
        "type": array.dtype.name,
        "affine": np.asarray(made.affine, float).tolist(),
        "values": [float(v) for v in np.asarray(array, np.float64).ravel(order="F")],
    }


def single(name, made, array, compressed=False):
    data = made.to_bytes()
    (HERE / name).write_bytes(compress(data) if compressed else data)
    note(name, made, array)
    return bytearray(data)


def pair(stem, made, array, compressed=False):
    files = {key: nib.FileHolder(fileobj=io.BytesIO()) for key in ("header", "image")}
    made.to_file_map(files)
    end = ".gz" if compressed else ""
    for key, suffix in (("header", ".hdr"), ("image", ".img")):
        data = files[key].fileobj.getvalue()
        (HERE / (stem + suffix + end)).write_bytes(compress(data) if compressed else data)
    note(stem + ".hdr" + end, made, array)
    EXPECTED[stem + ".img" + end] = EXPECTED[stem + ".hdr" + end]


def main():
    types = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]
    for index, code in enumerate(types):
        for endian, mark in (("<", "le"), (">", "be")):
            version = 1 + (index + (endian == ">")) % 2
            array = ramp(code)
            single(f"nifti{version}_{code}_{mark}.nii", image(array, version=version, endian=endian), array)
    array = ramp("i2")
    plain = single("plain.nii", image(array), array)
    single("gzip.nii.gz", image(array), array, compressed=True)
    half = len(plain) // 2
    (HERE / "two_members.nii.gz").write_bytes(compress(plain[:half]) + compress(plain[half:]))
    note("two_members.nii.gz", image(array), array)
    (HERE / "blocked.nii.gz").write_bytes(blocked(plain))
    note("blocked.nii.gz", image(array), array)
    pair("pair1", image(array, pair=True), array)
    pair("pair2_be", image(array, version=2, endian=">", pair=True), array)
    pair("pair_gzip", image(array, pair=True), array, compressed=True)

    made = image(array)
    made.header.set_slope_inter(0.5, -1000)
    data = bytearray(made.to_bytes())
    data[352:] = array.tobytes(order="F")
    struct.pack_into("<2f", data, 112, 0.5, -1000)
    (HERE / "scaled.nii").write_bytes(data)
    note("scaled.nii", made, array * np.float64(0.5) - 1000)
    EXPECTED["scaled.nii"]["type"] = "int16"

    def patched(name, affine_of=None, **fields):
        """The plain file with header fields changed; nibabel says what its affine is then."""
        header = nib.Nifti1Header(bytes(plain[:348]))
        for key, value in fields.items():
            header[key] = value
        data = header.binaryblock + bytes(plain[348:])
        (HERE / name).write_bytes(data)
        if affine_of is not None:
            EXPECTED[name] = dict(EXPECTED["plain.nii"], affine=affine_of(header).tolist())

    patched("slope_zero.nii", lambda h: h.get_best_affine(), scl_slope=0, scl_inter=7)
    patched("slope_nan.nii", lambda h: h.get_best_affine(), scl_slope=np.nan, scl_inter=np.nan)
    rigid = nib.Nifti1Header(bytes(plain[:348]))
    rigid.set_qform(OBLIQUE, code=1)
    quaternion = {f"quatern_{axis}": rigid[f"quatern_{axis}"] for axis in "bcd"}
    offsets = {f"qoffset_{axis}": rigid[f"qoffset_{axis}"] for axis in "xyz"}
    patched("qform_only.nii", lambda h: h.get_best_affine(), pixdim=rigid["pixdim"], qform_code=2, sform_code=0, **quaternion, **offsets)
    patched("qform_and_sform.nii", lambda h: h.get_best_affine(), pixdim=rigid["pixdim"], qform_code=1, sform_code=3, **quaternion, **offsets)
    patched("neither_form.nii", lambda h: h.get_best_affine(), qform_code=0, sform_code=0)
    patched("micrometres.nii", lambda h: np.vstack([h.get_best_affine()[:3] / 1000, [0, 0, 0, 1]]), xyzt_units=3)
    patched("vox_offset_0.nii", lambda h: h.get_best_affine(), vox_offset=0)
    patched("bitpix_wrong.nii", lambda h: h.get_best_affine(), bitpix=64)

    flat = ramp("u1", (5, 4))
    single("two_axes.nii", image(flat), flat)
    frames = ramp("f4", SHAPE + (3,))
    single("four_axes.nii.gz", image(frames), frames, compressed=True)
    five = ramp("i2", SHAPE + (1, 2))
    single("five_axes.nii", image(five), five)
    extended = image(array)
    extended.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 100))
    single("extension.nii", extended, array)
    odd = ramp("f4")
    odd.flat[0], odd.flat[7], odd.flat[9] = np.nan, np.inf, -np.inf
    single("not_finite.nii", image(odd), odd)
    del EXPECTED["not_finite.nii"]

    mask = np.zeros(SHAPE, "f4")
    mask[1:3, 1:3, 1] = 255
    mask[4, 3, 2] = np.nan
    single("mask_255_float.nii", image(mask), mask)
    del EXPECTED["mask_255_float.nii"]
    chances = np.zeros(SHAPE + (2,), "f4")
    chances[..., 1] = np.linspace(0, 1, 60).reshape(SHAPE)
    chances[..., 0] = 1 - chances[..., 1]
    single("probabilities.nii.gz", image(chances), chances, compressed=True)

    patched("bad_dim0_is_0.nii", dim=[0, 5, 4, 3, 1, 1, 1, 1])
    patched("bad_dim0_is_9.nii", dim=[9, 5, 4, 3, 1, 1, 1, 1])
    patched("bad_dim_negative.nii", dim=[3, -5, 4, 3, 1, 1, 1, 1])
    patched("bad_dim_zero.nii", dim=[3, 5, 0, 3, 1, 1, 1, 1])
    patched("bad_dim_huge.nii", dim=[3, 32767, 32767, 32767, 1, 1, 1, 1])
    patched("bad_dim_overflow.nii", dim=[7] + [32767] * 7)
    patched("bad_datatype.nii", datatype=1)
    patched("bad_offset_negative.nii", vox_offset=-352)
    patched("bad_offset_huge.nii", vox_offset=1e12)
    patched("bad_offset_in_header.nii", vox_offset=100)
    patched("bad_offset_nan.nii", vox_offset=np.nan)
    patched("bad_sform_nan.nii", srow_x=[np.nan] * 4)
    patched("bad_sform_singular.nii", srow_y=[0] * 4)
    patched("bad_quaternion.nii", qform_code=1, sform_code=0, quatern_b=5)
    patched("bad_pixdim_nan.nii", qform_code=0, sform_code=0, pixdim=[1, np.nan, 1, 1, 1, 1, 1, 1])
    patched("bad_magic.nii", magic=b"xx1")
    patched("bad_magic_pair.nii", magic=b"ni1")
    patched("bad_size_field.nii", sizeof_hdr=0)
    (HERE / "bad_short_header.nii").write_bytes(plain[:200])
    (HERE / "bad_short_voxels.nii").write_bytes(plain[:400])
    (HERE / "bad_empty.nii").write_bytes(b"")
    (HERE / "bad_lonely.img").write_bytes(plain[352:])
    packed = compress(plain)
    (HERE / "bad_gzip_cut.nii.gz").write_bytes(packed[: len(packed) * 3 // 4])
    (HERE / "bad_gzip_checksum.nii.gz").write_bytes(packed[:-8] + b"\0\0\0\0" + packed[-4:])
    (HERE / "bad_gzip_claims.nii.gz").write_bytes(compress((HERE / "bad_dim_huge.nii").read_bytes()))
    # The header in one member, 64 MB of zeros in another: 64 kB on the disk.
    (HERE / "bomb.nii.gz").write_bytes(compress(plain[:352]) + compress(bytes(64 << 20)))
    for name, dtype in (("bad_complex.nii", "c8"), ("bad_rgb.nii", [("R", "u1"), ("G", "u1"), ("B", "u1")])):
        array = np.zeros(SHAPE, dtype)
        (HERE / name).write_bytes(image(array).to_bytes())
    # Two classes of 4 x 3 x 2 voxels, the second with a probability of voxel / 32.
    second = np.arange(24, dtype=np.float64).reshape(2, 3, 4) / 32
    both = np.stack([1 - second, second])
    np.savez_compressed(HERE / "probabilities.npz", probabilities=both.astype(np.float32))
    np.savez(HERE / "softmax_half.npz", softmax=both.astype(np.float16), other=np.zeros(3))
    np.savez_compressed(HERE / "probabilities_big_endian.npz", probabilities=both.astype(">f8"))
    np.savez(HERE / "bad_fortran.npz", probabilities=np.asfortranarray(both.astype(np.float32)))
    np.savez(HERE / "bad_integers.npz", probabilities=(both > 0.5).astype(np.uint8))
    np.savez(HERE / "bad_names.npz", first=both, second=both)
    (HERE / "expected.json").write_text(json.dumps(EXPECTED, sort_keys=True) + "\n")


main()
