from __future__ import annotations

import sys
from pathlib import Path

# the tests' own modules (brokers) are imported as tests.<module>, from the checkout or beside an installed wheel
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
