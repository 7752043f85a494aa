"""The demo as a page: every formula on it runs, and the verdicts beside them are earned."""

import re
from html import unescape

import numpy as np
import pytest

from gradcheck import cli
from gradcheck.demo.documents import CHAPTERS
from gradcheck.demo.page import chapters, demo_page
from gradcheck.demo.page.drawings import backward_pass, heat_map, network
from gradcheck.demo.page.lines import CLASSES, COLUMNS, DECAY, INDICES, ROWS, Line, general, line
from gradcheck.demo.page.look import look_at, look_beside
from gradcheck.demo.page.misprints import MISPRINTS, Misprint
from gradcheck.render.drawing import Box, Label
from gradcheck.render.mathml import equation
from gradcheck.verdict import Verdict
from manual import column_major, row_major, slides, squared
from manual.activations import SIGMOID, activation_named
from manual.deep_row_major import DeepRowMajor
from manual.errata import DIFFERENT, ERRATA, columns, indices, rows
from manual.losses import SOFTMAX
from tests.test_html import Page


# The order of operations differs between a line and the code of `manual`, and nothing else.
def assert_same(own, other):
    np.testing.assert_allclose(own, other, rtol=1e-12, atol=1e-15)


TANH = activation_named("tanh")
PROGRAMS = {
    "columns": (COLUMNS, column_major, columns),
    "rows": (ROWS, row_major, rows),
    "general": (general(TANH), slides.network(TANH), columns),
    "indices": (INDICES, squared, indices),
    "classes": (
        CLASSES,
        DeepRowMajor(hidden=(SIGMOID,), output=SOFTMAX, decay=DECAY),
        chapters.NETWORKS["beside"][1],
    ),
}
# The first line backward that is wrong where each erratum is printed; none where it does no harm.
FIRST_WRONG = {
    "E1": "dW2",
    "E2": "db2",
    "E3": "dZ2",
    "E5": "dZ2",
    "E7": "db1",
    "E8": "dZ2",
    "E9": "dZ2",
    "E10": "db1",
    "E11": "dW2",
    "E12": "dW1",
    "E14": "dW2",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_lines_of_a_network_are_its_derivation(name):
    program, derived, problem = PROGRAMS[name]
    params, X, Y = problem(DIFFERENT, 1)
    cache = derived.forward(params, X)
    assert_same(program.loss(params, X, Y), derived.loss(params, X, Y))
    for own, other in (
        (program.forward(params, X), cache),
        (program.gradients(params, X, Y), derived.backward(params, cache, X, Y)),
    ):
        assert own.keys() <= other.keys()
        for quantity, value in own.items():
            assert_same(value, other[quantity])


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_line_has_the_shape_that_stands_beside_it(name):
    program, _, problem = PROGRAMS[name]
    params, X, Y = problem(DIFFERENT, 1)
    lengths = dict(zip(("m", "n0", "n1", "n2", "1"), (*DIFFERENT, 1), strict=True)) | {"n": 5, "e": 5}
    made = program.forward(params, X) | program.backward(params, program.forward(params, X), X, Y)
    for found in (*program.forwards[:-1], *program.backwards):
        assert made[found.name].shape == tuple(lengths[letter] for letter in found.shape), found.name


@pytest.mark.parametrize("erratum", ERRATA, ids=lambda erratum: erratum.id)
def test_printed_and_corrected_lines_are_those_of_the_errata(erratum):
    misprint = MISPRINTS[erratum.id]
    problem = erratum.problem(erratum.shown_at, 2)
    params = problem[0]
    assert_same(misprint.right.loss(*problem), erratum.loss(*problem))
    for program, code in ((misprint.wrong, erratum.printed_code), (misprint.right, erratum.corrected_code)):
        own, other = program.gradients(*problem), code(*problem)
        for name in params:
            assert own[f"d{name}"].shape == other[f"d{name}"].shape
            assert_same(own[f"d{name}"], other[f"d{name}"])


@pytest.mark.parametrize("erratum", ERRATA, ids=lambda erratum: erratum.id)
def test_every_printed_line_has_the_shape_that_stands_beside_it(erratum):
    lengths = dict(zip(("m", "n0", "n1", "n2"), erratum.shown_at, strict=True)) | {"1": 1}
    lengths |= {"n": lengths["m"], "e": lengths["m"]}
    wrong = MISPRINTS[erratum.id].wrong
    made = wrong.gradients(*erratum.problem(erratum.shown_at, 2))
    for found in MISPRINTS[erratum.id].shown_printed:
        assert made[found.name].shape == tuple(lengths[letter] for letter in found.shape)


def test_misprints_that_touch_no_formula_show_none():
    assert {name for name, misprint in MISPRINTS.items() if not misprint.shown} == {"E4", "E6", "E13"}
    assert MISPRINTS.keys() == {erratum.id for erratum in ERRATA}
    assert FIRST_WRONG.keys() == {name for name, misprint in MISPRINTS.items() if misprint.shown}


def judged(name, seed=0):
    """A misprint's look at what is printed and at what is right."""
    erratum = next(erratum for erratum in ERRATA if erratum.id == name)
    params, X, Y = erratum.problem(erratum.shown_at, seed)
    at = {key: value for key, value in params.items() if key[0] in "Wb"}, X, Y
    right = look_at(MISPRINTS[name].right, *at, seed)
    return erratum, look_beside(right, MISPRINTS[name].wrong, *at), right


@pytest.mark.parametrize("name", FIRST_WRONG)
def test_the_first_wrong_line_is_marked_and_nothing_right_is_accused(name):
    erratum, printed, right = judged(name)
    assert right.verdict is Verdict.PASS
    assert right.first_wrong is None
    assert printed.first_wrong == FIRST_WRONG[name]
    wrong = {n.name for n in printed.numbers if n.verdict is Verdict.FAIL}
    params = {f"d{parameter}" for parameter in ("W1", "b1", "W2", "b2")}
    assert wrong & (params | {"dZ1", "dZ2"}) >= {f"d{convicted}" for convicted in erratum.convicted}
    if "Z1" not in erratum.convicted:
        assert wrong & params == {f"d{convicted}" for convicted in erratum.convicted}
    drawn = backward_pass(printed, MISPRINTS[name].right)
    boxes = [shape.kind for shape in drawn.shapes if isinstance(shape, Box)]
    assert boxes.count("node FAIL") == len(wrong)
    marked = [shape for shape in drawn.shapes if isinstance(shape, Label) and shape.text == "first wrong"]
    assert len(marked) == 1
    assert f"first wrong is {FIRST_WRONG[name]};" in drawn.alt
    assert "first wrong" not in backward_pass(right, MISPRINTS[name].right).alt


def test_numbers_and_heat_maps_are_claimed_minus_true():
    _, printed, right = judged("E3")
    for wrong, true in zip(printed.numbers, right.numbers, strict=True):
        np.testing.assert_allclose(wrong.claimed, 5 * true.jax, rtol=1e-9)
        assert (np.abs(true.differences - true.jax) <= true.bars + 1e-15).all()
        mapped, blank = heat_map(wrong), heat_map(true)
        assert mapped is not None
        assert blank is not None
        cells = [shape for shape in mapped.shapes if isinstance(shape, Box)]
        assert len(cells) == wrong.jax.size
        assert max(cell.opacity for cell in cells) == pytest.approx(0.6)
        larger = wrong.claimed > true.jax
        assert [cell.kind == "cell more" for cell in cells] == larger.ravel().tolist()
        assert {shape.kind for shape in blank.shapes if isinstance(shape, Box)} == {"cell none"}


def test_a_claim_of_another_shape_has_no_heat_map():
    _, printed, _ = judged("E7")
    by_name = {numbers.name: numbers for numbers in printed.numbers}
    assert heat_map(by_name["db1"]) is None
    assert heat_map(by_name["dW1"]) is not None


def test_the_gap_of_a_wrong_line_stays_and_that_of_a_right_one_makes_a_v():
    _, printed, right = judged("E3")
    place = printed.numbers[1]
    wrong = [gap for _, gap in printed.steps(place.name, place.index).points]
    assert max(wrong) < 1.01 * min(wrong)
    seen = right.steps(place.name, place.index)
    gaps = [gap for _, gap in seen.points]
    tip = gaps.index(min(gaps))
    assert 0 < tip < len(gaps) - 1
    assert min(gaps[0], gaps[-1]) > 1e4 * gaps[tip]
    assert seen.chosen in [step for step, _ in seen.points]
    assert abs(place.differences[place.index] - place.jax[place.index]) <= seen.bar


def test_every_arrow_of_the_network_carries_a_shape():
    drawn = network(COLUMNS)
    heads = [shape for shape in drawn.shapes if "filled" in shape.kind]
    shapes = [s.text for s in drawn.shapes if isinstance(s, Label) and s.kind == "tick"]
    assert len(heads) == len(shapes) == 10
    assert all(re.fullmatch(r"\(\w+, \w+\)", shape) for shape in shapes)
    assert drawn.alt.startswith("The network: Z1 (n1, m) from W1, X, b1;")


def written(html):
    """Every formula of a page: its MathML, and the line of NumPy under it."""
    return re.findall(
        r'<div class="formula.*?(<math.*?</math>)\s*<p><code>(\w+) = (.*?)</code>', html, re.DOTALL
    )


@pytest.mark.parametrize("document", ["xor", "squared", "beside"])
def test_every_formula_of_the_page_is_a_line_that_was_run(document):
    html, expected = demo_page(0, document)
    assert expected
    page = Page(html)
    found = written(html)
    assert len(found) == sum(tag == "math" for tag, _ in page.elements) > 10
    misprints = [MISPRINTS[e.id] for e in ERRATA if document in e.documents]
    program = chapters.NETWORKS[document][0]
    lines = [
        *program.forwards,
        *program.backwards,
        *(found for m in misprints for found in (*m.wrong.backwards, *m.right.backwards)),
    ]
    by_text = {(found.name, found.expression): found for found in lines}
    for mathml, name, expression in found:
        run = by_text[name, unescape(expression)]
        assert mathml == str(equation(run.name, run.expression, run.indices, program.above))
    assert " characters … " not in page.text, "words of ours were cut"
    for landmark in ("header", "nav", "main", "footer"):
        assert landmark in page.tags
    for _, attributes in (element for element in page.elements if element[0] == "svg"):
        assert attributes["role"] == "img"
        assert len(attributes["aria-label"]) > 20
    targets = {attributes["href"][1:] for tag, attributes in page.elements if tag == "a"}
    identities = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert targets <= set(identities)
    assert len(identities) == len(set(identities))


def test_the_page_and_the_terminal_have_the_same_documents():
    assert tuple(chapters.NETWORKS) == tuple(chapter.id for chapter in CHAPTERS)


def test_the_command_writes_the_page(tmp_path, capsys):
    path = tmp_path / "page <b>.html"
    assert cli.main(["demo", "--html", str(path), "--document", "squared"]) == 0
    page = path.read_text(encoding="utf-8")
    assert "E12: a repeated index k" in page
    assert page.count("<h2 id=") == 2, "that chapter and one's own layer"
    assert "<code>gradcheck demo --html page.html --document squared --seed 0</code>" in page
    assert "kB, opens in any browser" in capsys.readouterr().out


@pytest.mark.parametrize(
    "printed",
    [(INDICES.backwards[4],), (*MISPRINTS["E12"].printed, line("db1", "n1", "np.zeros(n1)"))],
    ids=["right", "wrong elsewhere"],
)
def test_a_misprint_that_is_not_the_one_described_fails_the_page(printed, tmp_path, monkeypatch):
    monkeypatch.setitem(MISPRINTS, "E12", Misprint(program=INDICES, printed=printed))
    assert cli.main(["demo", "--html", str(tmp_path / "page.html"), "--document", "squared"]) == 1


def test_a_page_that_cannot_be_is_refused_at_once(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["demo", "--html", "nowhere/page.html"])
    assert stopped.value.code == 2
    assert "--html nowhere/page.html: No such file or directory" in capsys.readouterr().err


def test_the_penalty_is_left_out_of_no_weight():
    """Without it the gradients of the weights, and no others, are wrong."""
    kept = tuple(found for found in ROWS.backwards if found.name in ("dW2", "dW1"))
    params, X, Y = PROGRAMS["classes"][2](DIFFERENT, 0)
    right = look_at(CLASSES, params, X, Y, 0)
    assert right.verdict is Verdict.PASS
    wrong = look_beside(right, CLASSES.replaced(kept), params, X, Y)
    assert [n.name for n in wrong.numbers if n.verdict is Verdict.FAIL] == ["dW2", "dW1"]


def test_a_weight_of_the_penalty_has_its_shape_on_one_arrow():
    shapes = [s.text for s in network(CLASSES).shapes if isinstance(s, Label) and s.kind == "tick"]
    assert shapes == [s.text for s in network(ROWS).shapes if isinstance(s, Label) and s.kind == "tick"]


def text(expression, name="W1", **options):
    """A formula without its tags."""
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", str(equation(name, expression, **options)))).strip()


@pytest.mark.parametrize(
    ("expression", "formula"),
    [
        ("A @ B.T", "A B T"),
        ("A * B", "A ⊙ B"),
        ("2 * A", "2 A"),
        ("(A + B) * C", "( A + B ) ⊙ C"),
        ("A - (B + C)", "A − ( B + C )"),
        ("A - B - C", "A − B − C"),
        ("A @ (B @ C)", "A ( B C )"),
        ("(A @ B).T", "( A B ) T"),
        ("(A - Y) / m", "A − Y m"),
        ("A @ B / m", "1 m A B"),
        ("-np.sum(A) / m", "− 1 m ∑ A"),
        ("np.sum((A - Y) ** 2)", "∑ ( A − Y ) 2"),
        ("-A * B", "( − A ) ⊙ B"),
        ("A.sum(axis=0, keepdims=True)", "∑ axis 0 A"),
        ("sigmoid_derivative(A)", "σ ′ ( A )"),
        ("1 - np.log(A)", "1 − log ( A )"),
        ("softmax(A) + decay * B", "softmax ( A ) + λ B"),
        ("decay / 2 * (A + B)", "λ 2 ( A + B )"),
    ],
)
def test_parentheses_stand_where_a_formula_needs_them(expression, formula):
    assert text(expression) == f"W 1 = {formula}"


def test_einsum_is_a_sum_over_the_indices_that_are_not_in_its_result():
    assert text('2 * np.einsum("ek,ekm->m", y - x, w)', "b1", above=True) == (
        "b m ( 1 ) = 2 ∑ e,k ( y − x ) ek w ekm"
    )
    assert text('np.einsum("e,e->e", a[:, k], W[k])', "c") == "c e = a ek W ke"


@pytest.mark.parametrize("expression", ["A if B else C", "A[0]", "A < B", "a_long_name", "A // B", "f'{A}'"])
def test_what_has_no_formula_is_refused(expression):
    with pytest.raises(ValueError, match=r"no way to be written|no letter with a layer"):
        equation("W1", expression)


def test_a_shift_of_an_intermediate_has_its_gradient():
    params, X, _ = columns(DIFFERENT, 0)
    shifted = COLUMNS.with_shifts(params, X)
    assert shifted.keys() - params.keys() == {"Z1", "A1", "Z2"}
    moved = shifted | {"Z2": np.full_like(shifted["Z2"], 1e-3)}
    assert COLUMNS.forward(moved, X)["Z2"] == pytest.approx(COLUMNS.forward(params, X)["Z2"] + 1e-3)


def test_names_of_a_line_come_once_in_their_order():
    found: Line = line("dZ1", "n1 m", "(W2.T @ dZ2) * A1 * (1 - A1)")
    assert found.names == ("W2", "dZ2", "A1")
