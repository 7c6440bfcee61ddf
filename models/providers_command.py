"""`edge-model providers`: what runs a model on this machine, and how its answers compare."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from models.console import NO, JsonOption, out, print_json
from models.evaluate_command import ModelArgument  # noqa: TC001 - read by typer
from models.model_folder import read_model
from models.providers import provider_matrix


def providers(
    model: ModelArgument,
    *,
    wanted: Annotated[
        list[str] | None, typer.Option("--provider", help="A provider to try besides those installed; several allowed.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Try a model on every execution provider of this machine. Exit 1 when one that was asked for is not usable."""
    folder = read_model(model)
    rows = provider_matrix(folder, wanted or ())
    if as_json:
        print_json({"model": folder.manifest.label, "providers": [msgspec.to_builtins(row) for row in rows]})
    else:
        for row in rows:
            figures = "" if row.answer_ms is None else f"{row.answer_ms:8.2f} ms  differs by {row.difference:.3%}"
            out.print(f"{row.provider:28} {row.state:14} {figures}{row.detail}", markup=False)
    if any(row.state != "ok" for row in rows if row.provider in (wanted or ())):
        raise typer.Exit(NO)
