"""Every planted mistake is convicted wherever it can be seen, and the right gradient never is."""

import numpy as np
from hypothesis import event, given

from gradcheck import Verdict, constant
from gradcheck.adapters import from_gradients
from gradcheck.evaluator import Evaluator
from gradcheck.examine import examine
from gradcheck.oracles import Asked
from gradcheck.oracles.base import Answer
from gradcheck.oracles.finite_difference import finite_difference
from gradcheck.probes import Probe
from gradcheck.verdict import judge, overall
from manual import row_major
from properties import mutants
from properties.problems import SMALL, Problem, degenerate_shapes, of_order_one, shapes

VISIBLE = 1e-6  # relative error that a PASS in float64 must have been able to see
HIDDEN = 1e-12  # relative error that is only rounding: the mistake makes no difference there


def verdicts(problem: Problem) -> dict[mutants.Mutant, Verdict]:
    """The verdict of finite differences on the right gradient and on every mutant.

    The oracle knows nothing of the claim, so that one answer of it serves them all.
    """
    params, X, Y = problem.rows
    found: list[Answer] = []

    def asked_once(evaluator: Evaluator, probe: Probe) -> Answer:
        if not found:
            found.append(finite_difference(evaluator, probe))
        return found[0]

    def verdict(mutant: mutants.Mutant) -> Verdict:
        inputs = (params, constant(X), constant(Y))
        claim = from_gradients(
            row_major.loss, *inputs, gradients=mutants.claim(mutant), names=("params", "X", "Y")
        )
        seen = examine(claim, Asked(oracles=(asked_once,), by_name=True), 0, VISIBLE)
        return overall(judge(seen), seen.answers)[0]

    return {mutant: verdict(mutant) for mutant in (mutants.right, *mutants.MUTANTS)}


def size(mutant: mutants.Mutant, problem: Problem) -> float:
    """How wrong the mistake makes the worst leaf, relative to it; infinite for a wrong shape."""
    params, X, Y = problem.rows
    right = mutants.claim(mutants.right)(params, X, Y)
    errors = [0.0]
    for name, wrong in mutants.claim(mutant)(params, X, Y).items():
        if wrong.shape != right[name].shape:
            return float("inf")
        errors.append(np.abs(wrong - right[name]).max() / np.abs(right[name]).max())
    return max(errors)


@given(problem=of_order_one(shapes(SMALL)))
def test_every_mistake_is_convicted_where_shapes_hide_nothing(problem: Problem):
    for mutant, verdict in verdicts(problem).items():
        right = mutant is mutants.right
        assert right or size(mutant, problem) > VISIBLE, mutant.__name__
        assert verdict is (Verdict.PASS if right else Verdict.FAIL), mutant.__name__


@given(problem=of_order_one(degenerate_shapes()))
def test_a_mistake_that_the_shapes_hide_is_not_called_one_there(problem: Problem):
    for mutant, verdict in verdicts(problem).items():
        error = size(mutant, problem)
        if error > VISIBLE:
            assert verdict is Verdict.FAIL, mutant.__name__
        elif error < HIDDEN:
            # A leaf of one number may cancel to nothing, and differences then say that it is noise.
            event(f"{mutant.__name__} is hidden, {verdict.value}")
            assert verdict is not Verdict.FAIL, mutant.__name__
