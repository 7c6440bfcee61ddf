"""On paper a finding stands whole: no page begins with the explanation of a figure printed on the page before."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from typing import TYPE_CHECKING

import pytest

from roi_tracker.render.content_blocks import Column, Content, Section, Table
from roi_tracker.render.content_pdf import render_content_pdf

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("words", [3, 40, 90])
def test_a_row_and_its_detail_are_on_one_page(words: int, tmp_path: Path) -> None:
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("pdftotext is not installed; on Debian: poppler-utils")
    table = Table(
        (Column("finding", figures=False), Column("figure")),
        tuple((f"row{index:03}.", "1") for index in range(90)),
        details=tuple(f"{'word ' * words}detail{index:03}." for index in range(90)),
    )
    section = Section("findings", "Findings", tables=(table,))
    made = tmp_path / "audit.pdf"
    made.write_bytes(render_content_pdf(Content("en", "k", "t", "s", date(2025, 3, 1), (section,), "f")))
    read = subprocess.run([reader, "-layout", made, "-"], capture_output=True, check=True)
    pages = read.stdout.decode().split("\f")
    assert len(pages) > 3
    for index in range(90):
        name, last = f"row{index:03}.", f"detail{index:03}."
        assert [name in page for page in pages] == [last in page for page in pages]
        assert sum(last in page for page in pages) == 1
