"""Compares segdeck's scores with onnxruntime's on ONNX files that PyTorch's exporters wrote.

  python compare_onnx.py --segdeck ../../.build/release/segdeck --bench ../../.build/release/segdeck-bench
                         [--networks NAME,...] [--exporters old,new] [--opset N] [--threads N] [--files FILE,...]

needs what compare_pytorch.py needs, and onnx, onnxscript and onnxruntime. The networks are those of compare_pytorch.py, with
random weights: exported by both of torch's exporters, with free extents or, where torch.export cannot, with each shape's, imported by `segdeck import`, and run on noise of
shapes that are not cubic. The table has the greatest difference of a score, as a fraction of the greatest score, and for
`segdeck export` of the imported model that of onnxruntime with the exported file. --files compares files instead, on noise of
the extents that they fix, or of 48x32x64.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime
import torch

from compare_pytorch import NETWORKS, SHAPES, randomised

EXPORTERS = {"old": False, "new": True}


def export(module, channels, path, is_new, opset, shape=None):
    """Writes a module with free extents, or with those of `shape`."""
    example = torch.zeros(1, channels, *(shape or (32, 32, 32)))
    if is_new:
        axes = {axis: torch.export.Dim.AUTO for axis in (2, 3, 4)}
        torch.onnx.export(module, (example,), path, dynamo=True, opset_version=opset or 20, verbose=False,
                          dynamic_shapes=None if shape else (axes,))
    else:
        axes = {2: "z", 3: "y", 4: "x"}
        torch.onnx.export(module, (example,), path, dynamo=False, opset_version=opset or 17, input_names=["image"],
                          output_names=["scores"], dynamic_axes={"image": axes, "scores": axes})


def run_onnx(path, example, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: example})[0]


def command(options, *words):
    finished = subprocess.run([options.segdeck, *words], capture_output=True, text=True)
    if finished.returncode:
        raise RuntimeError(finished.stderr.strip())


def import_model(options, path, model, classes, channels):
    labels = [word for index in range(1, classes) for word in ("--label", f"{index}=class {index}")]
    names = [word for index in range(channels) for word in ("--channel", f"image {index}")] if channels > 1 else []
    command(options, "import", path, "-o", model, "--axes", "zyx", "--orientation", "RAS", "--spacing", "1",
            "--normalise", "score", "--force", *labels, *names)


def scores(options, model, example, folder):
    image, output = os.path.join(folder, "input.f32"), os.path.join(folder, "scores.f32")
    example.tofile(image)
    shape = (1,) * (5 - example.ndim) + example.shape[2:]
    subprocess.run([options.bench, "scores", model, image, "--shape", "x".join(map(str, shape[::-1])), "-o", output,
                    "--threads", str(options.threads)], check=True, capture_output=True)
    return numpy.fromfile(output, numpy.float32)


def difference(found, wanted):
    return numpy.abs(found - wanted.ravel()).max() / numpy.abs(wanted).max()


def noise(channels, shape):
    return numpy.random.default_rng(1).standard_normal((1, channels) + shape).astype(numpy.float32)


def compare_network(options, name, exporter, folder):
    """The cells of a row."""
    module = randomised(NETWORKS[name]())
    channels = next(module.parameters()).shape[1]
    path, model, again = (os.path.join(folder, file) for file in ("network.onnx", "network.safetensors", "again.onnx"))
    is_free = True
    try:
        export(module, channels, path, EXPORTERS[exporter], options.opset)
    except torch.onnx.errors.OnnxExporterError:  # torch.export cannot free the extents of every network.
        is_free = False
    classes = module(torch.zeros(1, channels, 32, 32, 32)).shape[1]
    cells = []
    for shape in SHAPES:
        if not is_free:
            export(module, channels, path, True, options.opset, shape)
        if not is_free or not cells:
            import_model(options, path, model, classes, channels)
            command(options, "export", model, "-o", again, "--force")
        example = noise(channels, shape)
        wanted = run_onnx(path, example, options.threads)
        cells.append(difference(scores(options, model, example, folder), wanted))
    cells.append(difference(run_onnx(again, noise(channels, SHAPES[-1]), options.threads).ravel(), wanted))
    return cells


def compare_file(options, path, folder):
    """The cell of a row; images of the file may have their channels last."""
    file = onnx.load(path, load_external_data=False)
    known = {tensor.name for tensor in file.graph.initializer}
    images = [value for value in file.graph.input if value.name not in known]
    extents = [[axis.dim_value for axis in image.type.tensor_type.shape.dim] for image in images]
    channel_axis = -1 if options.channels_last else 1
    channels = [shape[channel_axis] for shape in extents]
    in_space = extents[0][1:-1] if options.channels_last else extents[0][2:]
    shape = tuple(extent or default for extent, default in zip(in_space, (48, 32, 64)[-len(in_space):]))
    example = noise(sum(channels), shape)
    parts = numpy.split(example, numpy.cumsum(channels)[:-1], axis=1)
    if options.channels_last:
        parts = [numpy.moveaxis(part, 1, -1) for part in parts]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    wanted = session.run(None, {image.name: part for image, part in zip(images, parts)})[0]
    if options.channels_last:
        wanted = numpy.moveaxis(wanted, -1, 1)
    model = os.path.join(folder, "file.safetensors")
    import_model(options, path, model, wanted.shape[1], sum(channels))
    found = scores(options, model, example, folder).reshape(wanted.shape)
    if any(node.op_type == "Softmax" for node in file.graph.node[-3:]):
        found = numpy.exp(found - found.max(axis=1, keepdims=True))
        found = found / found.sum(axis=1, keepdims=True)
    return [difference(found.ravel(), wanted)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segdeck", required=True, help="path of segdeck")
    parser.add_argument("--bench", required=True, help="path of segdeck-bench")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--exporters", default="old,new")
    parser.add_argument("--opset", type=int, help="version of the operators; by default 17 of the old exporter, 20 of the new")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--files", default="")
    parser.add_argument("--channels-last", action="store_true", help="of --files")
    options = parser.parse_args()
    if options.files:
        rows = [((path,), lambda folder, path=path: compare_file(options, path, folder)) for path in options.files.split(",")]
        titles = ["file", "difference"]
    else:
        rows = [((name, exporter), lambda folder, name=name, exporter=exporter: compare_network(options, name, exporter, folder))
                for name in options.networks.split(",") for exporter in options.exporters.split(",")]
        titles = ["network", "exporter"] + ["x".join(map(str, shape)) for shape in SHAPES] + ["`segdeck export`"]
    print("| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for names, cells in rows:
            try:
                found = cells(folder)
                failed |= not all(value <= 1e-4 for value in found)
                text = [f"{value:.1e}" for value in found]
            except Exception as error:  # A network that cannot be compared is a row that says why.
                failed = True
                text = [f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"]
            print("| " + " | ".join([*names, *text]) + " |", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
