from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_tracker.business_case import MeasurementPlan, QualityCosts, SharedClaim
from roi_tracker.ledger.claims import SharedGroup, share, shared_groups

if TYPE_CHECKING:
    from roi_tracker.business_case import BusinessCase

NAMES = ("a", "b", "c")
GROUP = SharedGroup("g", NAMES, "proportional", "declared", "one press")
ORDERED = msgspec.structs.replace(GROUP, rule="order_of_cause")
money = st.decimals(-(10**9), 10**9, places=2)
positive = st.decimals(0, 10**9, places=2)
measured_by = st.dictionaries(st.sampled_from(NAMES), money)
projected_by = st.fixed_dictionaries(dict.fromkeys(NAMES, positive))


def positives(values: dict[str, Decimal]) -> Decimal:
    return max((value for value in values.values() if value > 0), default=Decimal(0))


@given(measured_by, projected_by, st.sampled_from([GROUP, ORDERED]))
def test_never_more_than_was_measured(
    measured: dict[str, Decimal], projected: dict[str, Decimal], group: SharedGroup
) -> None:
    counted = share(group, measured, projected)
    gains = sum((value for value in counted.values() if value > 0), Decimal(0))
    harms = -sum((value for value in counted.values() if value < 0), Decimal(0))
    assert gains <= positives(measured)
    assert harms <= positives({name: -value for name, value in measured.items()})
    assert counted.keys() == measured.keys()
    for name, value in counted.items():
        assert min(Decimal(0), measured[name]) <= value <= max(Decimal(0), measured[name])


@given(measured_by, projected_by, st.permutations(NAMES))
def test_proportional_shares_do_not_depend_on_an_order(
    measured: dict[str, Decimal], projected: dict[str, Decimal], order: list[str]
) -> None:
    other = msgspec.structs.replace(GROUP, benefits=tuple(order))
    assert dict(share(other, measured, projected)) == dict(share(GROUP, measured, projected))


@given(measured_by, projected_by)
def test_in_the_order_of_cause_the_whole_change_is_handed_out(
    measured: dict[str, Decimal], projected: dict[str, Decimal]
) -> None:
    counted = share(ORDERED, measured, projected)
    assert sum((value for value in counted.values() if value > 0), Decimal(0)) == positives(measured)


def test_by_hand() -> None:
    measured = {"a": Decimal(300), "b": Decimal(200), "c": Decimal(-50)}
    projected = {"a": Decimal(100), "b": Decimal(200), "c": Decimal(100)}
    assert dict(share(GROUP, measured, projected)) == {"a": Decimal(100), "b": Decimal(200), "c": Decimal(-50)}
    assert dict(share(ORDERED, measured, projected)) == {"a": Decimal(300), "b": Decimal(0), "c": Decimal(-50)}
    assert dict(share(GROUP, {"a": Decimal(9), "b": Decimal(9)}, {})) == {"a": Decimal("4.5"), "b": Decimal("4.5")}


def test_two_lines_of_one_measure_share_without_being_told(case: BusinessCase) -> None:
    twin = case.benefits[0].model_copy(update={"id": "second-programme"})
    found = shared_groups(case.model_copy(update={"benefits": (*case.benefits, twin)}))
    assert [(g.benefits, g.rule, g.overlap) for g in found] == [
        (("fewer-defects", "second-programme"), "proportional", "same_measure")
    ]
    elsewhere = twin.model_copy(update={"lines": ("press-2",)})
    assert shared_groups(case.model_copy(update={"benefits": (*case.benefits, elsewhere)})) == ()


def test_a_stop_credited_to_maintenance_is_not_credited_again_to_downtime(case: BusinessCase) -> None:
    repairs = case.benefits[1].model_copy(update={"id": "maintenance-ai", "measure": "maintenance"})
    (found,) = shared_groups(case.model_copy(update={"benefits": (*case.benefits, repairs)}))
    assert found.benefits == ("maintenance-ai", "less-downtime")
    assert (found.rule, found.overlap) == ("order_of_cause", "stops_and_maintenance")
    shared = share(found, {"maintenance-ai": Decimal(30), "less-downtime": Decimal(100)}, {})
    assert dict(shared) == {"maintenance-ai": Decimal(30), "less-downtime": Decimal(70)}


@pytest.mark.parametrize(("before", "shared"), [("20", True), ("5", False)])
def test_the_inspectors_pay_is_not_counted_as_hours_and_as_appraisal(
    case: BusinessCase, before: str, *, shared: bool
) -> None:
    costs = QualityCosts(
        escape=Decimal(5000), overkill=Decimal(800), appraisal=Decimal(5), appraisal_before=Decimal(before)
    )
    quality = case.benefits[2].model_copy(
        update={"id": "quality", "bound_measure": "inspection", "measurement": MeasurementPlan(quality_costs=costs)}
    )
    labour = case.benefits[2]
    found = shared_groups(case.model_copy(update={"benefits": (quality, labour)}))
    assert [(g.benefits, g.rule, g.overlap) for g in found] == (
        [((labour.id, "quality"), "order_of_cause", "inspectors_and_appraisal")] if shared else []
    )


def test_groups_with_a_line_in_common_are_one(case: BusinessCase) -> None:
    claims = (
        SharedClaim(id="x", benefits=("fewer-defects", "less-downtime"), reason="one die", rule="order_of_cause"),
        SharedClaim(id="y", benefits=("less-downtime", "inspection-labour"), reason="one shift"),
    )
    (found,) = shared_groups(case.model_copy(update={"shared_claims": claims}))
    assert found.benefits == ("fewer-defects", "less-downtime", "inspection-labour")
    assert (found.id, found.rule, found.reason) == ("x", "order_of_cause", "one die; one shift")


@pytest.mark.parametrize(
    ("mine", "theirs", "shared"), [(("a",), ("b",), False), (("a",), ("a", "b"), True), ((), ("b",), True)]
)
def test_other_roles_are_other_hours(
    case: BusinessCase, mine: tuple[str, ...], theirs: tuple[str, ...], *, shared: bool
) -> None:
    labour = case.benefits[2]
    one, other = (
        labour.model_copy(update={"id": name, "measurement": labour.measurement.model_copy(update={"roles": roles})})
        for name, roles in (("one", mine), ("other", theirs))
    )
    assert bool(shared_groups(case.model_copy(update={"benefits": (one, other)}))) is shared
