"""Converts a PyTorch module to a layer graph and its tensors, by tracing it with torch.export.

  from convert_pytorch import convert
  graph, tensors = convert(module, example)      # example: an input [1, channels, z, y, x], or [1, channels, y, x]

A 2D network becomes layers whose kernels have one plane. Every operation of the trace becomes a layer whose tensors have the module's weights. An operation that has no layer, or
is used in a way that none has, is an error with its name and its place in the module: nothing is guessed. Used by
`compare_pytorch.py`; `export_pytorch.write_model` writes the file.
"""
import torch


class Unsupported(Exception):
    """An operation that no layer computes."""


def three(values, default, rank=3):
    """A value for z, y and x of a list of one or `rank`, or of none; z is `default` where there are two axes."""
    values = list(values) if values else [default]
    values = values * rank if len(values) == 1 else values
    return [default] * (3 - rank) + values


def resize_coordinates(aligned):
    return "alignCorners" if aligned else "halfPixel"


class Converter:
    """The layers of a trace; `names` has for each value of the trace the layer that computes it."""

    def __init__(self, program):
        self.layers, self.tensors, self.names, self.count = [], {}, {}, {}
        self.program = program
        self.state = {}
        signature = program.graph_signature
        for node in program.graph.nodes:
            if node.op == "placeholder":
                target = (signature.inputs_to_parameters.get(node.name) or signature.inputs_to_buffers.get(node.name)
                          or signature.inputs_to_lifted_tensor_constants.get(node.name))
                if target is None:
                    self.names[node] = "input"
                else:
                    tensor = program.state_dict.get(target)
                    self.state[node] = program.constants[target] if tensor is None else tensor
            elif node.op == "call_function":
                self.call(node)
            elif node.op == "output":
                self.outputs = [self.names[value] for value in node.args[0]]

    def tensor(self, value):
        return None if value is None else self.state[value].detach().float().contiguous()

    def shape(self, node):
        return list(node.meta["val"].shape)

    def rank(self, node):
        """Axes in space: 3, or 2."""
        return len(self.shape(node)) - 2

    def kernels(self, value):
        """The weights of a convolution, with one plane where it has two axes, and the number of axes."""
        weight = self.tensor(value)
        rank = weight.dim() - 2
        return (weight.unsqueeze(2) if rank == 2 else weight), rank

    def layer(self, node, kind, inputs, tensors=None, **fields):
        """Adds a layer named after the operation and its number."""
        number = self.count[kind] = self.count.get(kind, 0) + 1
        name = f"{kind}{number}"
        self.layers.append({"name": name, "kind": kind, "input": inputs[0] if len(inputs) == 1 else inputs, **fields})
        for role, tensor in (tensors or {}).items():
            if tensor is not None:
                self.tensors[f"{name}.{role}"] = tensor
        self.names[node] = name

    def source(self, node):
        if node not in self.names:
            raise Unsupported(f"{node} is a constant, where a layer's output is expected")
        return self.names[node]

    def call(self, node):
        name = str(node.target)
        for prefix in ("aten.", "torch.ops.aten."):
            name = name.removeprefix(prefix)
        operation = name.split(".")[0].rstrip("_")
        method = getattr(self, "convert_" + operation, None)
        if method is None:
            place = list((node.meta.get("nn_module_stack") or {}).values())
            raise Unsupported(f"{node.target} in {place[-1][0] if place else 'the module'}")
        parameters = node.target._schema.arguments
        facts = {parameter.name: parameter.default_value for parameter in parameters if parameter.has_default_value()}
        facts.update({parameter.name: value for parameter, value in zip(parameters, node.args)})
        facts.update(node.kwargs)
        if "self" in facts:
            facts["input"] = facts.pop("self")
        method(node, **facts)

    def alias(self, node, value):
        self.names[node] = self.source(value)

    # Convolutions

    def convert_conv3d(self, node, input, weight, bias, stride, padding, dilation, groups):
        weight, rank = self.kernels(weight)
        if isinstance(padding, str):
            raise Unsupported(f"padding {padding}")
        self.layer(node, "convolution", [self.source(input)], {"weight": weight, "bias": self.tensor(bias)},
                   outputChannels=weight.shape[0], kernel=list(weight.shape[2:]), stride=three(stride, 1, rank),
                   padding=three(padding, 0, rank), dilation=three(dilation, 1, rank), groups=groups,
                   bias=bias is not None)

    convert_conv2d = convert_conv3d

    def convert_conv_transpose3d(self, node, input, weight, bias, stride, padding, output_padding, groups, dilation):
        weight, rank = self.kernels(weight)
        self.layer(node, "transposedConvolution", [self.source(input)], {"weight": weight, "bias": self.tensor(bias)},
                   outputChannels=weight.shape[1] * groups, kernel=list(weight.shape[2:]), stride=three(stride, 1, rank),
                   padding=three(padding, 0, rank), outputPadding=three(output_padding, 0, rank),
                   dilation=three(dilation, 1, rank), groups=groups, bias=bias is not None)

    convert_conv_transpose2d = convert_conv_transpose3d

    def convert_linear(self, node, input, weight, bias):
        """A fully connected layer on one voxel: a pointwise convolution."""
        if len(self.shape(input)) != 2:
            raise Unsupported(f"linear on {self.shape(input)}")
        weight = self.tensor(weight)
        self.layer(node, "convolution", [self.source(input)],
                   {"weight": weight.reshape(*weight.shape, 1, 1, 1), "bias": self.tensor(bias)},
                   outputChannels=weight.shape[0], kernel=[1, 1, 1], bias=bias is not None)

    # Normalisations

    def affine(self, weight, bias):
        return {"weight": self.tensor(weight), "bias": self.tensor(bias)} if weight is not None else {}

    def convert_batch_norm(self, node, input, weight, bias, running_mean, running_var, eps, **_):
        tensors = self.affine(weight, bias)
        tensors.update(running_mean=self.tensor(running_mean), running_var=self.tensor(running_var))
        self.layer(node, "batchNormalisation", [self.source(input)], tensors, epsilon=eps)

    def convert_instance_norm(self, node, input, weight, bias, use_input_stats, eps, **_):
        if not use_input_stats:
            raise Unsupported("instance normalisation with running statistics")
        self.layer(node, "instanceNormalisation", [self.source(input)], self.affine(weight, bias), epsilon=eps,
                   affine=weight is not None)

    def convert_group_norm(self, node, input, num_groups, weight, bias, eps, **_):
        self.layer(node, "groupNormalisation", [self.source(input)], self.affine(weight, bias), groups=num_groups,
                   epsilon=eps, affine=weight is not None)

    # Activations

    def convert_relu(self, node, input, **_):
        self.layer(node, "relu", [self.source(input)])

    def convert_leaky_relu(self, node, input, negative_slope, **_):
        self.layer(node, "leakyReLU", [self.source(input)], slope=negative_slope)

    def convert_elu(self, node, input, alpha, scale, input_scale, **_):
        if (scale, input_scale) != (1, 1):
            raise Unsupported("elu with a scale")
        self.layer(node, "elu", [self.source(input)], alpha=alpha)

    def convert_prelu(self, node, input, weight, **_):
        weight = self.tensor(weight)
        fields = {"sharesSlope": True} if weight.numel() == 1 else {}
        self.layer(node, "parametricReLU", [self.source(input)], {"weight": weight}, **fields)

    def convert_gelu(self, node, input, approximate, **_):
        self.layer(node, "gelu", [self.source(input)],
                   approximation="tanh" if approximate == "tanh" else "none")

    def convert_silu(self, node, input, **_):
        self.layer(node, "silu", [self.source(input)])

    def convert_sigmoid(self, node, input, **_):
        self.layer(node, "sigmoid", [self.source(input)])

    def convert_tanh(self, node, input, **_):
        self.layer(node, "tanh", [self.source(input)])

    # What a trained network leaves as it is

    def convert_dropout(self, node, input, train, **_):
        if train:
            raise Unsupported("dropout in training: call eval() first")
        self.alias(node, input)

    convert_feature_dropout = convert_dropout

    def convert_clone(self, node, input, **_):
        self.alias(node, input)

    convert_detach = convert_contiguous = convert_alias = convert_lift_fresh_copy = convert_clone

    def convert_view(self, node, input, **_):
        """Reshaping between [1, channels] and [1, channels, 1, 1, 1], or [1, channels, 1, 1]."""
        before, after = self.shape(input), self.shape(node)
        if before[:2] != after[:2] or any(extent != 1 for extent in before[2:] + after[2:]):
            raise Unsupported(f"a view of {before} as {after}")
        self.alias(node, input)

    convert_reshape = convert_unsqueeze = convert_squeeze = convert_flatten = convert_view

    def convert_expand(self, node, input, **_):
        """Broadcasting, which the reader of the value does."""
        self.alias(node, input)

    convert_expand_as = convert_expand

    def convert__assert_tensor_metadata(self, node, **_):
        """A check of the trace, without a result."""

    def convert_to(self, node, input, dtype=None, **_):
        if input.meta["val"].dtype != node.meta["val"].dtype:
            raise Unsupported(f"a conversion to {node.meta['val'].dtype}")
        self.alias(node, input)

    convert__to_copy = convert_to

    # Joins

    def join(self, node, kind, one, other):
        if not isinstance(one, torch.fx.Node) or not isinstance(other, torch.fx.Node):
            raise Unsupported(f"{kind} with a constant")
        self.layer(node, kind, [self.source(one), self.source(other)])

    def convert_add(self, node, input, other, alpha=1, **_):
        if alpha != 1:
            raise Unsupported("a sum with a factor")
        self.join(node, "add", input, other)

    def convert_mul(self, node, input, other, **_):
        self.join(node, "multiply", input, other)

    def convert_cat(self, node, tensors, dim):
        if dim % len(self.shape(node)) != 1:
            raise Unsupported(f"concatenation along axis {dim}")
        self.layer(node, "concatenate", [self.source(value) for value in tensors])

    def convert_repeat(self, node, input, repeats, **_):
        if any(count != 1 for axis, count in enumerate(repeats) if axis != 1):
            raise Unsupported(f"repetition {repeats}")
        self.layer(node, "concatenate", [self.source(input)] * repeats[1])

    def convert_slice(self, node, input, dim, start, end, step, **_):
        extent = self.shape(input)[dim]
        start, end = start or 0, extent if end is None else min(end, extent)
        if step != 1 or start < 0 or end < 0:
            raise Unsupported("a slice with a step or from the end")
        if (start, end) == (0, extent):
            self.alias(node, input)
        elif dim == 1:
            self.layer(node, "sliceChannels", [self.source(input)], first=start, count=end - start)
        else:
            before, after = [0, 0, 0], [0, 0, 0]
            axis = dim - len(self.shape(input))
            before[axis], after[axis] = start, extent - end
            self.layer(node, "crop", [self.source(input)], before=before, after=after)

    def convert_pad(self, node, input, pad, mode, value):
        if all(amount == 0 for amount in pad):
            return self.alias(node, input)
        last = 2 * self.rank(input)  # of the amounts in space; those of the channels come after them
        if any(pad[last:last + 2]) and not any(pad[:last]) and not any(pad[last + 2:]) and mode == "constant" and not value and min(pad) >= 0:
            # Channels of zeros before and after: a pointwise convolution by zeros and ones, which is exact.
            before, channels, count = pad[last], self.shape(input)[1], self.shape(node)[1]
            weight = torch.zeros(count, channels, 1, 1, 1)
            weight[before:before + channels, :, 0, 0, 0] = torch.eye(channels)
            return self.layer(node, "convolution", [self.source(input)], {"weight": weight}, outputChannels=count,
                              kernel=[1, 1, 1], bias=False)
        if any(amount < 0 for amount in pad) or any(pad[last:]):
            raise Unsupported(f"padding {pad}")
        pairs = [tuple(pad[index:index + 2]) for index in range(0, len(pad[:last]), 2)]
        pairs += [(0, 0)] * (3 - len(pairs))
        mode = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}.get(mode)
        if mode is None:
            raise Unsupported("circular padding")
        self.layer(node, "pad", [self.source(input)], mode=mode, value=value or 0,
                   before=[pairs[2][0], pairs[1][0], pairs[0][0]], after=[pairs[2][1], pairs[1][1], pairs[0][1]])

    # Pooling and resizing

    def convert_max_pool3d(self, node, input, kernel_size, stride, padding, dilation, ceil_mode, **_):
        rank = self.rank(input)
        if three(dilation, 1, rank) != [1, 1, 1]:
            raise Unsupported("dilated max-pooling")
        kernel = three(kernel_size, 1, rank)
        self.layer(node, "maxPooling", [self.source(input)], kernel=kernel,
                   stride=three(stride, 1, rank) if stride else kernel, padding=three(padding, 0, rank),
                   roundsUp=bool(ceil_mode))

    convert_max_pool2d = convert_max_pool3d

    def convert_avg_pool3d(self, node, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override,
                           **_):
        if divisor_override is not None:
            raise Unsupported("average-pooling with a divisor")
        rank = self.rank(input)
        kernel = three(kernel_size, 1, rank)
        self.layer(node, "averagePooling", [self.source(input)], kernel=kernel,
                   stride=three(stride, 1, rank) if stride else kernel, padding=three(padding, 0, rank),
                   roundsUp=bool(ceil_mode), countsPadding=bool(count_include_pad))

    convert_avg_pool2d = convert_avg_pool3d

    def convert_adaptive_avg_pool3d(self, node, input, output_size, **_):
        if any(extent != 1 for extent in output_size):
            raise Unsupported(f"adaptive pooling to {output_size}")
        self.layer(node, "globalPooling", [self.source(input)], statistic="average")

    convert_adaptive_avg_pool2d = convert_adaptive_avg_pool3d

    def convert_mean(self, node, input, dim, **_):
        axes = len(self.shape(input))
        if sorted(axis % axes for axis in dim) != list(range(2, axes)):
            raise Unsupported(f"a mean over the axes {dim}")
        self.layer(node, "globalPooling", [self.source(input)], statistic="average")

    def resize(self, node, value, mode, coordinates):
        before, after = self.shape(value)[2:], self.shape(node)[2:]
        if any(there % here for here, there in zip(before, after)):
            raise Unsupported(f"a resize from {before} to {after}, which is no whole factor")
        fields = {"rounding": "floor"} if mode == "nearest" else {}
        self.layer(node, "resize", [self.source(value)], mode=mode, coordinates=coordinates,
                   factor=three([there // here for here, there in zip(before, after)], 1, len(before)), **fields)

    def convert_upsample_nearest3d(self, node, input, **_):
        self.resize(node, input, "nearest", "asymmetric")

    def convert_upsample_trilinear3d(self, node, input, align_corners, **_):
        self.resize(node, input, "linear", resize_coordinates(align_corners))

    convert_upsample_nearest2d = convert_upsample_nearest3d
    convert_upsample_bilinear2d = convert_upsample_trilinear3d


def convert(module, example):
    """The layer graph (as JSON has it) and the tensors of `module`, for inputs shaped as `example`."""
    program = torch.export.export(module.eval(), (example,))
    converter = Converter(program)
    heads = [{"name": "main" if index == 0 else f"auxiliary{index}", "layer": name}
             for index, name in enumerate(converter.outputs)]
    return {"inputChannels": example.shape[1], "layers": converter.layers, "heads": heads}, converter.tensors
