"""Fixtures."""

import os
import signal

import numpy as np
import pytest

# Before scipy is imported: scikit-learn leaves some of its checks out without it.
os.environ.setdefault("SCIPY_ARRAY_API", "1")


# A shell starts what runs in its background with Ctrl-C ignored: tests that press it would wait forever.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=[0, 42])
def global_random_seed(request):
    """Seeds, by the name that scikit-learn's own tests know them under."""
    return request.param


@pytest.fixture
def rng():
    return np.random.default_rng(7)
