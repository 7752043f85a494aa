"""What stands in each chapter of the page, all of it computed from a seed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck.demo.agreement import Reports
from gradcheck.demo.documents import CHAPTERS, Chapter
from gradcheck.demo.page.lines import CLASSES, COLUMNS, INDICES, ROWS, Program, general
from gradcheck.demo.page.look import Look, findings, look_at, look_beside
from gradcheck.demo.page.misprints import MISPRINTS, Misprint
from gradcheck.demo.training import Lesson
from gradcheck.diagnosis.evidence import Finding
from gradcheck.verdict import Verdict
from manual import column_major, xor
from manual.activations import activation_named
from manual.errata import DIFFERENT, ERRATA, Erratum, Problem, Shape, columns, indices, lengths, rows
from manual.training import gradient_descent
from manual.types import Arrays

LEARNING: dict[str, float] = {"E2": 1.0, "E3": 1.0, "E9": 1.0, "E12": 0.2}  # rates; one misprint a document
EPOCHS = 400
CLASS = (8, 3, 4, 2)  # m, n0, n1, n2 of what is learned with them


@dataclass(frozen=True, kw_only=True)
class Learned:
    """The losses of one training with the right lines and one with the printed ones, all else being equal.

    grown: the parameters that the printed lines gave another shape, with the shape before and after.
    """

    right: list[float]
    printed: list[float]
    grown: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A misprint and how its lines and the corrected ones were judged; `printed` is None where no formula
    is touched. findings: what the checker says of the printed ones."""

    erratum: Erratum
    misprint: Misprint
    printed: Look | None
    corrected: Look
    findings: tuple[Finding, ...]
    learned: Learned | None

    @property
    def as_expected(self) -> bool:
        """Whether the printed lines are convicted of what they do wrong, and of no other parameter."""
        numbers = self.printed.numbers if self.printed else ()
        wrong = {n.name.removeprefix("d") for n in numbers if n.verdict is Verdict.FAIL}
        convicted = set(self.erratum.convicted)
        accused = any(map(_is_parameter, wrong - convicted))
        return convicted <= wrong and not accused and self.corrected.verdict is Verdict.PASS

    @property
    def where(self) -> str:
        """The lengths at which it was judged."""
        return lengths(self.erratum.shown_at)


@dataclass(frozen=True, kw_only=True)
class Content:
    """One chapter: its network judged, its misprints, the variants that were checked, what it learns.

    elsewhere: errata of this document that an earlier chapter of the page shows.
    """

    chapter: Chapter
    program: Program
    look: Look
    misprints: tuple[Judged, ...]
    elsewhere: tuple[Erratum, ...]
    reports: Reports
    lesson: Lesson | None

    @property
    def as_expected(self) -> bool:
        judged = all(misprint.as_expected for misprint in self.misprints)
        return judged and self.look.verdict is Verdict.PASS and all(self.reports.values())


def _exclusive_or(shape: Shape, seed: int) -> Problem:
    return column_major.initialise(shape[1:], seed), xor.X.T, xor.Y.T


def _classes(shape: Shape, seed: int) -> Problem:
    """Every example of one class."""
    params, X, _ = rows(shape, seed)
    examples, *_, outputs = shape
    return params, X, np.eye(outputs)[np.random.default_rng(seed).integers(outputs, size=examples)]


NETWORKS: dict[str, tuple[Program, Callable[[Shape, int], Problem], Shape]] = {
    "shallow": (COLUMNS, columns, DIFFERENT),
    "xor": (COLUMNS, _exclusive_or, (4, 2, 2, 1)),
    "slides": (general(activation_named("tanh")), columns, DIFFERENT),
    "rowmajor": (ROWS, rows, DIFFERENT),
    "squared": (INDICES, indices, DIFFERENT),
    "beside": (CLASSES, _classes, DIFFERENT),
}


def contents(seed: int, document: str | None = None) -> list[Content]:
    """All chapters, or the one of that id."""
    asked = tuple(NETWORKS) if document is None else (document,)
    return [_content(chapter, asked, seed) for chapter in CHAPTERS if chapter.id in asked]


def _content(chapter: Chapter, asked: tuple[str, ...], seed: int) -> Content:
    program, problem, shape = NETWORKS[chapter.id]
    printed = [erratum for erratum in ERRATA if chapter.id in erratum.documents]
    here = [e for e in printed if next(d for d in e.documents if d in asked) == chapter.id]
    return Content(
        chapter=chapter,
        program=program,
        look=_right(program, problem, shape, seed),
        misprints=tuple(_judged(erratum, seed) for erratum in here),
        elsewhere=tuple(erratum for erratum in printed if erratum not in here),
        reports=chapter.judge(seed),
        lesson=chapter.learn(seed) if chapter.learn else None,
    )


def _judged(erratum: Erratum, seed: int) -> Judged:
    misprint = MISPRINTS[erratum.id]
    corrected = _right(misprint.right, erratum.problem, erratum.shown_at, seed)
    params, X, Y = erratum.problem(erratum.shown_at, seed)
    touched = bool(misprint.shown)
    return Judged(
        erratum=erratum,
        misprint=misprint,
        printed=look_beside(corrected, misprint.wrong, _parameters(params), X, Y) if touched else None,
        corrected=corrected,
        findings=findings(misprint.wrong, params, X, Y, seed) if touched else (),
        learned=_learned(erratum, misprint, seed) if erratum.id in LEARNING else None,
    )


@functools.lru_cache(maxsize=16)
def _right(program: Program, problem: Callable[[Shape, int], Problem], shape: Shape, seed: int) -> Look:
    """A right program judged, once for all misprints that are corrected by it."""
    params, X, Y = problem(shape, seed)
    return look_at(program, _parameters(params), X, Y, seed)


def _learned(erratum: Erratum, misprint: Misprint, seed: int) -> Learned:
    params, X, Y = erratum.problem(CLASS, seed)
    start, rate = _parameters(params), LEARNING[erratum.id]
    right, printed = (
        gradient_descent(program, start, X, Y.round(), learning_rate=rate, epochs=EPOCHS)
        for program in (misprint.right, misprint.wrong)
    )
    grown = {
        name: (value.shape, printed.params[name].shape)
        for name, value in start.items()
        if value.shape != printed.params[name].shape
    }
    return Learned(right=right.losses, printed=printed.losses, grown=grown)


def _parameters(params: Arrays) -> Arrays:
    """Without the shifts of intermediates that some errata bring along."""
    return {name: value for name, value in params.items() if _is_parameter(name)}


def _is_parameter(name: str) -> bool:
    return name[0] in "Wb"
