"""The documents' errata as data: each convicted of what it does wrong, and hidden where it hides."""

import dataclasses

import numpy as np
import pytest

from gradcheck import Verdict
from gradcheck.demo import pages
from gradcheck.demo.errata import judged
from manual import initialisation
from manual.errata import ERRATA, Broadcast, lecun_columns
from manual.training import descend

BY_ID = {erratum.id: erratum for erratum in ERRATA}
HARMLESS = ("E4", "E6", "E13")
EACH = pytest.mark.parametrize("erratum", ERRATA, ids=lambda erratum: erratum.id)
BROADCASTS = [broadcast for erratum in ERRATA for broadcast in erratum.broadcasts]


@EACH
@pytest.mark.parametrize("seed", [0, 1])
def test_the_printed_formula_is_convicted_of_what_is_wrong_in_it_and_of_nothing_else(erratum, seed):
    found = judged(erratum, seed)
    wrong = {leaf.name for leaf in found.printed.leaves if leaf.verdict is Verdict.FAIL}
    assert wrong == {f"params['{name}']" for name in erratum.convicted}
    assert {leaf.verdict for leaf in found.printed.leaves} <= {Verdict.PASS, Verdict.FAIL}
    assert found.corrected.verdict is Verdict.PASS, str(found.corrected)
    assert found.as_expected


@pytest.mark.parametrize(
    "erratum", [erratum for erratum in ERRATA if erratum.hidden_at], ids=lambda erratum: erratum.id
)
def test_where_it_hides_the_printed_formula_gives_the_right_numbers(erratum):
    params, X, Y = erratum.problem(erratum.hidden_at, 3)
    printed, corrected = erratum.printed_code(params, X, Y), erratum.corrected_code(params, X, Y)
    for name in erratum.convicted:
        np.testing.assert_allclose(printed["d" + name], corrected["d" + name], rtol=1e-12)
    assert judged(erratum, 3).hidden


@EACH
def test_printed_and_corrected_formulas_differ_where_harm_is_claimed(erratum):
    """As arrays, without the checker."""
    params, X, Y = erratum.problem(erratum.shown_at, 0)
    printed, corrected = erratum.printed_code(params, X, Y), erratum.corrected_code(params, X, Y)
    differ = {
        name
        for name in params
        if printed["d" + name].shape != params[name].shape
        or not np.allclose(printed["d" + name], corrected["d" + name], rtol=1e-9, atol=0)
    }
    assert differ == set(erratum.convicted)


def test_there_are_fourteen_and_three_do_no_harm():
    assert [erratum.id for erratum in ERRATA] == [f"E{i}" for i in range(1, 15)]
    assert tuple(erratum.id for erratum in ERRATA if not erratum.convicted) == HARMLESS
    assert {document for erratum in ERRATA for document in erratum.documents} == {
        "shallow",
        "xor",
        "slides",
        "rowmajor",
        "squared",
    }


@pytest.mark.parametrize("broadcast", BROADCASTS, ids=lambda broadcast: broadcast.expression)
def test_numpy_broadcasts_silently_at_the_shapes_that_are_named(broadcast: Broadcast):
    operands = [np.ones(shape) for shape in broadcast.shapes(broadcast.silent_at)]
    total = operands[0]
    for operand in operands[1:]:
        total = total + operand
    assert total.shape == broadcast.result(broadcast.silent_at)
    if broadcast.refused_at:
        with pytest.raises(ValueError, match="shape mismatch"):
            broadcast.result(broadcast.refused_at)


def test_e1_at_the_whole_xor_table_is_refused_by_numpy_itself():
    erratum = BY_ID["E1"]
    with pytest.raises(ValueError, match="broadcast"):
        erratum.printed_code(*erratum.problem((4, 2, 2, 1), 0))


def test_e1_turns_the_weights_into_a_matrix_at_the_first_update():
    erratum = BY_ID["E1"]
    params, X, Y = erratum.problem(erratum.shown_at, 0)
    stepped = descend(params, erratum.printed_code(params, X, Y), learning_rate=0.1)
    assert params["W2"].shape == (1, 2)
    assert stepped["W2"].shape == erratum.broadcasts[0].result(erratum.shown_at) == (2, 2)


def test_e6_is_about_the_variance_and_about_nothing_else():
    n_in, n_out = 400, 100
    params, _, _ = lecun_columns((1, n_in, n_out, 1), 0)
    printed = initialisation.lecun(n_in, n_out)
    assert params["W1"].var() == pytest.approx(printed, rel=0.05)
    assert initialisation.glorot(n_in, n_out) == pytest.approx(1.6 * printed)
    assert initialisation.glorot(n_in, n_in) == initialisation.lecun(n_in, n_in)


def test_an_erratum_that_is_not_convicted_is_noticed():
    right = dataclasses.replace(BY_ID["E3"], printed_code=BY_ID["E3"].corrected_code)
    assert not judged(right, 0).as_expected


def test_the_errata_page_is_the_data_rendered():
    assert pages.ERRATA_PAGE.read_text() == pages.errata_page(), "run: python -m gradcheck.demo.pages"
    for erratum in ERRATA:
        assert f"| {erratum.id} |" in pages.errata_page()
