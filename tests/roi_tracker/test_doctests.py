"""Every example in the package's docstrings runs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import roi_tracker

MODULES = sorted(
    found.name
    for found in pkgutil.walk_packages(roi_tracker.__path__, "roi_tracker.")
    if not found.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
