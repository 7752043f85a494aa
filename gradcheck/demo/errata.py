"""The documents' errata put before the checker: as printed, as corrected, and where they hide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gradcheck.check import check_gradients
from gradcheck.claim import constant
from gradcheck.report import Report
from gradcheck.verdict import Verdict
from manual.errata import ERRATA, Erratum, Gradients, Problem, Shape

Drawn = Callable[[Shape, int], Problem]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """An erratum and the reports on it; `hidden` is None where nothing can hide."""

    erratum: Erratum
    printed: Report
    corrected: Report
    hidden: Report | None

    @property
    def as_expected(self) -> bool:
        """Whether the printed formula is convicted of what it does wrong and of nothing else."""
        wrong = {leaf.name for leaf in self.printed.leaves if leaf.verdict is Verdict.FAIL}
        expected = {f"params['{name}']" for name in self.erratum.convicted}
        hides = self.hidden is None or bool(self.hidden)
        return wrong == expected and bool(self.corrected) and hides


def errata_of(document: str, seed: int) -> tuple[Judged, ...]:
    """The errata of one document, judged."""
    return tuple(judged(erratum, seed) for erratum in ERRATA if document in erratum.documents)


def judged(erratum: Erratum, seed: int) -> Judged:
    """Three checks of one erratum on random problems."""

    def report(gradients: Gradients, shape: Shape, problem: Drawn = erratum.problem) -> Report:
        params, X, Y = problem(shape, seed)
        return check_gradients(erratum.loss, params, constant(X), constant(Y), gradients=gradients, seed=seed)

    return Judged(
        erratum=erratum,
        printed=report(erratum.printed_code, erratum.shown_at),
        corrected=report(
            erratum.corrected_code, erratum.shown_at, erratum.corrected_problem or erratum.problem
        ),
        hidden=report(erratum.printed_code, erratum.hidden_at) if erratum.hidden_at else None,
    )
