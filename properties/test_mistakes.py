"""The mistakes as data: right code passes, what shows is convicted, what does not is not accused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from gradcheck import Verdict
from gradcheck.diagnosis.evidence import Finding
from properties.effort import one_in
from properties.mistakes import LAYOUTS, MUTANTS, RIGHT, RIGHTS, Case, Layout, Mutant, case, cases, named
from properties.mistakes.__main__ import main, problem
from properties.mistakes.judged import judged
from properties.mistakes.network import HIDDEN, LOSSES

HONEST = (5, 2, 4, 3)
ROUNDING = 1e-12  # a mutant nearer than this to the right gradient is one only by name
CODES_ELSEWHERE = {
    "ignores-cotangent",  # a cost has none
    "nonlinear-backward",
    "accumulates",  # nothing lasts between two calls of a function
    "stale-cache",
    "missing-centring",  # nothing is normalised
    "broadcast-label",  # a second forward is needed
    "forward-differs",
}
CODES_HERE = {
    "factor",
    "sign",
    "output-delta",
    "transposed",
    "reshaped",
    "missing-batch-sum",
    "wrong-axis",
    "keepdims",
    "mean-for-sum",
    "derivative-at-activation",
    "wrong-activation",
    "missing-activation",
    "regulariser",
    "updated-weights",
    "wrong-operand",
    "elementwise-for-matrix",
    "softmax-diagonal",
    "mutates",
    "overwrites",
    "random-forward",
    "one-sample",
    "label-branch",
    "mask-not-applied",
    "nonfinite",
    "zero",
    "input-gradient",
    "convention-1/m-in-parameters",
}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_each_layout_has_at_least_43_mistakes_that_show(layout: Layout):
    shown = [mutant for mutant in MUTANTS if case(mutant, layout, HONEST, 0).visible(mutant)]
    assert len(shown) >= 43
    assert shown == list(MUTANTS)


def test_every_mistake_of_a_network_is_planted_under_a_name_of_its_own():
    assert {code for mutant in MUTANTS for code in mutant.codes} == CODES_HERE
    assert not CODES_HERE & CODES_ELSEWHERE
    assert len({mutant.name for mutant in (*RIGHTS, *MUTANTS)}) == len(RIGHTS) + len(MUTANTS)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_the_right_backward_passes(layout: Layout, loss: str, hidden: str):
    report = case(RIGHT, layout, HONEST, 3, loss, hidden).check(RIGHT)
    assert report.verdict is Verdict.PASS
    assert report.findings == ()


@given(drawn=cases(RIGHTS))
def test_right_code_in_other_words_passes_and_nothing_is_found(drawn: tuple[Mutant, Case]):
    right, at = drawn
    errors = at.errors(right)
    assert all(errors[name] < ROUNDING for name in ("dW2", "db2", "dW1", "db1"))
    report = at.check(right)
    # Rectified units may grow until log(1 - a) has no digits left, which is UNDECIDED.
    unbounded = (at.loss, at.hidden) == ("cross-entropy", "relu")
    assert report.verdict is Verdict.PASS or (unbounded and report.verdict is Verdict.UNDECIDED)
    assert report.findings == ()


@one_in(10)
@given(drawn=cases(MUTANTS))
def test_what_shows_is_convicted(drawn: tuple[Mutant, Case]):
    mutant, at = drawn
    if at.visible(mutant):
        assert at.check(mutant).verdict is Verdict.FAIL


@one_in(5)
@given(drawn=cases(MUTANTS, hiding=True))
def test_what_the_shapes_hide_is_not_accused(drawn: tuple[Mutant, Case]):
    mutant, at = drawn
    error = at.error(mutant)
    if error < ROUNDING:
        report = at.check(mutant)
        assert report.verdict is not Verdict.FAIL
        assert report.findings == ()


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_one_example_hides_what_is_about_several(layout: Layout):
    """At m = 1 there is no mean, no sum and no last example; a factor of 2 shows all the same."""
    hidden = {
        mutant.name
        for mutant in MUTANTS
        if "m" not in mutant.equal and not case(mutant, layout, (1, *HONEST[1:]), 0).visible(mutant)
    }
    assert {
        "1/m missing",
        "1/m twice",
        "both biases averaged",
        "no bias summed",
        "the last example alone",
        "penalty divided by m",
    } <= hidden
    assert "2/m for 1/m" not in hidden
    assert "db1 summed over the units" not in hidden


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_the_layouts_have_the_same_gradients(layout: Layout):
    """Laid out otherwise, the numbers are the same: a mutant of one layout is that of every other."""
    rows, here = (case(RIGHT, at, HONEST, 7) for at in (LAYOUTS[0], layout))
    of_rows, found = (at.gradients(RIGHT)(*at.data) for at in (rows, here))
    laid_out = layout.of_rows({name[1:]: of_rows[name] for name in ("dW1", "db1", "dW2", "db2")})
    for name, value in laid_out.items():
        np.testing.assert_allclose(found[f"d{name}"], value, rtol=1e-12, atol=1e-15)


def test_the_first_wrong_line_is_the_first_that_is_written_wrongly():
    """Read off the numbers, and so the line itself wherever the shapes hide nothing."""
    for mutant in MUTANTS:
        at = case(mutant, LAYOUTS[0], HONEST, 0)
        written = next(name for name in at.errors(mutant) if name in mutant.lines)
        assert at.first_wrong(mutant) == {written, *mutant.also_first}, mutant.name


@pytest.mark.parametrize(
    ("name", "code", "confirmed", "right", "misled"),
    [
        ("db1 averaged", "mean-for-sum", True, True, False),
        ("db1 averaged", "factor", True, True, False),
        ("db1 averaged", "sign", True, False, True),
        ("db1 averaged", "sign", False, False, False),
        ("db1 averaged", None, False, False, False),
        ("one entry of dW1", None, False, True, False),
        ("one entry of dW1", "factor", True, False, True),
    ],
)
def test_a_cause_is_marked_by_the_codes_of_its_mutant(name, code, confirmed, right, misled):
    mutant = named(name)
    cell = judged(mutant, case(mutant, LAYOUTS[0], HONEST, 0))
    found = Finding(code=code or "", leaf="", message="", remedy="", value=None, confirmed=confirmed)
    cell = replace(cell, report=replace(cell.report, findings=(found,) if code else ()))
    assert (cell.named, cell.misled) == (right, misled)
    assert (cell.failed, cell.visible) == (True, True)


@pytest.mark.parametrize("seed", [65, 445, 1518, 2066, 2258, 3271, 3528, 4709])
def test_what_was_not_named_once_is(seed):
    """Where 1 - a has lost its digits, all of a mask is kept, it is another mask, or the truth is zero."""
    cell = judged(*problem(seed))
    assert not cell.misled
    assert cell.named or cell.mutant.codes[0] in cell.report.findings[0].alternatives


@pytest.mark.parametrize("closed_over", [[], ["--closed-over"]], ids=["inputs", "closed over"])
def test_counts_over_random_problems(capsys, closed_over):
    """Whatever the rules know, what shows is convicted and right code is left alone."""
    main(["--problems", "8", *closed_over])
    words = {tuple(line.split()) for line in capsys.readouterr().out.splitlines()}
    assert ("mistakes", str(len(MUTANTS))) in words
    assert ("of", "which", "with", "a", "finding", "0") in words
    assert ("hidden", "and", "yet", "FAIL", "0") in words
