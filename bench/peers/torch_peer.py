"""PyTorch: eager training steps, with the optimizer as a loop, over tensor lists or fused; or compiled."""

from common import (
    ADAM_BETAS,
    LEARNING_RATE,
    make_table,
    parse_arguments,
    repeated,
    serve,
    shuffled_batches,
    training_parser,
)

arguments = parse_arguments(training_parser(variants=("fused", "foreach", "eager", "compile")))

import torch
from torch.nn import functional
from torch_model import make_model


def make_optimizer(parameters, name, variant):
    kind = {"fused": variant in ("fused", "compile"), "foreach": variant == "foreach"}
    if name == "sgd":
        return torch.optim.SGD(parameters, lr=LEARNING_RATE[name], **kind)
    return torch.optim.Adam(parameters, lr=LEARNING_RATE[name], betas=ADAM_BETAS, **kind)


def make_stretch(shape, arguments):
    x, y = map(torch.from_numpy, make_table(shape))
    model = make_model(shape, arguments.activation)
    optimizer = make_optimizer(model.parameters(), arguments.optimizer, arguments.variant)
    distance = functional.cross_entropy if shape.cost == "categorical" else functional.mse_loss
    blocks = shuffled_batches(shape, torch.randperm, shape.steps)

    def cost(x, y):
        return distance(model(x), y)

    if arguments.variant == "compile":
        cost = torch.compile(cost, dynamic=False)

    def stretch():
        for rows in next(blocks):
            optimizer.zero_grad(set_to_none=True)
            cost(x.index_select(0, rows), y.index_select(0, rows)).backward()
            optimizer.step()

    return stretch


torch.manual_seed(1)
torch.set_num_threads(arguments.threads)
serve(repeated(make_stretch(arguments.shape, arguments)), arguments.shape.steps)
