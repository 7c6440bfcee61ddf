from __future__ import annotations

import numpy as np
import pytest

from edge_agent.signals.bearings import BearingGeometry, fault_frequencies
from edge_agent.signals.severity import ZONE_LIMITS, ZoneLimits, zone_name, zone_numbers


def test_published_multiples_of_the_6205_and_6203_bearings() -> None:
    # Smith and Randall, Mech. Syst. Signal Process. 64-65 (2015) 100-131, table 2
    drive_end = fault_frequencies(BearingGeometry(9, 0.3126, 1.537), 1.0)
    assert [drive_end.bpfo, drive_end.bpfi, drive_end.ftf, drive_end.heard("bsf")] == pytest.approx(
        [3.585, 5.415, 0.3983, 4.713], abs=2e-3
    )
    fan_end = fault_frequencies(BearingGeometry(8, 0.2656, 1.122), 1.0)
    assert [fan_end.bpfo, fan_end.bpfi, fan_end.ftf, fan_end.heard("bsf")] == pytest.approx(
        [3.053, 4.947, 0.3816, 3.987], abs=2e-3
    )


def test_balls_pass_both_rings_as_often_as_there_are_balls() -> None:
    found = fault_frequencies(BearingGeometry(12, 8.0, 52.0, 25.0), 24.5)
    assert found.bpfo + found.bpfi == pytest.approx(12 * 24.5)
    assert found.bpfo == pytest.approx(12 * found.ftf)


def test_the_contact_angle_shortens_the_effective_diameter() -> None:
    flat = fault_frequencies(BearingGeometry(9, 8.0, 40.0), 1.0)
    tilted = fault_frequencies(BearingGeometry(9, 16.0, 40.0, 60.0), 1.0)
    assert tilted.bpfo == pytest.approx(flat.bpfo)


@pytest.mark.parametrize("ends", ZONE_LIMITS.values(), ids=ZONE_LIMITS)
def test_zones_rise_and_each_limit_belongs_to_the_better_zone(ends: ZoneLimits) -> None:
    at = np.array([0.0, ends.a_b, ends.b_c, ends.c_d])
    assert zone_numbers(at, ends).tolist() == [1, 1, 2, 3]
    assert zone_numbers(np.nextafter(at, np.inf), ends).tolist() == [1, 2, 3, 4]


def test_zones_of_iso_20816_3_for_a_medium_machine_on_a_rigid_foundation() -> None:
    velocities = np.array([[1.0, 2.0], [4.0, 8.0]])
    numbers = zone_numbers(velocities, ZONE_LIMITS["medium_rigid"])
    assert [[zone_name(int(number)) for number in row] for row in numbers] == [["A", "B"], ["C", "D"]]
