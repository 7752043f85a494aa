"""Layers and losses in every convention: the right ones pass, the wrong ones fail at their own leaves."""

from collections import Counter
from typing import get_args

import numpy as np
import pytest

from gradcheck import Verdict, check_gradients
from tests.zoo import ZOO, Convention

MISTAKES = {
    f"{specimen.name}, {mistake.name}": (specimen, mistake) for specimen in ZOO for mistake in specimen.wrong
}


def checked(specimen, version, **options):
    call = specimen.call(version)
    return check_gradients(call.target, *call.inputs, **call.options, **options)


def failing(report):
    return {leaf.name for leaf in report.leaves if leaf.verdict is Verdict.FAIL}


@pytest.mark.parametrize("specimen", ZOO, ids=lambda specimen: specimen.name)
def test_a_right_one_passes_and_autodiff_judged_every_entry(specimen):
    report = checked(specimen, specimen.right)
    assert report.verdict is Verdict.PASS, str(report)
    assert [entry.partition(":")[0] for entry in report.not_checked] == list(specimen.not_checked)
    autodiff = report.oracles[0]
    assert autodiff.name == "autodiff"
    assert autodiff.available == (not specimen.not_recorded), autodiff.why_not
    if autodiff.available:
        assert autodiff.agrees_with_claim == (not specimen.other_subgradient)
        assert all(leaf.compared == np.prod(leaf.shape) for leaf in report.leaves)


@pytest.mark.parametrize("specimen", ZOO, ids=lambda specimen: specimen.name)
def test_a_right_one_passes_by_differences_alone(specimen):
    report = checked(specimen, specimen.right, oracles="finite-difference")
    assert report.verdict is Verdict.PASS, str(report)


@pytest.mark.parametrize("mistake", MISTAKES, ids=MISTAKES)
def test_a_wrong_one_fails_where_it_is_wrong_and_nowhere_else(mistake):
    """The first of every specimen by all oracles, the others in a tenth of the time by the quickest one.

    `python -m tests.zoo` asks all oracles about all of them.
    """
    specimen, wrong = MISTAKES[mistake]
    report = checked(specimen, wrong.version, oracles="auto" if wrong is specimen.wrong[0] else "autodiff")
    assert report.verdict is Verdict.FAIL
    assert failing(report) == set(wrong.leaves), str(report)


def test_the_zoo_is_large_and_every_convention_is_in_it():
    kinds = Counter(specimen.convention for specimen in ZOO)
    assert len(ZOO) >= 60
    assert set(kinds) == set(get_args(Convention))
    assert min(kinds.values()) >= 3
    assert all(len(specimen.wrong) >= 2 for specimen in ZOO)
    assert len({specimen.name for specimen in ZOO}) == len(ZOO)
    assert len(MISTAKES) == sum(len(specimen.wrong) for specimen in ZOO)


def test_hardly_any_forward_cannot_be_recorded():
    assert sum(bool(specimen.not_recorded) for specimen in ZOO) <= 0.05 * len(ZOO)
