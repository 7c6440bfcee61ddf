"""Imports over HTTP: the plant's own files, posted as they are; the same checks and errors as `roi-tracker import`."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePath
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from roi_tracker.adapters.plant_file import SUFFIXES, open_plant_file
from roi_tracker.errors import IntakeError, StoreError
from roi_tracker.plant_files.importing import Plant, import_sheet, preview
from roi_tracker.plant_files.mapping import Mapping, read_mapping

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from roi_tracker.ports import TrackerStore

MAX_UPLOAD_BYTES = 100_000_000
_CHUNK = 1 << 20
_TOO_LARGE, _UNUSABLE, _UNAVAILABLE = 413, 422, 503


def import_router(open_store: Callable[[], AbstractContextManager[TrackerStore]], plant: Plant) -> APIRouter:
    """The routes. Who may call them is for the service that includes them to decide.

    Args:
        open_store: gives the store for one import; imports run one at a time.
        plant: calendar and time zone of the case.
    """
    router = APIRouter()
    turn = Lock()

    @router.post("/api/import")
    async def post_file(
        file: Annotated[UploadFile, File(description="CSV or XLSX")],
        mapping: Annotated[str, Form(description="TOML mapping; empty where headers speak for themselves")] = "",
        *,
        preview_only: Annotated[bool, Query(alias="preview")] = False,
        replace: Annotated[bool, Query()] = False,
    ) -> JSONResponse:
        name = PurePath((file.filename or "").replace("\\", "/")).name
        suffix = PurePath(name).suffix.lower()
        if suffix not in SUFFIXES:
            return _refused(IntakeError(f"{name or 'the file'} is not read", hint="post a .csv or .xlsx file"))
        with tempfile.TemporaryDirectory(prefix="lineproof-import-") as folder:
            path = Path(folder) / name
            size = 0
            with path.open("wb") as target:
                while chunk := await file.read(_CHUNK):
                    size += len(chunk)
                    if size > MAX_UPLOAD_BYTES:
                        too_large = IntakeError(
                            f"{name} has more than {MAX_UPLOAD_BYTES:,} bytes", hint="import it at the command line"
                        )
                        return _refused(too_large, _TOO_LARGE)
                    target.write(chunk)
            return await run_in_threadpool(_answer, path, mapping, preview_only=preview_only, replace=replace)

    def _answer(path: Path, mapping_text: str, *, preview_only: bool, replace: bool) -> JSONResponse:
        try:
            mapping = read_mapping(mapping_text) if mapping_text.strip() else Mapping()
            with open_plant_file(path, mapping) as sheet:
                if preview_only:
                    return _json(preview(sheet, mapping, plant))
                with turn, open_store() as store:
                    return _json(import_sheet(sheet, mapping, plant, store, replace=replace))
        except IntakeError as error:
            return _refused(error)
        except StoreError as error:
            body = {"error": str(error.args[0]), "hint": error.hint, "rows": [], "retryable": True}
            return JSONResponse(body, status_code=_UNAVAILABLE)

    return router


def _json(content: Any) -> JSONResponse:  # noqa: ANN401 - whatever msgspec can write
    return JSONResponse(msgspec.to_builtins(content))


def _refused(error: IntakeError, status: int = _UNUSABLE) -> JSONResponse:
    """The errors of the command as JSON: what, how to fix it, and every row named."""
    body = {
        "error": str(error.args[0]),
        "hint": error.hint,
        "error_ko": error.message_ko,
        "hint_ko": error.hint_ko,
        "rows": msgspec.to_builtins(error.rows),
        "retryable": error.retryable,
    }
    return JSONResponse(body, status_code=status)
