"""The package as a whole."""

import chainrule


def test_version():
    assert chainrule.__version__.count(".") == 2
