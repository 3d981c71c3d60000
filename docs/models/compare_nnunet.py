"""Compares segdeck's labels with those of nnU-Net's own predictor on networks with random weights.

  python compare_nnunet.py --segdeck ../../.build/release/segdeck [--threads N]

needs what compare_pytorch.py needs, and PyPI's nnunetv2 and nibabel. Images are noise on a ramp; one is smaller than a patch. The
table has the fraction of voxels with equal labels for nnU-Net's sums in half precision, and for the same in single precision.
"""
import argparse
import os
import subprocess
import sys
import tempfile
from array import array
from types import SimpleNamespace
from unittest import mock

import nibabel
import numpy
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

import export_pytorch
from compare_pytorch import NETWORKS, randomised
from convert_pytorch import convert

CPU = torch.device("cpu")
# Network, image and patch (z, y, x), step, weights, mirrored axes.
CASES = [
    ("plain_unet", (40, 70, 90), (16, 48, 40), 0.5, "gaussian", ()),
    ("plain_unet", (40, 70, 90), (16, 48, 40), 0.5, "gaussian", (0, 1, 2)),
    ("plain_unet", (11, 75, 37), (16, 48, 40), 0.7, "constant", (1,)),
    ("residual_encoder_unet", (53, 61, 47), (32, 32, 24), 0.5, "gaussian", (0, 2)),
]


def predicted(network, image, patch, step, weights, mirrored, type):
    """The logits of nnU-Net's predictor, which adds them in half precision unless another type takes its place."""
    predictor = nnUNetPredictor(
        tile_step_size=step, use_gaussian=weights == "gaussian", use_mirroring=bool(mirrored), perform_everything_on_device=False,
        device=CPU, allow_tqdm=False)
    predictor.network, predictor.allowed_mirroring_axes = network, mirrored or None
    predictor.configuration_manager = SimpleNamespace(patch_size=patch)
    with torch.inference_mode():
        heads = network(torch.zeros(1, 1, *patch)).shape[1]
    predictor.label_manager = SimpleNamespace(num_segmentation_heads=heads)
    with mock.patch.object(torch, "half", type):
        return predictor.predict_sliding_window_return_logits(image[None])


def compare(case, folder, options):
    name, shape, patch, step, weights, mirrored = case
    network = randomised(NETWORKS[name]())
    ramp = sum(numpy.linspace(0, 1, n).reshape([-1 if a == b else 1 for b in range(3)]) for a, n in enumerate(shape)) / 3
    image = (0.5 * ramp + 0.5 * numpy.random.default_rng(2).random(shape)).astype(numpy.float32)
    graph, tensors = convert(network, torch.zeros(1, 1, *patch))
    # As many classes as the network has, all of which occur.
    score = next(layer for layer in graph["layers"] if layer["name"] == graph["heads"][0]["layer"])
    logits = predicted(network, torch.from_numpy(image), patch, step, weights, mirrored, torch.float)
    bias = tensors[score["name"] + ".bias"] - logits.mean((1, 2, 3))
    with torch.no_grad():
        next(p for p in network.parameters() if torch.equal(p, tensors[score["name"] + ".bias"])).copy_(bias)
    tensors[score["name"] + ".bias"] = bias
    model, scan, mask = (os.path.join(folder, file) for file in ("model.safetensors", "scan.nii", "mask.nii"))
    export_pytorch.PREPROCESSING["normalisation"] = {"kind": "window", "lower": 0, "upper": 1}
    export_pytorch.write_model(
        model, {key: (list(value.shape), array("f", value.flatten().tolist())) for key, value in tensors.items()}, graph,
        [f"class {index + 1}" for index in range(len(bias) - 1)],
        tiling={"patch": patch, "step": step, "weights": weights, "mirroredAxes": ["zyx"[axis] for axis in mirrored]})
    nibabel.save(nibabel.Nifti1Image(image.transpose(), numpy.eye(4)), scan)
    subprocess.run([options.segdeck, "segment", scan, "--model", model, "--grid", "image", "-o", mask, "--force", "--threads",
                    str(options.threads)], check=True, capture_output=True)
    found = numpy.asarray(nibabel.load(mask).dataobj).transpose()
    return [(found == predicted(network, torch.from_numpy(image), patch, step, weights, mirrored, type).argmax(0).numpy()).mean()
            for type in (torch.half, torch.float)], numpy.bincount(found.ravel())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segdeck", required=True, help="path of segdeck")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    print("| network | image | patch | step | weights | mirrored | equal to half | equal to single | voxels of each label |")
    print("|---|---|---|---|---|---|---|---|---|")
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            (half, single), counts = compare(case, folder, options)
            failed |= half < 0.999
            name, shape, patch, step, weights, mirrored = case
            extents = " | ".join("x".join(map(str, extent)) for extent in (shape, patch))
            print(f"| {name} | {extents} | {step} | {weights} | {' '.join('zyx'[axis] for axis in mirrored)} "
                  f"| {half:.5%} | {single:.5%} | {' '.join(map(str, counts))} |", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
