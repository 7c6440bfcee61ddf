"""What the settings ask of people: the random audit with its secret seed, reasons of stops, machines to speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from edge_agent.adapters.seed_file import read_or_make_seed
from edge_agent.inspection.sampling import AuditAim, AuditLottery, audit_rates
from edge_agent.status.context import Asked
from edge_agent.workers.inspecting import StationAudit

if TYPE_CHECKING:
    from pathlib import Path

    from edge_agent.settings.config import Settings

log = structlog.get_logger(__name__)

SEED_FILE = "audit.seed"


def station_audits(settings: Settings, data: Path) -> dict[str, StationAudit]:
    """How parts are drawn, by station that has an `[stations.audit]`; the seed is made at first need.

    Raises:
        ConfigError: the seed cannot be kept.
    """
    wanted = {station.name: station.audit for station in settings.stations if station.audit is not None}
    if not wanted:
        return {}
    lottery = AuditLottery(read_or_make_seed(data / SEED_FILE))
    audits: dict[str, StationAudit] = {}
    for name, audit in wanted.items():
        rates = audit_rates(AuditAim(**audit.model_dump()))
        audits[name] = StationAudit(lottery, rates)
        told = {
            "pass_rate": rates.pass_rate,
            "fail_rate": rates.fail_rate,
            "for_half_width": rates.for_half_width,
            "ppv_half_width": rates.ppv_half_width,
        }
        if rates.capped:
            log.warning("reviews_per_shift allows fewer audited parts than the widths need", station=name, **told)
        else:
            log.info("parts are drawn for the blind audit", station=name, **told)
    return audits


def asked(settings: Settings, audits: dict[str, StationAudit]) -> Asked:
    """What the pages ask, from settings."""
    machines = [
        *((asset.line, asset.name) for asset in settings.assets),
        *((alarm.line, alarm.asset) for alarm in settings.alarms),
        *((downtime.line, downtime.asset) for downtime in settings.downtime),
    ]
    return Asked(
        audits=audits,
        audited_lines=frozenset(station.line for station in settings.stations if station.name in audits),
        reasons=settings.stop_reasons,
        planned_run_s={entry.line: entry.planned_run_s for entry in settings.oee},
        stopping={downtime.line: downtime.asset for downtime in settings.downtime},
        assets={
            line: tuple(dict.fromkeys(asset for where, asset in machines if where == line)) for line in settings.lines
        },
    )
