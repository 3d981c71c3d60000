"""The large case of the benchmarks that press keys."""
import array
import math
import os
import struct

SIZE = (512, 512, 400)


def write_volume(path, slices, code, bits):
    """Writes an uncompressed NIfTI-1 file of 1 mm voxels, slice by slice."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *SIZE, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, code, bits)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 0, 0, 0, 0)
    struct.pack_into("<3f", header, 108, 352, 1, 0)
    struct.pack_into("<2h", header, 252, 0, 1)
    struct.pack_into("<12f", header, 280, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)
    header[344:348] = b"n+1\0"
    with open(path, "wb") as file:
        file.write(header)
        for values in slices:
            file.write(values.tobytes())


def waves(k):
    """A slice of the image and of the mask: products of waves, in rows that repeat with a shift."""
    row = [100 * (math.sin(i / 23) + math.sin(k / 31)) for i in range(SIZE[0])]
    image, mask = array.array("h"), array.array("B")
    for j in range(SIZE[1]):
        offset = 100 * math.sin(j / 17)
        image.extend(int(value + offset) + (i * 7 + j * 13) % 41 for i, value in enumerate(row))
        mask.extend(1 + (i // 64 + j // 96 + k // 64) % 6 if value + offset > 60 else 0 for i, value in enumerate(row))
    return image, mask


def write_case(folder):
    """Writes an image and its mask; their paths."""
    image, mask = os.path.join(folder, "image.nii"), os.path.join(folder, "mask.nii")
    # Forty slices, over and over: more take minutes to make, and would cost no frame more.
    slices = [waves(k) for k in range(40)]
    write_volume(image, (slices[k % 40][0] for k in range(SIZE[2])), 4, 16)
    write_volume(mask, (slices[k % 40][1] for k in range(SIZE[2])), 2, 8)
    return image, mask
