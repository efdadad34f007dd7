"""The package as a whole."""

import subprocess
import sys

import pytest

import chainrule


def test_version():
    assert chainrule.__version__.count(".") == 2


def test_everything_public_is_there():
    assert all(getattr(chainrule, name) is not None for name in chainrule.__all__)
    with pytest.raises(AttributeError, match="no attribute 'MLP'"):
        chainrule.MLP


def test_scikit_learn_waits_for_the_first_estimator():
    code = "import sys, chainrule; assert 'sklearn' not in sys.modules; chainrule.MLPClassifier; assert 'sklearn' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
