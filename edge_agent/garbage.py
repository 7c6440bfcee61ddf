"""How often Python looks for cyclic garbage while messages stream: seldom, because a message leaves none."""

from __future__ import annotations

import gc

YOUNG = 50_000
"""Containers that may come into being before a look at the youngest; Python's own 700 is a look every few messages."""
MIDDLE, OLD = 20, 50
"""Looks at one generation before one at the next older."""


def look_seldom() -> None:
    """Leave out of every later look what was loaded at the start, and look less often; called once, by a process.

    Messages, readings and batches are freed by their reference counts. What is left for the collector are the cycles
    of web pages and of errors, which are few.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
