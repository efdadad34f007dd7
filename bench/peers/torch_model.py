"""The network as PyTorch modules, for training and for prediction. Import after the arguments are parsed."""

import torch
from common import initial_parameters

ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "gelu": torch.nn.GELU}


def make_model(shape, activation):
    layers = []
    for weight, bias in initial_parameters(shape):
        layer = torch.nn.Linear(*weight.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight.T))
            layer.bias.copy_(torch.from_numpy(bias))
        layers += [layer, ACTIVATIONS[activation]()]
    return torch.nn.Sequential(*layers[:-1])
