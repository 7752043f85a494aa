"""The pipeline, read from top to bottom: claim, oracles, comparison, verdict, diagnosis, report."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.adapters import as_claim
from gradcheck.blind import blind_spots
from gradcheck.claim import Claim
from gradcheck.compare import agreements
from gradcheck.diagnosis import Look, explain, look_again
from gradcheck.diagnosis.evidence import Finding
from gradcheck.diagnosis.formulas import with_lines
from gradcheck.errors import ClaimError, GradientMismatch, GradientUndecided
from gradcheck.examine import Examination, examine
from gradcheck.first_wrong import FirstWrong, first_wrong
from gradcheck.oracles import chosen
from gradcheck.protocol import NO_DERIVATIVE, Breach, breaches, drawn_anew
from gradcheck.report import Evaluations, OracleResult, Report
from gradcheck.steps import traced_out
from gradcheck.surroundings import preserved
from gradcheck.teeth import bared
from gradcheck.tree import Tree
from gradcheck.verdict import LeafResult, Reason, Verdict, judge, overall, verdicts
from gradcheck.version import __version__


def check_gradients(
    target: Any,
    *inputs: Tree,
    vjp: Callable[..., Tree] | None = None,
    gradients: Any = None,
    reference: Callable[..., Tree] | None = None,
    oracles: str | tuple[str, ...] | list[str] = "auto",
    sensitivity: str | float = "auto",
    convention: str = "vjp",
    order: int = 1,
    names: tuple[str, ...] | list[str] | None = None,
    seed: int = 0,
) -> Report:
    """Judge a hand-written gradient at `inputs`: whether it is right, where it is wrong, and why.

    target: f with `vjp=` or `gradients=` (a function, values, or True where f returns them too),
    or what carries its own backward: a layer, a network, a pair (forward, backward), a static op, a
    function that returns (output, callback). inputs: arrays or containers of arrays; wrap data in
    `constant(...)`. reference: the forward in jax.numpy, which JAX then differentiates. oracles:
    "auto", or names. sensitivity: the relative error in any leaf that a PASS must have been able to
    see. convention: "vjp", or "mean-in-parameters" where dW and db of every layer carry 1/m and dA
    does not. order: 2 judges, of a function in JAX, the gradient of its gradient. names: for the inputs
    in the report. seed: of every random choice.

    Raises ClaimError where the call makes no claim that can be judged; an exception of the user's
    own functions at the user's own point passes through.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ClaimError(f"seed={seed!r} is no seed: pass a whole number from 0 on")
    asked = chosen(oracles)
    threshold = _validated(sensitivity)
    with preserved():
        claim = as_claim(
            target,
            inputs,
            vjp=vjp,
            gradients=gradients,
            reference=reference,
            names=names,
            convention=convention,
            order=order,
        )
        seen = examine(claim, asked, seed, threshold)
        claim = seen.evaluator.claim  # a complex one is read in one convention from here on
        leaves = traced_out(seen, bared(seen, judge(seen)))
        broken = breaches(seen.evaluator, seen.claimed.probe, seen.claimed.gradients)
        noted = drawn_anew() if any(leaf.reason is Reason.NONDETERMINISTIC for leaf in leaves) else ()
        failed = Verdict.FAIL in verdicts(leaves)
        sought = failed and not seen.evaluator.is_spread
        wrong = first_wrong(seen, leaves) if sought else None
        looks = look_again(claim, asked, seed, seen, leaves, wrong) if sought else ()
        # What is no linear function of the cotangent is no derivative that a slip has been made in.
        explained = (failed and not sought) or any(breach.code in NO_DERIVATIVE for breach in broken)
        findings = () if explained else explain(claim, seen, leaves, looks)
        findings = with_lines(findings, wrong, leaves, looks)
        verdict = overall(leaves, seen.answers, bool(broken))
        found = (*_rules((*broken, *noted)), *findings)
        return _report(claim, seen, leaves, looks, verdict, found, wrong, seed)


def assert_gradients(target: Any, *inputs: Tree, allow_undecided: bool = False, **options: Any) -> Report:
    """`check_gradients`, raising GradientMismatch on FAIL and GradientUndecided on UNDECIDED."""
    report = check_gradients(target, *inputs, **options)
    if report.verdict is Verdict.FAIL:
        raise GradientMismatch(report)
    if report.verdict is Verdict.UNDECIDED and not allow_undecided:
        raise GradientUndecided(report)
    return report


def _validated(sensitivity: str | float) -> float | None:
    """The sensitivity asked for, None where it is left to the arithmetic."""
    if isinstance(sensitivity, str) and sensitivity == "auto":
        return None
    if not isinstance(sensitivity, float | int | np.number) or not 0 < sensitivity < 1:
        raise ClaimError(f"sensitivity={sensitivity!r} is no relative error: pass a number between 0 and 1")
    return float(sensitivity)


def _report(
    claim: Claim,
    seen: Examination,
    leaves: tuple[LeafResult, ...],
    looks: tuple[Look, ...],
    judged: tuple[Verdict, Reason | None],
    findings: tuple[Finding, ...],
    wrong: FirstWrong | None,
    seed: int,
) -> Report:
    verdict, reason = judged
    evaluators = [seen.evaluator, *(look.seen.evaluator for look in looks if look.seen)]
    unseen = [f"the cause on other data, where {look.failure}" for look in looks if look.failure]
    if verdict is Verdict.FAIL and seen.evaluator.is_spread:
        unseen.append("the cause, since inputs lie over several devices")
    sides = (*seen.comparisons, seen.together)
    rows = tuple(row for comparisons in sides for row in agreements(comparisons))
    return Report(
        name=claim.name,
        verdict=verdict,
        reason=reason,
        leaves=leaves,
        oracles=tuple(
            OracleResult(
                name=answer.oracle,
                available=bool(answer.estimates or answer.together),
                why_not=answer.why_not or answer.failure,
                evaluations=answer.evaluations,
                agrees_with_claim=_all_agree(rows, "claim", answer.oracle),
                agrees_with=tuple(
                    other.oracle
                    for other in seen.answers
                    if _all_agree(rows, answer.oracle, other.oracle)
                    or _all_agree(rows, other.oracle, answer.oracle)
                ),
            )
            for answer in seen.answers
        ),
        agreements=rows,
        findings=findings,
        first_wrong=wrong.name if wrong else None,
        right_before=wrong.right if wrong else (),
        not_checked=(*claim.not_checked, *unseen),
        notes=claim.notes + (() if verdict is Verdict.UNDECIDED else blind_spots(claim, seen)),
        evaluations=Evaluations(
            forward=sum(evaluator.forwards for evaluator in evaluators),
            backward=sum(evaluator.backwards for evaluator in evaluators),
        ),
        sensitivity=seen.sensitivity,
        seed=int(seed),
        versions=_versions(),
    )


def _rules(broken: tuple[Breach, ...]) -> tuple[Finding, ...]:
    """Broken rules as findings about no leaf in particular."""
    return tuple(
        Finding(code=b.code, leaf="", message=b.message, remedy=b.remedy, value=None, confirmed=True)
        for b in broken
    )


def _all_agree(rows: tuple[Any, ...], left: str, right: str) -> bool | None:
    """Whether two witnesses agree on every leaf, None where they were never laid side by side."""
    found = [row.agrees for row in rows if (row.left, row.right) == (left, right)]
    return all(found) if found else None


def _versions() -> dict[str, str]:
    versions = {"gradcheck": __version__, "python": platform.python_version(), "numpy": np.__version__}
    return versions | {name: _installed(name) for name in ("jax", "torch", "autograd") if name in sys.modules}


@functools.cache
def _installed(name: str) -> str:
    """The version of a package, which takes a millisecond to be read."""
    return importlib.metadata.version(name)
