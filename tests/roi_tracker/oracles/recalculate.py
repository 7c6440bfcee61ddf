"""LibreOffice recalculates our workbooks, and every formula cell is compared with the value we stored in it.

python -m tests.roi_tracker.oracles.recalculate 1000 5000      1,000 random cases from seed 5000
"""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from roi_tracker.documents import appraisal_document
from roi_tracker.render.appraisal_workbook import render_appraisal_workbook
from tests.roi_tracker.oracles.random_cases import random_case

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from roi_tracker.business_case import BusinessCase

PACKAGE = "libreoffice-calc-nogui"
BATCH = 25
CLOSE = 1e-9
_DRAWS = 200
_DEADLINE_S = 540
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_STORED = re.compile(rb"(<f>[^<]*</f>)<v>[^<]*</v>")
_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item>
</oor:items>
"""
"""Recalculate on load: always."""

Value = float | str | bool | None


@dataclass(frozen=True)
class Cell:
    """A cell of a workbook: its formula, where it has one, and the value stored in it."""

    formula: str | None
    value: Value


@dataclass(frozen=True)
class Difference:
    """A formula cell whose value another program computes differently."""

    workbook: str
    cell: str
    formula: str
    ours: Value
    theirs: Value


@dataclass(frozen=True)
class Agreement:
    """What was compared."""

    workbooks: int
    formulas: int
    differences: tuple[Difference, ...]


def soffice() -> str | None:
    """Path of LibreOffice; None where it is not installed."""
    return shutil.which("soffice")


def compare(cases: Sequence[BusinessCase], folder: Path) -> Agreement:
    """Write the workbook of each case, have LibreOffice recalculate all in one go, and compare every formula.

    Args:
        cases: odd ones in Korean, even ones in English.
        folder: empty, for the files and LibreOffice's profile.
    """
    bare, back = folder / "bare", folder / "back"
    bare.mkdir(parents=True)
    ours: dict[str, dict[str, Cell]] = {}
    for number, case in enumerate(cases):
        document = appraisal_document(case, _DRAWS)
        stored = render_appraisal_workbook(case, document, "ko" if number % 2 else "en", date(2026, 1, 5))
        name = f"{number:03}-{case.id}.xlsx"
        (folder / name).write_bytes(stored)
        ours[name] = cells(folder / name)
        without_values(folder / name, bare / name)
    _convert(sorted(bare.iterdir()), back, folder / "profile")
    different: list[Difference] = []
    for name, expected in ours.items():
        different.extend(differences(name, expected, cells(back / name)))
    count = sum(cell.formula is not None for one in ours.values() for cell in one.values())
    return Agreement(len(ours), count, tuple(different))


def without_values(stored: Path, bare: Path) -> None:
    """The same workbook with nothing in its formula cells, so that no value of ours can come back."""
    with zipfile.ZipFile(stored) as source, zipfile.ZipFile(bare, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name.startswith("xl/worksheets/sheet"):
                content = _STORED.sub(rb"\1", content)
            target.writestr(name, content)


def _convert(workbooks: Sequence[Path], out: Path, profile: Path) -> None:
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(_PROFILE, encoding="utf-8")
    program = soffice()
    assert program is not None, f"LibreOffice is not installed; on Debian: {PACKAGE}"
    command = [program, "--headless", f"-env:UserInstallation={profile.as_uri()}", "--convert-to", "xlsx"]
    ended = subprocess.run(
        [*command, "--outdir", str(out), *map(str, workbooks)],
        check=False,
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
    )
    missing = [one.name for one in workbooks if not (out / one.name).is_file()]
    assert not missing, f"LibreOffice could not read {missing}: {ended.stdout[-500:]} {ended.stderr[-500:]}"


def cells(workbook: Path) -> dict[str, Cell]:
    """Cells by sheet and reference, `Cash flows!B4`."""
    found: dict[str, Cell] = {}
    with zipfile.ZipFile(workbook) as parts:
        texts = _shared(parts)
        for title, part in _sheets(parts):
            for node in _tree(parts, part).iter(f"{_MAIN}c"):
                formula = node.find(f"{_MAIN}f")
                value = _value(node, texts)
                if formula is not None or value is not None:
                    text = None if formula is None else formula.text or ""
                    found[f"{title}!{node.get('r')}"] = Cell(text, value)
    return found


def _tree(parts: zipfile.ZipFile, name: str) -> ET.Element:
    return ET.fromstring(parts.read(name))  # noqa: S314 - a file that we, or LibreOffice from it, just wrote


def _sheets(parts: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    targets = {one.get("Id"): one.get("Target", "") for one in _tree(parts, "xl/_rels/workbook.xml.rels")}
    for sheet in _tree(parts, "xl/workbook.xml").iter(f"{_MAIN}sheet"):
        yield sheet.get("name", ""), "xl/" + targets[sheet.get(f"{_REL}id")].removeprefix("/xl/")


def _shared(parts: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in parts.namelist():
        return []
    items = _tree(parts, "xl/sharedStrings.xml").iter(f"{_MAIN}si")
    return ["".join(text.text or "" for text in item.iter(f"{_MAIN}t")) for item in items]


def _value(node: ET.Element, texts: Sequence[str]) -> Value:
    inner = node.find(f"{_MAIN}v")
    kind = node.get("t", "n")
    if inner is None or inner.text is None:
        return "" if kind == "str" else None
    if kind == "s":
        return texts[int(inner.text)]
    if kind == "b":
        return inner.text == "1"
    return float(inner.text) if kind == "n" else inner.text


def differences(workbook: str, ours: dict[str, Cell], theirs: dict[str, Cell]) -> Iterator[Difference]:
    """Our formula cells that hold something else in `theirs`."""
    for place, cell in ours.items():
        if cell.formula is None:
            continue
        other = theirs.get(place)
        value = None if other is None else other.value
        if not same(cell.value, value):
            yield Difference(workbook, place, cell.formula, cell.value, value)


def same(ours: Value, theirs: Value) -> bool:
    """Equal texts and truths; numbers to nine digits, or to 1e-9 beside zero. No text and an empty one are the same."""
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=CLOSE, abs_tol=CLOSE)
    if isinstance(ours, str | None) and isinstance(theirs, str | None):
        return (ours or "") == (theirs or "")
    return type(ours) is type(theirs) and ours == theirs


def main(count: int, first: int) -> int:
    """Compare `count` random cases from seed `first`; prints what differs and the totals."""
    workbooks = formulas = different = 0
    for start in range(first, first + count, BATCH):
        seeds = range(start, min(start + BATCH, first + count))
        with tempfile.TemporaryDirectory() as folder:
            found = compare([random_case(seed).case() for seed in seeds], Path(folder))
        workbooks, formulas = workbooks + found.workbooks, formulas + found.formulas
        different += len(found.differences)
        for one in found.differences[:20]:
            print(one)  # noqa: T201 - what the script is for
        print(f"{workbooks} workbooks, {formulas} formulas, {different} differences", flush=True)  # noqa: T201 - its result
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
