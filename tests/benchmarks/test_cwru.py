"""The table of bearing faults is what the recordings give; slow figures of it are not repeated here."""

from __future__ import annotations

import pytest

pytest.importorskip("benchmarks", reason="benchmarks are not part of the wheel")
from benchmarks.cwru import DATA, Recording, recordings, row, table

pytestmark = pytest.mark.data
FOUND = {"1797_IR_7_DE12": "bpfi", "1772_OR@6_21_DE12": "bpfo", "1797_OR@6_14_DE12": None, "1797_B_7_DE12": None}


@pytest.fixture(scope="module")
def by_name() -> dict[str, Recording]:
    if not DATA.is_dir():
        pytest.skip("the CWRU recordings are not beside the checkout")
    return {recording.name: recording for recording in recordings(DATA)}


def test_every_recording_of_the_folder_is_known(by_name: dict[str, Recording]) -> None:
    assert len(by_name) == 19
    assert sum(recording.fault is None for recording in by_name.values()) == 1


@pytest.mark.parametrize(("name", "named"), FOUND.items())
def test_found_and_missed(by_name: dict[str, Recording], name: str, named: str | None) -> None:
    told = row(by_name[name])
    assert told.whitened.named == named
    assert told.outcome == ("found" if named else "missed")
    assert (told.blocks, told.blocks_right, told.blocks_wrong) == (10, 10 if named else 0, 0)


def test_the_healthy_recording_names_nothing_and_the_table_says_so(by_name: dict[str, Recording]) -> None:
    healthy = row(by_name["1797_Normal"])
    assert (healthy.outcome, healthy.blocks_right, healthy.blocks_wrong) == ("quiet", 0, 0)
    assert "quiet" in table([healthy])
