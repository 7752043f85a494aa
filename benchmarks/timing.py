"""Costs of calls that take turns, so that a busy neighbour meets them all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

SECONDS = 4.0  # for all rounds of one comparison together
ROUNDS = (5, 400)


def interleaved(*calls: Callable[[], Any], seconds: float = SECONDS) -> list[float]:
    """Median processor seconds of each call, all threads together; what a first call makes is left out."""
    for call in calls:
        call()
    began = time.perf_counter()
    found: list[list[float]] = [[] for _ in calls]
    while len(found[0]) < ROUNDS[0] or (len(found[0]) < ROUNDS[1] and time.perf_counter() - began < seconds):
        for call, times in zip(calls, found, strict=True):
            times.append(processor_seconds(call))
    return [statistics.median(times) for times in found]


def processor_seconds(call: Callable[[], Any]) -> float:
    """Of one call, all threads together."""
    before = time.process_time()
    call()
    return time.process_time() - before
