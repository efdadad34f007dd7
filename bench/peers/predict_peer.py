"""Prediction (the mean of the head: softmax if categorical) by onnxruntime with bound buffers, or by PyTorch."""

from common import argument_parser, initial_parameters, make_table, parse_arguments, repeated, serve

CALLS = {1: 2000, 1024: 20}  # of one stretch, by rows

parser = argument_parser()
parser.add_argument("--engine", required=True, choices=("onnxruntime", "torch"))
parser.add_argument("--rows", type=int, default=1, choices=sorted(CALLS))
arguments = parse_arguments(parser)


def make_graph(shape, activation):
    """The network as an ONNX model: Gemm, activation, ..., Gemm, and Softmax if categorical; first axis is free."""
    from onnx import TensorProto, checker, helper, numpy_helper

    operator = {"relu": "Relu", "tanh": "Tanh", "gelu": "Gelu"}[activation]
    nodes, tensors, name = [], [], "x"
    layers = initial_parameters(shape)
    for index, (weight, bias) in enumerate(layers):
        names = [f"layers.{index}.weight", f"layers.{index}.bias"]
        tensors += [numpy_helper.from_array(value, label) for value, label in zip((weight, bias), names, strict=True)]
        nodes.append(helper.make_node("Gemm", [name, *names], [f"z{index}"]))
        name = f"z{index}"
        if index + 1 < len(layers):
            nodes.append(helper.make_node(operator, [name], [f"h{index}"]))
            name = f"h{index}"
    nodes.append(helper.make_node("Softmax" if shape.cost == "categorical" else "Identity", [name], ["mean"]))
    value = lambda label, width: helper.make_tensor_value_info(label, TensorProto.FLOAT, ["rows", width])
    inputs, outputs = [value("x", shape.widths[0])], [value("mean", shape.widths[-1])]
    graph = helper.make_graph(nodes, "network", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    checker.check_model(model)
    return model


def onnxruntime_call(arguments, x):
    """A call without arguments that fills a bound output from a bound input."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    model = make_graph(arguments.shape, arguments.activation).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    value = onnxruntime.OrtValue
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", value.ortvalue_from_numpy(x))
    shape = [len(x), arguments.shape.widths[-1]]
    binding.bind_ortvalue_output("mean", value.ortvalue_from_shape_and_type(shape, np.float32))
    return lambda: session.run_with_iobinding(binding)


def torch_call(arguments, x):
    """A call without arguments that predicts eagerly."""
    import torch
    from torch_model import make_model

    torch.set_num_threads(arguments.threads)
    torch.set_grad_enabled(False)
    model = make_model(arguments.shape, arguments.activation).eval()
    if arguments.shape.cost == "categorical":
        model.append(torch.nn.Softmax(dim=1))
    x = torch.from_numpy(x)

    def call():
        with torch.inference_mode():
            model(x)

    return call


x, _ = make_table(arguments.shape, arguments.rows)
call = {"onnxruntime": onnxruntime_call, "torch": torch_call}[arguments.engine](arguments, x)
calls = CALLS[arguments.rows]


def stretch():
    for _ in range(calls):
        call()


serve(repeated(stretch), calls)
