"""The documents' errata as data: each convicted of what it does wrong, and hidden where it hides."""

import dataclasses

import numpy as np
import pytest

from gradcheck import Verdict
from gradcheck.demo import pages
from gradcheck.demo.errata import judged
from manual import column_major, initialisation, row_major
from manual.errata import ERRATA, Broadcast, Erratum
from manual.training import descend

BY_ID = {erratum.id: erratum for erratum in ERRATA}
GLOROT = BY_ID["E6"].corrected_problem
HARMLESS = ("E4", "E6", "E13")
EACH = pytest.mark.parametrize("erratum", ERRATA, ids=lambda erratum: erratum.id)
BROADCASTS = [(erratum, broadcast) for erratum in ERRATA for broadcast in erratum.broadcasts]


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


def arrays_of(erratum: Erratum, shape):
    """Every array that an expression can name, in the document's letters: a printed bias beta is a column."""
    params, X, Y = erratum.problem(shape, 0)
    examples = 0 if erratum.documents == ("rowmajor",) else 1
    network = (row_major, column_major)[examples]
    printed = erratum.printed_code(params, X, Y)
    scope = params | network.forward(params, X) | printed | {"X": X, "Y": Y, "learning_rate": 0.1}
    for layer in ("1", "2"):
        bias = params[f"b{layer}"]
        scope |= {
            f"B{layer}": bias,
            f"beta_{layer}": bias.reshape(-1, 1),
            f"dB{layer}": printed[f"db{layer}"],
        }
    return scope


@pytest.mark.parametrize(("erratum", "broadcast"), BROADCASTS, ids=lambda value: getattr(value, "id", ""))
def test_numpy_broadcasts_silently_at_the_shapes_that_are_named(erratum: Erratum, broadcast: Broadcast):
    """On the arrays of the printed code, which has them in the shapes that are named."""
    scope = arrays_of(erratum, broadcast.silent_at)
    shapes = broadcast.shapes(broadcast.silent_at)
    assert {name: eval(name, scope).shape for name in shapes} == shapes
    assert all(name in broadcast.expression for name in shapes)
    assert eval(broadcast.expression, scope).shape == broadcast.result(broadcast.silent_at)
    if broadcast.refused_at:
        with pytest.raises(ValueError, match="shape mismatch"):
            broadcast.result(broadcast.refused_at)
        with pytest.raises(ValueError, match="broadcast"):
            eval(broadcast.expression, arrays_of(erratum, broadcast.refused_at))


def test_every_silent_update_but_that_of_e14_changes_the_shape_of_what_it_updates():
    updates = [(e.id, b) for e, b in BROADCASTS if "learning_rate" in b.expression]
    kept = [
        name for name, b in updates if b.result(b.silent_at) == next(iter(b.shapes(b.silent_at).values()))
    ]
    assert [name for name, _ in updates] == ["E1", "E2", "E7", "E14"]
    assert kept == ["E14"]


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
    printed, corrected = (
        problem((1, n_in, n_out, 1), 0)[0]["W1"].var()
        for problem in (BY_ID["E6"].problem, GLOROT or BY_ID["E6"].problem)
    )
    assert printed == pytest.approx(initialisation.lecun(n_in, n_out), rel=0.05)
    assert corrected == pytest.approx(initialisation.glorot(n_in, n_out), rel=0.05)
    assert initialisation.glorot(n_in, n_out) == pytest.approx(1.6 * initialisation.lecun(n_in, n_out))
    assert initialisation.glorot(n_in, n_in) == initialisation.lecun(n_in, n_in)


def test_the_corrected_side_of_e6_is_judged_at_weights_of_its_own():
    drawn = []

    def glorot(shape, seed):
        drawn.append(shape)
        return BY_ID["E6"].problem(shape, seed)

    assert judged(dataclasses.replace(BY_ID["E6"], corrected_problem=glorot), 0).as_expected
    assert drawn == [BY_ID["E6"].shown_at]


def test_what_is_judged_and_not_printed_so_says_how_it_is_read():
    assert [e.id for e in ERRATA if e.read_as] == ["E2", "E3", "E4", "E9", "E10", "E11", "E12", "E13"]


def test_e7_prints_db2_as_the_row_that_it_is():
    params, X, Y = BY_ID["E7"].problem(BY_ID["E7"].shown_at, 0)
    printed = BY_ID["E7"].printed_code(params, X, Y)
    assert (printed["db1"].shape, printed["db2"].shape) == ((4, 1), (1, 2))


def test_an_erratum_that_is_not_convicted_is_noticed():
    right = dataclasses.replace(BY_ID["E3"], printed_code=BY_ID["E3"].corrected_code)
    assert not judged(right, 0).as_expected


def test_the_errata_page_is_the_data_rendered():
    assert pages.ERRATA_PAGE.read_text() == pages.errata_page(), "run: python -m gradcheck.demo.pages"
    for erratum in ERRATA:
        assert f"| {erratum.id} |" in pages.errata_page()
