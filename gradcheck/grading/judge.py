"""A backward beside what JAX and finite differences make of the exercise's own forward, in this process.

Of a submission only numbers are seen. The parameters are one check, in which the submission is asked again at
other data, so that causes can be confirmed; the intermediates are another, on the numbers of the first call.
No line is found by its name in a backward that is watched, as `lines` does: none runs here. Each that is
returned is a leaf with a verdict, a place and a cause, also where the parameters beside it are right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.check import check_gradients
from gradcheck.claim import Array, constant
from gradcheck.grading.credit import Judged
from gradcheck.grading.exercise import Arrays, Exercise, Point, is_parameter
from gradcheck.report import Report

Answer = Callable[[Mapping[str, Array], Array, Array], Arrays]


def judge(exercise: Exercise, point: Point, answer: Answer, seed: int) -> tuple[Judged, tuple[str, ...]]:
    """The verdicts on all lines that were returned, and the rules that the backward breaks."""
    first = answer(point.params, point.X, point.Y)
    given = [line for line in exercise.lines if f"d{line}" in first]
    parameters = [line for line in given if is_parameter(line)]
    others = [line for line in given if not is_parameter(line)]
    reports = []
    if parameters:
        reports.append(_parameters(exercise, point, answer, parameters, seed))
    if others:
        reports.append(_intermediates(exercise, point, {line: first[f"d{line}"] for line in others}, seed))
    judged = {name: found for report in reports for name, found in _by_line(report)}
    broken = tuple(finding.message for report in reports for finding in report.findings if not finding.leaf)
    return judged, broken


def _parameters(exercise: Exercise, point: Point, answer: Answer, names: list[str], seed: int) -> Report:
    def loss(params: Arrays, X: Array, Y: Array) -> Any:
        return exercise.run(point.params | params, {}, X, Y)[0]

    def backward(params: Arrays, X: Array, Y: Array) -> Arrays:
        answered = answer(point.params | params, X, Y)
        return {f"d{name}": answered[f"d{name}"] for name in names if f"d{name}" in answered}

    at = {name: point.params[name] for name in names}
    return check_gradients(loss, at, constant(point.X), constant(point.Y), gradients=backward, seed=seed)


def _intermediates(exercise: Exercise, point: Point, claimed: Arrays, seed: int) -> Report:
    """The derivative by an intermediate is that by a shift of it, at no shift."""
    _, values = exercise.run(point.params, {}, point.X, point.Y)

    def loss(shifts: Arrays) -> Any:
        return exercise.run(point.params, shifts, point.X, point.Y)[0]

    at = {name: np.zeros_like(values[name]) for name in claimed}
    return check_gradients(loss, at, gradients={f"d{n}": value for n, value in claimed.items()}, seed=seed)


def _by_line(report: Report) -> list[tuple[str, Any]]:
    """Leaves are called params['W1'] or shifts['Z1']: here by what stands between the quotes."""
    findings = {finding.leaf: finding for finding in reversed(report.findings)}
    return [(leaf.name.split("'")[1], (leaf, findings.get(leaf.name))) for leaf in report.leaves]
