"""Makes cases for the dense CRF, and times one library on one of them; prints one line of JSON.

  crf_peer.py make XxYxZ LABELS MODALITIES DIR
  crf_peer.py pydensecrf|simplecrf XxYxZ LABELS MODALITIES DIR --repeat N

DIR holds image.u8 (one byte per modality and voxel, modality slowest), probabilities.f32 (class slowest) and truth.u8,
x fastest. Kernels: appearance 5 voxels and a tenth of the intensity range, weight 5; smoothness 3 voxels, weight 3; five
iterations, normalised as each library does by default.
"""
import argparse
import json
import os
import resource
import time
from importlib import metadata

import numpy


def blurred(field, width):
    """A Gaussian blur through the Fourier transform, periodic."""
    spectrum = numpy.fft.rfftn(field)
    axes = [numpy.fft.fftfreq(n) for n in field.shape[:-1]] + [numpy.fft.rfftfreq(field.shape[-1])]
    for axis, frequencies in enumerate(axes):
        shape = [1] * field.ndim
        shape[axis] = -1
        spectrum *= numpy.exp(-2 * (numpy.pi * width * frequencies) ** 2).reshape(shape)
    return numpy.fft.irfftn(spectrum, field.shape).astype(numpy.float32)


def make(shape, labels, modalities, folder):
    """Ellipsoids in a body with a smooth bias and noise, and probabilities as an uncertain network gives them."""
    random = numpy.random.default_rng(7)
    z, y, x = numpy.meshgrid(*[(numpy.arange(n) + 0.5) / n * 2 - 1 for n in shape], indexing="ij", sparse=True)

    def ellipsoid(centre, radii):
        return sum(((axis - c) / r) ** 2 for axis, c, r in zip((x, y, z), centre, radii)) < 1

    truth = numpy.zeros(shape, numpy.uint8)
    body = ellipsoid((0, 0, 0), (0.92, 0.88, 0.95))
    others = [(ellipsoid(random.uniform(-0.55, 0.55, 3), random.uniform(0.1, 0.25, 3)) & body, random.random())
              for _ in range(6)]
    for label in range(1, labels):
        for _ in range(3 if label == 1 else 2):
            truth[ellipsoid(random.uniform(-0.5, 0.5, 3), random.uniform(0.13, 0.33, 3)) & body] = label
    image = numpy.empty((modalities,) + shape, numpy.uint8)
    for modality in range(modalities):
        grey = numpy.where(body, 0.38, 0.08).astype(numpy.float32)
        for where, level in others:
            grey[where] = 0.25 + 0.6 * level
        for label in range(1, labels):
            grey[truth == label] = (0.62 if modality == 0 else 0.2) + 0.36 * (label - 1) / labels
        grey += 0.04 * numpy.sin(2.1 * x + 0.7) * numpy.cos(1.7 * y - 0.3 * z) + random.normal(0, 0.07, shape)
        image[modality] = numpy.clip(numpy.rint(grey * 255), 0, 255)
    scores = numpy.empty((labels,) + shape, numpy.float32)
    for label in range(labels):
        error = blurred(random.standard_normal(shape), 2.0)
        scores[label] = (4 * (blurred(truth == label, 1.5) - 0.5) + error / error.std()
                         + 0.7 * random.standard_normal(shape))
    probabilities = numpy.exp(scores - scores.max(0))
    probabilities = numpy.clip(probabilities / probabilities.sum(0), 1e-5, 1).astype(numpy.float32)
    os.makedirs(folder, exist_ok=True)
    image.tofile(f"{folder}/image.u8")
    probabilities.tofile(f"{folder}/probabilities.f32")
    truth.tofile(f"{folder}/truth.u8")


def pydensecrf_run(image, probabilities):
    import pydensecrf.densecrf
    from pydensecrf.utils import create_pairwise_bilateral, create_pairwise_gaussian, unary_from_softmax

    labels, shape = probabilities.shape[0], image.shape[1:]

    def run():
        crf = pydensecrf.densecrf.DenseCRF(image[0].size, labels)
        crf.setUnaryEnergy(numpy.ascontiguousarray(unary_from_softmax(probabilities, clip=1e-5)))
        channels = numpy.moveaxis(image, 0, -1).astype(numpy.float32) / 255
        crf.addPairwiseEnergy(create_pairwise_bilateral((5,) * 3, (0.1,) * len(image), channels, chdim=3), compat=5)
        crf.addPairwiseEnergy(create_pairwise_gaussian((3,) * 3, shape), compat=3)
        return numpy.argmax(numpy.array(crf.inference(5)), 0).reshape(shape)

    return metadata.version("pydensecrf2"), run


def simplecrf_run(image, probabilities):
    import denseCRF3D

    settings = dict(
        MaxIterations=5.0, PosRStd=3.0, PosCStd=3.0, PosZStd=3.0, PosW=3.0, BilateralRStd=5.0, BilateralCStd=5.0,
        BilateralZStd=5.0, ModalityNum=len(image), BilateralW=5.0, BilateralModsStds=(25.5,) * len(image))
    return metadata.version("SimpleCRF"), lambda: denseCRF3D.densecrf3d(
        numpy.ascontiguousarray(numpy.moveaxis(image, 0, -1)),
        numpy.ascontiguousarray(numpy.moveaxis(probabilities, 0, -1)), settings)


def main():
    runs = {"pydensecrf": pydensecrf_run, "simplecrf": simplecrf_run}
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=["make", *runs])
    parser.add_argument("shape")
    parser.add_argument("labels", type=int)
    parser.add_argument("modalities", type=int)
    parser.add_argument("folder")
    parser.add_argument("--repeat", type=int, default=1)
    options = parser.parse_args()
    shape = tuple(int(n) for n in reversed(options.shape.split("x")))
    if options.peer == "make":
        return make(shape, options.labels, options.modalities, options.folder)
    image = numpy.fromfile(f"{options.folder}/image.u8", numpy.uint8).reshape((options.modalities,) + shape)
    probabilities = numpy.fromfile(f"{options.folder}/probabilities.f32", numpy.float32)
    truth = numpy.fromfile(f"{options.folder}/truth.u8", numpy.uint8).reshape(shape)
    version, run = runs[options.peer](image, probabilities.reshape((options.labels,) + shape))
    seconds = []
    for _ in range(options.repeat + 1):
        start = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - start)
    later = sorted(seconds[1:])
    print(json.dumps(dict(
        what=options.peer, shape=options.shape, labels=options.labels, modalities=options.modalities, version=version,
        threads=1, median_s=later[len(later) // 2], min_s=later[0], first_s=seconds[0],
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        right=float((result == truth).mean()))))


main()
