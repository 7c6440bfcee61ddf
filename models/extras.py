"""Imports what needs the libraries of the extra `train`, late: running and verifying models need none of them."""

from __future__ import annotations

import importlib
from typing import Any

from models.errors import TeachingError


def training_module(name: str) -> Any:  # noqa: ANN401 - a module
    """A module that needs the extra.

    Raises:
        TeachingError: a library of the extra is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise TeachingError(
            "a package for teaching is not installed",
            field="package",
            value=error.name,
            hint="pip install 'lineproof[train]', or in a checkout"
            " pip install --require-hashes -r requirements/server.txt",
        ) from error
