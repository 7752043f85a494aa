"""The symbol table and the numbered equations: evaluated, and cited where they exist."""

import dataclasses
import pathlib
import re
from typing import Any

import numpy as np
import pytest

from gradcheck.demo.pages import SYMBOLS_PAGE, symbols_page
from manual import column_major, row_major, slides, squared, xor
from manual.activations import activation_named, sigmoid, sigmoid_derivative, softplus
from manual.deep_row_major import DeepRowMajor
from manual.losses import (
    binary_cross_entropy,
    binary_cross_entropy_delta,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_delta,
    squared_error_delta,
)
from manual.symbols import SYMBOLS

ROOT = pathlib.Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs" / "derivations").glob("*.md"))
DOCUMENTS = {"shallow", "xor", "slides", "rowmajor", "squared"}
LENGTHS = {"m": 5, "n0": 3, "n1": 4, "n2": 2, "1": 1}
SIZES = (3, 4, 2)
IDENTIFIER = r"[SXGRQB]\d+"
# A list item that opens with its number, and the lines that continue it.
EQUATION = re.compile(rf"^- \*\*\(({IDENTIFIER})\)\*\* (.*(?:\n  .*)*)", re.MULTILINE)
FUNCTIONS: dict[str, Any] = {
    "np": np,
    "sigmoid": sigmoid,
    "sigmoid_derivative": sigmoid_derivative,
    "binary_cross_entropy": binary_cross_entropy,
}
LAYOUTS = pytest.mark.parametrize("network", [row_major, column_major], ids=["row-major", "column-major"])


def numbered(text):
    """Pairs of a number and its statement, the code and what stands beside it."""
    return EQUATION.findall(text)


def cited(text):
    """Numbers cited as "equation S4", "equations S6 to S12, R7" or "(S4)"."""
    lists = re.findall(rf"\bequations?\s+({IDENTIFIER}(?:(?:,\s*|\s+to\s+|\s+and\s+){IDENTIFIER})*)", text)
    return {found for part in lists for found in re.findall(IDENTIFIER, part)} | set(
        re.findall(rf"\(({IDENTIFIER})\)", text)
    )


EQUATIONS = dict(pair for page in PAGES for pair in numbered(page.read_text()))


def problem(network):
    """Parameters with biases that are not zero, X and Y in the network's layout, all lengths different."""
    rng = np.random.default_rng(3)
    X, Y = rng.standard_normal((LENGTHS["m"], SIZES[0])), np.round(rng.random((LENGTHS["m"], SIZES[2])))
    params = {name: rng.standard_normal(value.shape) for name, value in network.initialise(SIZES, 1).items()}
    return (params, X.T, Y.T) if network is column_major else (params, X, Y)


def run(letter, first, last, **scope: Any):
    """The scope after the code that opens each of the numbered equations, in order."""
    scope |= FUNCTIONS
    for number in range(first, last + 1):
        exec(EQUATIONS[f"{letter}{number}"].split("`")[1], scope)
    return scope


def assert_same(actual, expected):
    for name, value in expected.items():
        np.testing.assert_allclose(actual[name], value, rtol=1e-12, err_msg=name)


@LAYOUTS
def test_every_equation_of_the_table_computes_what_the_network_computes(network):
    params, X, Y = problem(network)
    cache = network.forward(params, X)
    expected = {"L": network.loss(params, X, Y)} | cache | network.backward(params, cache, X, Y)
    scope = {**FUNCTIONS, **params, "X": X, "Y": Y, "m": LENGTHS["m"]}
    given = set(scope)
    for symbol in SYMBOLS:
        equation, shape = (
            (symbol.row_equation, symbol.rows)
            if network is row_major
            else (symbol.column_equation, symbol.columns)
        )
        if equation is not None:
            assert symbol.name not in given, f"{symbol.name} is given and computed"
            scope[symbol.name] = eval(equation, scope)
            np.testing.assert_allclose(
                scope[symbol.name], expected.pop(symbol.name), rtol=1e-12, err_msg=symbol.name
            )
        assert np.shape(scope[symbol.name]) == tuple(LENGTHS[length] for length in shape), symbol.name
    assert not expected, "the network computes what the table does not have"


def test_every_array_is_in_both_layouts_the_transpose_of_its_twin():
    for symbol in SYMBOLS:
        assert symbol.columns == symbol.rows[::-1]
        assert (symbol.row_equation is None) == (symbol.column_equation is None) == (not symbol.equations)


def test_only_the_documents_have_symbols():
    assert {document for symbol in SYMBOLS for document in symbol.written} == DOCUMENTS


@pytest.mark.parametrize("symbol", SYMBOLS, ids=lambda symbol: symbol.name)
def test_a_symbol_cites_exactly_the_equations_that_state_it(symbol):
    equations = (symbol.row_equation, symbol.column_equation)
    stated = {
        identifier
        for identifier, statement in EQUATIONS.items()
        if any(f"`{symbol.name} = {equation}`" in statement for equation in equations)
    }
    assert set(symbol.equations) == stated


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_equations_of_a_page_are_numbered_from_one_without_a_gap(page):
    """One letter a page, and so no number twice on all pages."""
    text = page.read_text()
    equations = text[text.index("\n## Equations\n") :]
    found = [identifier for identifier, _ in numbered(text)]
    assert found == re.findall(rf"\*\*\(({IDENTIFIER})\)\*\*", equations)
    letter = found[0][0]
    assert found == [f"{letter}{number}" for number in range(1, len(found) + 1)]
    others = {identifier for other in PAGES if other != page for identifier, _ in numbered(other.read_text())}
    assert not others & set(found)


def test_shallow_states_finite_forms():
    params, X, Y = problem(column_major)
    Z2 = column_major.forward(params, X)["Z2"]
    scope = run("S", 13, 14, Z2=Z2, Y=Y, m=LENGTHS["m"], softplus=softplus)
    expected = {"L": binary_cross_entropy(Z2, Y, 1), "dZ2": binary_cross_entropy_delta(Z2, Y, 1)}
    assert_same(scope, expected)
    assert_same(run("S", 5, 6, Z2=Z2, A2=sigmoid(Z2), Y=Y, m=LENGTHS["m"]), expected)


def test_xor_is_shallow_at_its_table_and_m_times_as_printed():
    params = column_major.initialise((2, 2, 1), seed=1)
    cache = column_major.forward(params, xor.X.T)
    gradients = column_major.backward(params, cache, xor.X.T, xor.Y.T)
    scope = run("X", 1, 9, m=4, **params, **cache)
    del gradients["dA1"]
    assert_same(scope, {"X": xor.X.T, "Y": xor.Y.T, "read_as": 4 * gradients["dW2"], **gradients})


def test_one_example_of_slides_is_what_its_page_derives():
    params, X, Y = problem(column_major)
    x, y, g1 = X[:, :1], Y[:, :1], activation_named("tanh")
    expected = slides.one_example(params, slides.network(g1).forward(params, x), x, y, g1)
    scope = run("G", 1, 11, x=x, y=y, g1=g1.function, g1_derivative=g1.derivative, **params)
    assert_same(scope, {name.replace("Z", "z"): gradient for name, gradient in expected.items()})


def test_n_examples_of_slides_are_what_its_page_derives():
    params, X, Y = problem(column_major)
    g1 = activation_named("tanh")
    network = slides.network(g1)
    cache = network.forward(params, X)
    expected = network.backward(params, cache, X, Y)
    del expected["dA1"]
    given = {"X": X, "Y": Y, "n": LENGTHS["m"], "g1_derivative": g1.derivative, **params, **cache}
    assert_same(run("G", 12, 17, **given), expected)
    printed = slides.n_examples(params, cache, X, Y, g1)
    scope = run("G", 18, 20, **given)
    assert_same(scope, {"dz2": printed["dZ2"], "dz1": printed["dZ1"], "dW2": printed["dW2"]})
    assert_same(scope, {"dz2": 5 * expected["dZ2"], "dz1": 5 * expected["dZ1"], "dW2": expected["dW2"]})


def deep_problem():
    """A network of four layers with its parameters and data."""
    rng = np.random.default_rng(5)
    network = DeepRowMajor(hidden=(activation_named("tanh"), activation_named("softplus")), decay=0.1)
    X, Y = rng.standard_normal((5, 3)), np.round(rng.random((5, 2)))
    return network, network.initialise((3, 4, 6, 2), seed=1), X, Y


def test_four_layers_are_what_rowmajor_derives():
    network, params, X, Y = deep_problem()
    network = dataclasses.replace(network, decay=0.0)
    f1, f2 = network.hidden
    cache = network.forward(params, X)
    expected = cache | network.backward(params, cache, X, Y)
    given = {"f1_derivative": f1.derivative, "f2_derivative": f2.derivative, **params, **cache}
    scope = run("R", 13, 18, Y=Y, m=5, **given)
    assert_same(run("R", 7, 12, **scope | {"X": X}), expected)


def test_any_number_of_layers_and_weight_decay_are_what_the_pages_derive():
    network, params, X, Y = deep_problem()
    cache = network.forward(params, X)
    expected = network.backward(params, cache, X, Y)
    plain = dataclasses.replace(network, decay=0.0)
    scope: dict[str, Any] = {
        "A": {0: X} | {layer: cache[f"A{layer}"] for layer in (1, 2, 3)},
        "Z": {layer: cache[f"Z{layer}"] for layer in (1, 2, 3)},
        "W": {layer: params[f"W{layer}"] for layer in (1, 2, 3)},
        "f_derivative": {layer: f.derivative for layer, f in enumerate(network.hidden, start=1)},
        **{name: {} for name in ("dZ", "dA", "dW", "db")},
    }
    scope = run("R", 19, 19, Y=Y, m=5, L=3, **scope)
    for layer in (3, 2, 1):
        scope = run("R", 20, 23 if layer > 1 else 21, **scope | {"l": layer})
        assert_same(scope["dW"], {layer: plain.backward(params, cache, X, Y)[f"dW{layer}"]})
        scope = run("B", 8, 8, **scope | {"decay": 0.1})
    computed = {
        f"{name}{layer}": scope[name][layer] for name in ("dZ", "dA", "dW", "db") for layer in scope[name]
    }
    assert computed.keys() == expected.keys()
    assert_same(computed, expected)
    loss = run("B", 7, 7, W=scope["W"], L=plain.loss(params, X, Y), decay=0.1)
    assert_same(loss, {"L": network.loss(params, X, Y)})


def test_squared_error_is_what_its_page_derives():
    _, x0, y = problem(row_major)
    params = squared.initialise(SIZES, seed=1)
    cache = squared.forward(params, x0)
    expected = cache | squared.backward(params, cache, x0, y)
    expected |= {"L": squared.summed_error(params, x0, y), "mean": squared.mean_error(params, x0, y)}
    given = {"Y": y, "A2": cache["yhat"], "Z2": cache["z2"], "m": LENGTHS["m"]}
    scope = run("Q", 1, 14, x0=x0, y=y, **given, **params)
    assert_same(scope, expected | {"dZ2": squared_error_delta(cache["z2"], y, 0)})
    assert_same(scope, {"dW2_of_mean": scope["dZ2"].T @ cache["x1"]})


def test_softmax_is_what_its_page_derives():
    rng = np.random.default_rng(5)
    Z, Y = rng.standard_normal((5, 3)), np.eye(3)[rng.integers(3, size=5)]
    A = softmax(Z, 0)
    given = {"Z": Z, "Y": Y, "m": 5, "K": 3}
    expected = {"A": A, "L": softmax_cross_entropy(Z, Y, 0), "dZ": softmax_cross_entropy_delta(Z, Y, 0)}
    scope = run("B", 1, 4, a=A[0], **given)
    assert_same(scope, expected)
    assert_same(run("B", 5, 6, A=A, **given), {"dZ": expected["dZ"]})
    step = 1e-6 * np.eye(3)
    slopes = (softmax(Z[0] + step, 0) - softmax(Z[0] - step, 0)) / 2e-6
    np.testing.assert_allclose(scope["jacobian"], slopes, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Derived as equation S4.", {"S4"}),
        ("equations S6 to S12,\n    R7 and B4", {"S6", "S12", "R7", "B4"}),
        ("right (G12), as printed (G18)", {"G12", "G18"}),
        ("`shallow` derivation of dL/dB2, (erratum E8), (n0, m), sigma(X1 + B2)", set()),
    ],
)
def test_citations_are_found(text, found):
    assert cited(text) == found


CITING = [*sorted((ROOT / "manual").glob("*.py")), *PAGES]


@pytest.mark.parametrize("path", CITING, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_equation_that_is_cited_exists(path):
    assert cited(path.read_text()) <= EQUATIONS.keys()


def test_the_page_of_symbols_is_rendered_from_the_table():
    assert SYMBOLS_PAGE.read_text() == symbols_page(), "write it anew: python -m gradcheck.demo.pages"
