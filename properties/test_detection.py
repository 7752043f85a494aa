"""Finite differences alone convict every planted mistake wherever it can be seen, and never the right one."""

from hypothesis import event, given
from hypothesis import strategies as st

from gradcheck import Verdict
from gradcheck.evaluator import Evaluator
from gradcheck.examine import examine
from gradcheck.oracles import Asked
from gradcheck.oracles.base import Answer
from gradcheck.oracles.finite_difference import finite_difference
from gradcheck.probes import Probe
from gradcheck.verdict import judge, overall
from properties.effort import one_in
from properties.mistakes import LAYOUTS, MUTANTS, RIGHT, Case, Layout, Mutant, case
from properties.mistakes.cases import VISIBLE, telling
from properties.problems import DEGENERATE, SEEDS, Shape

HIDDEN = 1e-12  # relative error that is only rounding: the mistake makes no difference there
LENGTHS = st.lists(st.integers(2, 5), min_size=4, max_size=4, unique=True)


def verdicts(at: Case) -> dict[Mutant, Verdict]:
    """The verdict of finite differences on the right gradient and on every mutant of this very network.

    The oracle knows nothing of the claim, so that one answer of it serves them all.
    """
    found: list[Answer] = []

    def asked_once(evaluator: Evaluator, probe: Probe) -> Answer:
        if not found:
            found.append(finite_difference(evaluator, probe))
        return found[0]

    def verdict(mutant: Mutant) -> Verdict:
        seen = examine(at.claim(mutant), Asked(oracles=(asked_once,), by_name=True), 0, VISIBLE)
        return overall(judge(seen), seen.answers)[0]

    here = [m for m in MUTANTS if case(m, at.layout, at.problem.shape, at.problem.seed) == at]
    return {mutant: verdict(mutant) for mutant in (RIGHT, *here)}


@one_in(4)
@given(lengths=LENGTHS, layout=st.sampled_from(LAYOUTS), seed=SEEDS)
def test_every_mistake_is_convicted_where_shapes_hide_nothing(lengths: list[int], layout: Layout, seed: int):
    at = case(RIGHT, layout, telling(lengths), seed)
    found = verdicts(at)
    assert len(found) > 43
    for mutant, verdict in found.items():
        assert mutant is RIGHT or at.visible(mutant), mutant.name
        assert verdict is (Verdict.PASS if mutant is RIGHT else Verdict.FAIL), mutant.name


@one_in(3)
@given(shape=st.sampled_from(DEGENERATE), layout=st.sampled_from(LAYOUTS), seed=SEEDS)
def test_a_mistake_that_the_shapes_hide_is_not_called_one_there(shape: Shape, layout: Layout, seed: int):
    at = case(RIGHT, layout, shape, seed)
    for mutant, verdict in verdicts(at).items():
        error = at.error(mutant)
        if error > VISIBLE:
            assert verdict is Verdict.FAIL, mutant.name
        elif error < HIDDEN:
            # A leaf of one number may cancel to nothing, and differences then say that it is noise.
            event(f"{mutant.name} is hidden, {verdict.value}")
            assert verdict is not Verdict.FAIL, mutant.name
