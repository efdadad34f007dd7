"""JAX: a stretch is one jitted `lax.scan` over its batches, gather included, with donated parameters."""

from common import (
    ADAM_BETAS,
    ADAM_EPSILON,
    LEARNING_RATE,
    initial_parameters,
    make_table,
    parse_arguments,
    pin_to_cores,
    repeated,
    serve,
    shuffled_batches,
    training_parser,
)

arguments = parse_arguments(training_parser())
pin_to_cores(arguments.threads)

from functools import partial

import jax
import numpy as np
from jax import numpy as jnp

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "gelu": partial(jax.nn.gelu, approximate=False)}


def make_cost(shape, activation):
    phi = ACTIVATIONS[activation]

    def cost(parameters, x, y):
        for weight, bias in parameters[:-1]:
            x = phi(x @ weight + bias)
        weight, bias = parameters[-1]
        output = x @ weight + bias
        if shape.cost == "gaussian":
            return jnp.mean((output - y) ** 2)
        return -jnp.mean(jnp.sum(jax.nn.one_hot(y, shape.widths[-1]) * jax.nn.log_softmax(output), axis=1))

    return cost


def sgd(parameters, gradient, state):
    step = LEARNING_RATE["sgd"]
    return jax.tree.map(lambda p, g: p - step * g, parameters, gradient), state


def adam(parameters, gradient, state):
    beta1, beta2 = ADAM_BETAS
    count, mean, square = state
    count = count + 1
    mean = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, mean, gradient)
    square = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, square, gradient)
    step = LEARNING_RATE["adam"] / (1 - beta1**count)
    scale = 1 / (1 - beta2**count)
    update = lambda p, m, v: p - step * m / (jnp.sqrt(v * scale) + ADAM_EPSILON)
    return jax.tree.map(update, parameters, mean, square), (count, mean, square)


def make_stretch(shape, arguments):
    x, y = map(jnp.asarray, make_table(shape))
    gradient = jax.grad(make_cost(shape, arguments.activation))
    update = {"sgd": sgd, "adam": adam}[arguments.optimizer]
    # On the host: numpy draws a permutation faster than the compiled sort by random keys.
    random = np.random.default_rng(2)
    blocks = shuffled_batches(shape, lambda rows: random.permutation(rows).astype(np.int32), shape.steps)

    def train(carry, x, y, block):
        def step(carry, rows):
            parameters, state = carry
            take = lambda table: table.at[rows].get(mode="promise_in_bounds")
            return update(parameters, gradient(parameters, take(x), take(y)), state), None

        return jax.lax.scan(step, carry, block)[0]

    train = jax.jit(train, donate_argnums=0)
    parameters = jax.tree.map(jnp.asarray, initial_parameters(shape))
    zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
    carry = (parameters, (jnp.float32(0), zeros(), zeros()) if arguments.optimizer == "adam" else ())

    def stretch():
        nonlocal carry
        carry = jax.block_until_ready(train(carry, x, y, next(blocks)))

    return stretch


serve(repeated(make_stretch(arguments.shape, arguments)), arguments.shape.steps)
