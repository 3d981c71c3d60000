"""Times one library on one network and prints one line of JSON with the keys of segdeck-bench.

  network_peer.py openvino|onnxruntime|torch|torch-train|torch-train-default NETWORK --threads N --repeat N
                  [--onnx FILE] [--scores FILE]

Everything is float32. torch-train is a step of SGD with momentum on the deeply supervised loss, batch 1. PyTorch runs
channels last, the faster of its layouts; with torch-train-default as it lays tensors out when nobody asks. NETWORK is one of
network_definitions.py or field_networks.py. --scores has segdeck's scores of the same image, with which the probabilities are
compared.
"""
import argparse
import json
import resource
import time

import numpy

import field_networks
import network_definitions as definitions

SHAPES = {**definitions.SHAPES, **field_networks.SHAPES}


def torch_module(name):
    return (definitions if name in definitions.SHAPES else field_networks).torch_module(name)


def heads(name):
    """The main head first: (layer, weight of its loss)."""
    return definitions.HEADS.get(name, [("main", 1.0)])


def openvino_run(options, x):
    import openvino

    core = openvino.Core()
    request = core.compile_model(core.read_model(options.onnx), "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": str(options.threads), "NUM_STREAMS": "1",
        "INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    return openvino.__version__, lambda: request.infer({definitions.IMAGE: x})[0]


def onnxruntime_run(options, x):
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = options.threads, 1
    session = onnxruntime.InferenceSession(options.onnx, settings, providers=["CPUExecutionProvider"])
    return onnxruntime.__version__, lambda: session.run(None, {definitions.IMAGE: x})[0]


def torch_run(options, x):
    import torch

    torch.set_num_threads(options.threads)
    net = torch_module(options.network).to(memory_format=torch.channels_last_3d).eval()
    t = torch.from_numpy(x).to(memory_format=torch.channels_last_3d)
    main = [heads(options.network)[0][0]]

    def run():
        with torch.inference_mode():
            return torch.softmax(net(t, main)[0], 1).numpy()

    return torch.__version__, run


def torch_train_run(options, x):
    import torch

    layout = torch.contiguous_format if options.peer == "torch-train-default" else torch.channels_last_3d
    torch.set_num_threads(options.threads)
    net = torch_module(options.network).to(memory_format=layout).train()
    t = torch.from_numpy(x).to(memory_format=layout)
    weights = heads(options.network)
    with torch.no_grad():
        classes = net(t[:, :, :32, :32, :32], [weights[0][0]])[0].shape[1]
    torch.manual_seed(7)
    labels = torch.randint(0, classes, (1,) + SHAPES[options.network])
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-9, momentum=0.9)

    def run():
        optimiser.zero_grad()
        scores = net(t, [name for name, _ in weights])
        sum(weight * torch.nn.functional.cross_entropy(score, labels)
            for (_, weight), score in zip(weights, scores)).backward()
        optimiser.step()

    return torch.__version__, run


def difference(probabilities, scores):
    """The greatest difference from the probabilities of segdeck's scores; None without any."""
    if probabilities is None or scores is None:
        return None
    own = numpy.fromfile(scores, numpy.float32).reshape(probabilities.shape)
    own = numpy.exp(own - own.max(1, keepdims=True))
    own /= own.sum(1, keepdims=True)
    return float(numpy.abs(own - probabilities).max())


def main():
    runs = {"openvino": openvino_run, "onnxruntime": onnxruntime_run, "torch": torch_run,
            "torch-train": torch_train_run, "torch-train-default": torch_train_run}
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=runs)
    parser.add_argument("network", choices=SHAPES)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--repeat", type=int, required=True)
    parser.add_argument("--onnx")
    parser.add_argument("--scores")
    options = parser.parse_args()
    x = definitions.image(SHAPES[options.network])
    start = time.perf_counter()
    version, run = runs[options.peer](options, x)
    prepared = time.perf_counter() - start
    seconds = []
    for _ in range(options.repeat + 1):
        start = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - start)
    later = sorted(seconds[1:])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(dict(
        what=options.peer, network=options.network, version=version, threads=options.threads,
        median_s=later[len(later) // 2], min_s=later[0], first_s=seconds[0], prepare_s=prepared,
        peak_mb=peak, difference=difference(result, options.scores),
        # A few probabilities, by which the libraries are seen to compute the same network.
        sample=None if result is None else [float(v) for v in result.reshape(-1)[::max(1, result.size // 5)][:5]])))


main()
