"""Runs the node tests of ONNX through segdeck's import: a table of passed, refused and wrong by operator.

  python onnx_node_tests.py --segdeck ../../.build/release/segdeck --bench ../../.build/release/segdeck-bench [--only TEXT] [--list]

needs PyPI's onnx and numpy. A node test is a model with inputs and outputs. All of its inputs but the first become constants, since
weights are constants of a network. Of a batch the first image is run, and arrays of fewer axes are images of functions of single
elements. Passed: every score differs by at most 1e-4 of the greatest one, or by 1e-4 in a test that states four decimals.
Refused: `segdeck import` says in one line why no layer computes it. Wrong: anything else; there must be none.
"""
import argparse
import collections
import os
import subprocess
import sys
import tempfile

import numpy
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

# Operators that networks have and layers compute.
OPERATORS = """
Add AveragePool BatchNormalization Celu Clip Concat Conv ConvTranspose Div Dropout Elu Expand Flatten Gather Gelu Gemm
GlobalAveragePool GlobalMaxPool GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization LeakyRelu MatMul Max
MaxPool Mish Mul Neg Pad PRelu Pow ReduceMax ReduceMean ReduceSum Relu Reshape Resize Selu Shape Sigmoid Slice Softmax Softplus
Split Squeeze Sub Sum Swish Tanh Tile Transpose Unsqueeze Upsample""".split()

# Functions of single elements, and operators that leave the images of a batch apart.
ELEMENTWISE = set("""Celu Clip Dropout Elu Gelu HardSigmoid HardSwish Identity LeakyRelu Mish Mul Neg PRelu Pow Relu Selu Sigmoid
Softplus Swish Tanh Add Sub Div Max Sum""".split())
BATCHED = ELEMENTWISE | set("""AveragePool BatchNormalization Conv ConvTranspose GlobalAveragePool GlobalMaxPool GroupNormalization
InstanceNormalization MaxPool Resize Upsample""".split())


def adapted(model, image, wanted, operators):
    """The first image of a batch, with two axes in space where it has fewer, and its result."""
    if operators <= ELEMENTWISE and image.ndim < 4 and wanted.shape == image.shape:
        image, wanted = (array.reshape((1,) * (4 - array.ndim) + array.shape) for array in (image, wanted))
    if operators <= BATCHED and image.ndim in (4, 5) and wanted.ndim == image.ndim and wanted.shape[0] == image.shape[0]:
        image, wanted = image[:1], wanted[:1]
    dims = model.graph.input[0].type.tensor_type.shape
    del dims.dim[:]
    for extent in image.shape:
        dims.dim.add().dim_value = extent
    return image, wanted


def with_constants(model, arrays):
    """The model whose inputs but the first are constants."""
    names = [value.name for value in model.graph.input]
    known = {tensor.name for tensor in model.graph.initializer}
    free = [name for name in names if name not in known]
    for name, array in list(zip(free, arrays))[1:]:
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    return free[0] if free else None


def channels_first(array):
    """[N, C, z, y, x] of an array [N, C, ...]; nothing where it is none."""
    if array.ndim not in (4, 5) or array.shape[0] != 1 or array.dtype != numpy.float32:
        return None
    return array if array.ndim == 5 else array[:, :, None]


def probabilities(scores):
    raised = numpy.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def run(options, folder, model, image, wanted, operator):
    """"passed", or "refused" or "wrong" with the reason."""
    path, imported, array, scores = (os.path.join(folder, name) for name in ("m.onnx", "m.safetensors", "m.f32", "s.f32"))
    onnx.save(model, path)
    channels = wanted.shape[1]
    names = [word for index in range(image.shape[1]) for word in ("--channel", f"{index}")] if image.shape[1] > 1 else []
    reason = ""
    for count in (channels - 1, channels) if channels > 1 else (1,):
        labels = [word for index in range(count) for word in ("--label", f"{index + 1}=class {index + 1}")]
        finished = subprocess.run(
            [options.segdeck, "import", path, "-o", imported, "--axes", "zyx", "--orientation", "RAS", "--spacing", "1",
             "--normalise", "score", "--force", *labels, *names], capture_output=True, text=True)
        lines = finished.stderr.strip().splitlines()
        if finished.returncode == 0:
            break
        if finished.returncode != 1 or len(lines) != 1:
            return "wrong", finished.stderr.strip()
        reason = lines[0] if "label" not in lines[0] or not reason else reason
    else:
        return "refused", reason
    channels_first(image).tofile(array)
    shape = channels_first(image).shape[2:]
    finished = subprocess.run([options.bench, "scores", imported, array, "--shape", "x".join(map(str, shape[::-1])), "-o", scores],
                              capture_output=True, text=True)
    if finished.returncode:
        return "refused", finished.stderr.strip()
    found = numpy.fromfile(scores, numpy.float32)
    if found.size != wanted.size:
        return "wrong", f"{found.size} scores, expected {wanted.size}"
    found = found.reshape(wanted.shape)
    if operator == "Softmax":
        found = probabilities(found)
    if operator == "Sigmoid":
        found = 1 / (1 + numpy.exp(-found))
    difference, largest = numpy.abs(found - wanted).max(), max(numpy.abs(wanted).max(), 1e-30)
    # Some tests state their scores with four decimals, not always well rounded.
    allowed = max(1e-4 * largest, 1e-4 if numpy.allclose(wanted, wanted.round(4), rtol=0, atol=1e-7) else 0)
    return ("passed", "") if difference <= allowed else ("wrong", f"differs by {difference / largest:.1e}")


def cases(options):
    for kind in ("node", "pytorch-converted", "pytorch-operator"):
        for case in load_model_tests(kind=kind):
            if options.only and options.only not in case.name:
                continue
            model = case.model if case.model is not None else onnx.load(os.path.join(case.model_dir, "model.onnx"))
            sets = case.data_sets
            if sets is None:
                folder = os.path.join(case.model_dir, "test_data_set_0")
                sets = [tuple([numpy_helper.to_array(onnx.load_tensor(os.path.join(folder, name)))
                               for name in sorted(os.listdir(folder)) if name.startswith(prefix)] for prefix in ("input", "output"))]
            operators = {node.op_type for node in model.graph.node} - {"Constant"}
            domains = {node.domain for node in model.graph.node} - {""}
            if domains or not operators <= set(OPERATORS) or not sets or not sets[0][0]:
                continue
            yield case.name, model, sets[0], sorted(operators)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segdeck", required=True)
    parser.add_argument("--bench", required=True)
    parser.add_argument("--only", default="", help="only tests with this text in their names")
    parser.add_argument("--list", action="store_true", help="print every test with its outcome")
    options = parser.parse_args()
    table = collections.defaultdict(collections.Counter)
    with tempfile.TemporaryDirectory() as folder:
        for name, model, (inputs, outputs), operators in cases(options):
            first = inputs[0] if isinstance(inputs[0], numpy.ndarray) else None
            last = outputs[0] if isinstance(outputs[0], numpy.ndarray) else None
            if first is not None and last is not None and first.size:
                first, last = adapted(model, first, last, set(operators))
            is_image = first is not None and last is not None and channels_first(first) is not None
            if not is_image or last.ndim < 2 or last.dtype != numpy.float32:
                outcome, reason = "no image", ""
            else:
                with_constants(model, inputs)
                outcome, reason = run(options, folder, model, first, last, operators[0])
            table[" ".join(operators)][outcome] += 1
            if options.list or outcome == "wrong":
                print(f"{outcome}: {name}: {reason}", flush=True)
    total = collections.Counter()
    print("| operator | passed | refused | wrong | of no image |\n|---|---|---|---|---|")
    kinds = ("passed", "refused", "wrong", "no image")
    for operator, counts in sorted(table.items()):
        total.update(counts)
        print(f"| {operator} | " + " | ".join(str(counts[kind]) for kind in kinds) + " |")
    print("| all | " + " | ".join(str(total[kind]) for kind in kinds) + " |")
    sys.exit(1 if total["wrong"] else 0)


if __name__ == "__main__":
    main()
