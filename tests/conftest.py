from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

# the tests' own modules (brokers) are imported as tests.<module>, from the checkout or beside an installed wheel
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# How fast a machine draws examples says nothing of the property.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
