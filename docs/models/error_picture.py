"""Draws where masks differ from the reference: error_picture.py OUT.png NAME=REFERENCE.nii.gz,MASK.nii.gz[,VALUE...] ...

One row per case: axial, coronal and sagittal slice through the place where most voxels differ. Grey is common to both,
blue is missing in the mask, orange is too much. VALUEs are the reference's labels that count as the structure; without
them every value is compared as it is. Needs numpy, nibabel and Pillow. No intensities are drawn.
"""
import sys

import nibabel
import numpy
from PIL import Image, ImageDraw

COLOURS = numpy.array([[20, 20, 24], [128, 132, 140], [64, 140, 255], [255, 140, 32]], numpy.uint8)
HEIGHT = 220


def difference(reference, mask, values):
    """0 background, 1 common, 2 missing, 3 too much, on the axes R, A, S."""
    a, b = (nibabel.as_closest_canonical(nibabel.load(path)) for path in (reference, mask))
    labels, found = (numpy.asarray(image.dataobj).round().astype(int).squeeze() for image in (a, b))
    if values:
        labels, found = numpy.isin(labels, values).astype(int), (found > 0).astype(int)
    result = numpy.where(labels == found, numpy.where(labels > 0, 1, 0), numpy.where(labels > 0, 2, 3))
    return result, numpy.abs(numpy.diag(a.affine)[:3]) if numpy.count_nonzero(a.affine[:3, :3]) == 3 else a.header.get_zooms()


def panels(classes, spacing):
    """The three slices with the most differing voxels, seen as a radiologist sees them, each HEIGHT pixels high."""
    wrong = classes > 1
    box = tuple(slice(max(0, axis.min() - 4), axis.max() + 5) for axis in numpy.nonzero(classes))
    for axis in (2, 1, 0):
        others = tuple(other for other in range(3) if other != axis)
        k = int(wrong.sum(axis=others).argmax())
        plane = numpy.take(classes, k, axis)[box[others[0]], box[others[1]]]
        plane = plane[::-1, ::-1].T  # right or front on the left, top up
        height, width = plane.shape[0] * spacing[others[1]], plane.shape[1] * spacing[others[0]]
        picture = Image.fromarray(COLOURS[plane])
        yield picture.resize((max(1, round(HEIGHT * width / height)), HEIGHT), Image.NEAREST)


def main():
    rows = []
    for argument in sys.argv[2:]:
        name, paths = argument.split("=", 1)
        reference, mask, *values = paths.split(",")
        rows.append((name, list(panels(*difference(reference, mask, [int(value) for value in values])))))
    width = max(sum(picture.width + 8 for picture in pictures) for _, pictures in rows) + 8
    sheet = Image.new("RGB", (width, len(rows) * (HEIGHT + 28) + 8), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    for row, (name, pictures) in enumerate(rows):
        y = row * (HEIGHT + 28) + 6
        draw.text((8, y), name, fill=(0, 0, 0))
        x = 8
        for picture in pictures:
            sheet.paste(picture, (x, y + 16))
            x += picture.width + 8
    sheet.quantize(64).save(sys.argv[1], optimize=True)


if __name__ == "__main__":
    main()
