"""Makes training cases with large spleens from cases in which the spleen is labelled.

    python3 large_spleens.py IMAGES LABELS OUT_IMAGES OUT_LABELS SPLEEN LIVER LEAST_ML MOST_ML CASE...

For each CASE, the body is stretched around the outer end of its spleen, so that the spleen grows inwards and
pushes its neighbours away, and the spleen's mean intensity is moved towards the liver's. A network that tells
the two by size or brightness alone fails on such cases; what is left is where they lie. Needs numpy, scipy, nibabel.
"""
import pathlib, sys
import nibabel, numpy
from scipy import ndimage

images, labels, outImages, outLabels = map(pathlib.Path, sys.argv[1:5])
spleen, liver = int(sys.argv[5]), int(sys.argv[6])
for folder in (outImages, outLabels):
    folder.mkdir(parents=True, exist_ok=True)

leastMillilitres, mostMillilitres = map(float, sys.argv[7:9])
for number, case in enumerate(sys.argv[9:]):
    random = numpy.random.default_rng([number, int(mostMillilitres)])
    image = nibabel.load(images / f"{case}.nii.gz")
    label = nibabel.load(labels / f"{case}.nii.gz")
    values = numpy.asarray(image.dataobj).astype(numpy.float32)
    structures = numpy.asarray(label.dataobj).astype(numpy.int16)
    millimetres = numpy.array(image.header.get_zooms()[:3], dtype=float)
    body = values > -300

    # The outer end of the spleen: its voxels farthest from the middle of the body, in the plane of the slices.
    inside = numpy.argwhere(structures == spleen)
    if len(inside) < 500:
        print(f"{case}: no spleen"); continue
    centreOfSpleen = inside.mean(axis=0)
    slice_ = body[:, :, int(centreOfSpleen[2])]
    middle = numpy.append(numpy.argwhere(slice_).mean(axis=0), centreOfSpleen[2])
    outwards = (centreOfSpleen - middle) * millimetres
    outwards /= numpy.linalg.norm(outwards)
    along = ((inside - centreOfSpleen) * millimetres) @ outwards
    pivot = centreOfSpleen + outwards * numpy.percentile(along, random.uniform(60, 97)) / millimetres

    # Radii shrink backwards by 1/magnification near the pivot, not at all from `reach` on. The magnification is the
    # first that makes the spleen as large as drawn.
    voxel = float(numpy.prod(millimetres)) / 1000
    aim = numpy.exp(random.uniform(numpy.log(leastMillilitres), numpy.log(mostMillilitres)))
    reach = random.uniform(200, 280)
    axes = [(numpy.arange(n) - p) * m for n, p, m in zip(values.shape, pivot, millimetres)]
    offsets = numpy.meshgrid(*axes, indexing="ij")
    t = numpy.clip(numpy.sqrt(sum(offset**2 for offset in offsets)) / reach, 0, 1)
    for magnification in numpy.arange(1.2, 3.6, 0.1):
        share = 1 / magnification + (1 - 1 / magnification) * t * t * (3 - 2 * t)
        source = [p + offset * share / m for offset, p, m in zip(offsets, pivot, millimetres)]
        warpedStructures = ndimage.map_coordinates(structures, source, order=0, mode="nearest")
        if (warpedStructures == spleen).sum() * voxel >= aim:
            break

    # The spleen's brightness goes part of the way to the liver's, or all of it.
    near = ndimage.gaussian_filter((structures == spleen).astype(numpy.float32), 1)
    middleOf = lambda value: float(numpy.median(values[structures == value]))
    values = values + near * random.uniform(0.3, 1.1) * (middleOf(liver) - middleOf(spleen))

    warped = ndimage.map_coordinates(values, source, order=1, mode="nearest")
    print(f"{case}: spleen {len(inside) * voxel:.0f} to {(warpedStructures == spleen).sum() * voxel:.0f} mL, "
          f"liver {(structures == liver).sum() * voxel:.0f} to {(warpedStructures == liver).sum() * voxel:.0f} mL")
    low, high = float(values.min()), float(values.max())
    for array, like, folder in ((numpy.rint(numpy.clip(warped, low, high)), image, outImages), (warpedStructures, label, outLabels)):
        like.header.set_slope_inter(1, 0)
        header = like.header.copy(); header.set_data_dtype(numpy.int16)
        nibabel.save(nibabel.Nifti1Image(array.astype(numpy.int16), like.affine, header), folder / f"{case}_large_spleen.nii.gz")
