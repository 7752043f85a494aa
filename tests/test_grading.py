"""Exercises: right, wrong and hostile submissions, and what is told of them."""

import json
import os
import re
import runpy
import textwrap

import numpy as np
import pytest

from gradcheck import Verdict, cli
from gradcheck.grading import EXERCISES, assert_grade, exercise_named, grade, submission
from gradcheck.grading.credit import Grade, Line
from gradcheck.grading.exercise import EXAMPLES, FOUR_LAYERS, SIZES, SKELETONS, is_parameter
from gradcheck.grading.gradescope import results
from gradcheck.grading.run import STATUS
from gradcheck.grading.show import plain_text
from gradcheck.grading.submission import imported
from manual import column_major, slides, squared
from manual.activations import SIGMOID, activation_named
from manual.deep_row_major import DeepRowMajor

COLUMNS = {
    "dZ2": '(cache["A2"] - Y) / X.shape[1]',
    "dW2": 'dZ2 @ cache["A1"].T',
    "db2": "dZ2.sum(axis=1, keepdims=True)",
    "dA1": 'params["W2"].T @ dZ2',
    "dZ1": 'dA1 * cache["A1"] * (1 - cache["A1"])',
    "dW1": "dZ1 @ X.T",
    "db1": "dZ1.sum(axis=1, keepdims=True)",
}
ROWS = {
    "dZ3": '(cache["A3"] - Y) / len(X)',
    "dW3": 'cache["A2"].T @ dZ3',
    "db3": "dZ3.sum(axis=0, keepdims=True)",
    "dA2": 'dZ3 @ params["W3"].T',
    "dZ2": 'dA2 * cache["A2"] * (1 - cache["A2"])',
    "dW2": 'cache["A1"].T @ dZ2',
    "db2": "dZ2.sum(axis=0, keepdims=True)",
    "dA1": 'dZ2 @ params["W2"].T',
    "dZ1": 'dA1 * cache["A1"] * (1 - cache["A1"])',
    "dW1": "X.T @ dZ1",
    "db1": "dZ1.sum(axis=0, keepdims=True)",
}
INDICES = {
    "dz2": '2 * (cache["yhat"] - y) * cache["yhat"] * (1 - cache["yhat"])',
    "dW2": 'np.einsum("em,en->mn", dz2, cache["x1"])',
    "db2": "dz2.sum(axis=0)",
    "dx1": 'np.einsum("ek,kj->ej", dz2, params["W2"])',
    "dz1": 'dx1 * cache["x1"] * (1 - cache["x1"])',
    "dW1": 'np.einsum("em,en->mn", dz1, x0)',
    "db1": "dz1.sum(axis=0)",
}
SOLUTIONS = {
    "shallow": COLUMNS,
    "xor": COLUMNS,
    "slides": COLUMNS | {"dZ1": 'dA1 * (1 - cache["A1"] ** 2)'},
    "rowmajor": ROWS,
    "squared": INDICES,
}
PARAMETERS = ("dW2", "db2", "dW1", "db1")
SEED = 3


def filled(exercise, **changes):
    """The skeleton with its formulas, or others."""
    text = exercise_named(exercise).skeleton
    for line, formula in (SOLUTIONS[exercise] | changes).items():
        assert f"    {line} = ..." in text
        text = text.replace(f"    {line} = ...", f"    {line} = {formula}")
    return text


def graded(tmp_path, text, exercise="shallow", **options):
    file = tmp_path / "submission.py"
    file.write_text(text)
    return grade(exercise, file, **({"seed": SEED, "seconds": 20} | options))


def by_line(found):
    return {line.name: line for line in found.lines}


def backward_of(tmp_path, **changes):
    file = tmp_path / "mine.py"
    file.write_text(filled("shallow", **changes))
    return runpy.run_path(str(file))["backward"]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_the_right_formulas_get_full_marks(exercise, tmp_path):
    found = graded(tmp_path, filled(exercise.id), exercise.id)
    assert found, plain_text(found, spoilers=True)
    assert found.score == 1.0
    assert found.first_wrong is None
    assert found.remarks == ()
    assert [line.name for line in found.lines] == [f"d{name}" for name in exercise.lines]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_an_empty_skeleton_gets_nothing_and_does_not_hold_the_answer(exercise, tmp_path):
    found = graded(tmp_path, exercise.skeleton, exercise.id)
    assert found.score == 0.0
    assert {line.cause for line in found.lines} == {"was not returned"}
    assert exercise.skeleton.count(" = ...") == len(exercise.lines)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_the_skeleton_computes_what_is_judged(exercise):
    point = exercise.draw(SEED)
    loss = runpy.run_path(str(SKELETONS / f"{exercise.id}.py"))["loss"]
    judged, intermediates = exercise.run(point.params, {}, point.X, point.Y)
    assert loss(point.params, point.X, point.Y) == pytest.approx(float(judged), rel=1e-13)
    assert {name for name in exercise.lines if not is_parameter(name)} == intermediates.keys()


NETWORKS = {
    "shallow": column_major,
    "xor": column_major,
    "slides": slides.network(activation_named("tanh")),
    "rowmajor": DeepRowMajor(hidden=(SIGMOID, SIGMOID)),
    "squared": squared,
}


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_the_exercise_is_the_network_derived_by_hand(exercise):
    """The hand derivation gets full marks as well, and the losses are the same."""
    network, point = NETWORKS[exercise.id], exercise.draw(SEED)
    judged = exercise.run(point.params, {}, point.X, point.Y)[0]
    assert network.loss(point.params, point.X, point.Y) == pytest.approx(float(judged), rel=1e-13)

    def backward(params, X, Y):
        return network.backward(params, network.forward(params, X), X, Y)

    assert grade(exercise.id, backward, seed=SEED)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_every_line_can_be_convicted_and_takes_no_other_with_it(exercise):
    """A millionth too large in one entry."""
    scope: dict = {}
    exec(filled(exercise.id), scope)
    for name in exercise.lines:

        def off(params, X, Y, name=f"d{name}"):
            found = scope["backward"](params, X, Y)
            found[name][np.unravel_index(np.abs(found[name]).argmax(), found[name].shape)] *= 1 + 1e-6
            return found

        wrong = [
            line.name for line in grade(exercise.id, off, seed=SEED).lines if line.verdict is Verdict.FAIL
        ]
        assert wrong == [f"d{name}"]


def test_the_points_hide_nothing():
    assert len({2, EXAMPLES, *SIZES}) == 2 + len(SIZES)
    assert len({2, EXAMPLES, *FOUR_LAYERS}) == 2 + len(FOUR_LAYERS)
    for seed in range(20):
        labels = exercise_named("shallow").draw(seed).Y
        assert (labels.min(axis=1) == 0).all()
        assert (labels.max(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("changes", "scores", "first"),
    [
        ({"db1": "dZ1.mean(axis=1, keepdims=True)"}, {"db1": 0.125}, "db1"),
        ({"dW2": "dZ2 @ cache['A1'].T * 2"}, {"dW2": 0.125}, "dW2"),
        ({"dZ1": "dA1"}, {"dW1": 0.0, "db1": 0.0}, "dZ1"),
        ({"dA1": "-params['W2'].T @ dZ2"}, {"dW1": 0.0, "db1": 0.0}, "dA1"),
        ({"dZ2": "cache['A2'] - Y"}, dict.fromkeys(PARAMETERS, 0.0), "dZ2"),
        ({"dZ1": "...", "dW1": "...", "db1": "..."}, {"dW1": 0.0, "db1": 0.0}, "dW1"),
    ],
    ids=["last step", "factor", "missing activation", "sign", "no mean", "unfinished"],
)
def test_partial_credit(changes, scores, first, tmp_path):
    """A wrong parameter keeps half where what it is computed from is right; what is right keeps all."""
    found = graded(tmp_path, filled("shallow", **changes))
    earned = {line.name: line.points for line in found.lines if line.of}
    assert earned == dict.fromkeys(PARAMETERS, 0.25) | scores
    assert found.first_wrong == first
    assert not found


def test_intermediates_cost_nothing_and_need_not_be_returned(tmp_path):
    """The convention of `slides`: the 1/n in the parameters."""
    printed = {
        "dZ2": '(cache["A2"] - Y)',
        "dW2": 'dZ2 @ cache["A1"].T / X.shape[1]',
        "db2": "dZ2.mean(axis=1, keepdims=True)",
        "dW1": "dZ1 @ X.T / X.shape[1]",
        "db1": "dZ1.mean(axis=1, keepdims=True)",
    }
    text = filled("shallow", **printed)
    found = graded(tmp_path, text)
    assert found.score == 1.0
    assert found.first_wrong == "dZ2"
    only = re.sub(r"return \{.*", 'return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}', text)
    assert graded(tmp_path, only).first_wrong is None


def test_what_could_not_be_judged_is_for_a_person():
    undecided = Line(name="dW1", verdict=Verdict.UNDECIDED, of=0.5)
    known = Line(name="db1", verdict=Verdict.PASS, points=0.5, of=0.5)
    found = Grade(
        exercise="e", title="t", seed=0, points=1.0, lines=(undecided, known), remarks=(), error="", output=""
    )
    assert found.verdict is Verdict.UNDECIDED
    assert STATUS[found.verdict] == 3
    assert found.score == 0.5
    assert "could not be judged, which is for a person to do" in plain_text(found, spoilers=False)


def test_points_are_shared_out(tmp_path):
    found = graded(tmp_path, filled("rowmajor", dW1="0 * X.T @ dZ1"), "rowmajor", points=12.0)
    assert found.score == pytest.approx(11.0)
    assert by_line(found)["dW1"].of == 2.0


def test_single_precision_is_judged_as_such(tmp_path):
    text = (
        filled("shallow")
        .replace('return {"dZ2"', "return {k: v.astype('f4') for k, v in {\"dZ2\"")
        .replace('"db1": db1}', '"db1": db1}.items()}')
    )
    assert graded(tmp_path, text)


def test_numbers_from_differences_are_remarked_upon(tmp_path):
    """They are right as far as they go, which is not as far as a formula."""
    differences = """
    def backward(params, X, Y):
        found = {}
        for name, value in params.items():
            gradient = np.zeros_like(value)
            for at in np.ndindex(value.shape):
                ends = []
                for step in (1e-5, -1e-5):
                    moved = {k: v.copy() for k, v in params.items()}
                    moved[name][at] += step
                    ends.append(loss(moved, X, Y))
                gradient[at] = (ends[0] - ends[1]) / 2e-5
            found["d" + name] = gradient
        return found
    """
    text = exercise_named("shallow").skeleton.partition("def backward")[0] + textwrap.dedent(differences)
    found = graded(tmp_path, text)
    assert found.score == 1.0
    coarse = [remark for remark in found.remarks if "as numbers from finite differences are" in remark]
    assert len(coarse) == 1
    assert coarse[0].startswith("right to 1e-")


RIGHT = filled("shallow")
FLOOD = "import os\nfor _ in range(300):\n    os.write(1, b'x' * 10000)\nprint('end')\n"
PATCHED = """
import numpy as np
np.random.default_rng = np.random.rand = None
np.allclose = np.array_equal = lambda *a, **k: True
np.testing.assert_allclose = lambda *a, **k: None
np.asarray = np.array = lambda *a, **k: "patched"
np.abs = np.max = np.zeros = None
np.frombuffer = np.isfinite = None
"""
HOSTILE = {
    "loops": ("while True: pass\n", "it ran for more than 3 s and was ended"),
    "loops in backward": (RIGHT + "\ndef backward(*_):\n    while True: pass\n", "it ran for more than 3 s"),
    "sleeps": ("import time; time.sleep(1000)\n", "it ran for more than 3 s"),
    "sys.exit": ("import sys; sys.exit(0)\n", "SystemExit: 0"),
    "sys.exit in backward": (RIGHT + "\ndef backward(*_): raise SystemExit('bye')\n", "SystemExit: bye"),
    "os._exit": ("import os; os._exit(0)\n", "it left the process with exit status 0 before it was done"),
    "segfault": ("import ctypes; ctypes.string_at(0)\n", "it was ended by SIGSEGV"),
    "abort": ("import os; os.abort()\n", "it was ended by SIGABRT"),
    "raises": ("1 / 0\n", "ZeroDivisionError: division by zero"),
    "long message": ("raise ValueError('x' * 10**6 + 'end')\n", "xend"),
    "no syntax": ("def backward(:\n", "SyntaxError"),
    "memory": ("x = bytearray(10**11)\n", "MemoryError"),
    "no backward": ("x = 1\n", "the file has no function backward(params, X, Y)"),
    "returns a list": (RIGHT + "\ndef backward(*_): return [1]\n", "backward returned list: return a dict"),
    "imports manual": ("from manual.column_major import backward\n", "refused in an exercise: import manual"),
    "imports gradcheck": ("import gradcheck\n", "refused in an exercise: import gradcheck"),
    "imports jax": ("import jax\n", "refused in an exercise: import jax"),
    "imports by name": ("__import__('man' + 'ual')\n", "refused in an exercise: import manual"),
    "reads the answer": (
        f"exec(open({column_major.__file__!r}).read())\n",
        f"refused in an exercise: open {column_major.__file__}",
    ),
    "asks another Python": (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import manual'])\n",
        "refused in an exercise: subprocess.Popen",
    ),
    "kills the grader": ("import os; os.kill(os.getppid(), 9)\n", "refused in an exercise: os.kill"),
    "writes to the channel": (
        "import os\nfor fd in range(3, 30):\n    try: os.write(fd, b'[]\\n')\n    except OSError: pass\n",
        "wrote into the channel that its answers take",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.skipif(os.name != "posix", reason="signals and limits are those of POSIX")
def test_a_hostile_submission_gets_a_verdict(name, tmp_path):
    text, told = HOSTILE[name]
    found = graded(tmp_path, text, seconds=3 if "loops" in name or name == "sleeps" else 20)
    assert found.score == 0.0
    assert found.verdict is Verdict.FAIL
    assert told in found.error
    assert len(found.error) <= 10_000
    assert told.split("\n")[0][:40] in plain_text(found, spoilers=False).replace("\n", "")


def test_what_is_refused_is_reported_even_where_it_is_caught(tmp_path):
    text = "try:\n    import manual\nexcept BaseException:\n    pass\n" + RIGHT
    found = graded(tmp_path, text)
    assert found.score == 1.0
    assert found.remarks == ("it tried what is refused in an exercise: import manual",)


def test_imports_are_read_off_the_text_too(tmp_path):
    file = tmp_path / "s.py"
    file.write_text(
        "import numpy, jax.numpy as jnp\ndef f():\n    from manual import xor\n    from . import gradcheck\n"
    )
    assert imported(file) == ("import jax.numpy", "import manual")


def test_a_patched_numpy_changes_nothing_for_the_grader(tmp_path):
    wrong = graded(tmp_path, filled("shallow", dW1="2 * dZ1 @ X.T") + PATCHED)
    assert by_line(wrong)["dW1"].verdict is Verdict.FAIL
    assert by_line(wrong)["dW1"].points == 0.125
    assert graded(tmp_path, RIGHT + PATCHED).score == 1.0
    assert np.allclose(1, 2) is False


def test_megabytes_of_prints_change_nothing_and_are_cut(tmp_path):
    found = graded(tmp_path, FLOOD + RIGHT)
    assert found.score == 1.0
    assert found.output.startswith("xxx")
    assert "bytes left out" in found.output
    assert found.output.endswith("end\n")
    assert len(found.output) < 30_000


def test_wrong_shapes_nan_and_what_is_no_number_are_told_by_line(tmp_path):
    found = graded(
        tmp_path,
        filled(
            "shallow",
            dW2="np.zeros((7, 7))",
            db2="dZ2.sum(axis=1, keepdims=True) * np.nan",
            dW1="'text'",
            db1="1j * dZ1.sum(axis=1, keepdims=True)",
        ),
    )
    told = by_line(found)
    assert told["dW2"].cause == "the gradient has shape (7, 7), params['W2'] has (3, 4)"
    assert told["db2"].verdict is Verdict.FAIL
    assert told["dW1"].cause == "is str of <U4, not numbers"
    assert told["db1"].cause == "is ndarray of complex128, not numbers"
    assert found.score == pytest.approx(0.25), "dZ2 is right, and so half of what is computed from it"


def test_who_is_right_once_and_leaves_then_gets_nothing(tmp_path):
    text = RIGHT + "\nright, calls = backward, []\n\n\ndef backward(*at):\n    calls.append(1)\n"
    text += "    if len(calls) > 2:\n        import os\n        os._exit(0)\n    return right(*at)\n"
    found = graded(tmp_path, text)
    assert "left the process" in found.error
    assert found.score == 0.0


def test_escapes_do_not_reach_the_terminal(tmp_path):
    found = graded(tmp_path, "print('\\x1b[2J')\nraise ValueError('\\x1b[31mred [bold]')\n")
    assert found.output == "?[2J\n"
    assert "ValueError: ?[31mred [bold]" in found.error
    assert "?[31mred [bold]" in plain_text(found, spoilers=False)


def test_what_does_not_fit_through_the_channel_is_told(tmp_path):
    found = graded(
        tmp_path, filled("shallow", dW1="np.zeros((3000, 3000))") + "\nimport json\njson.dumps = None\n"
    )
    assert by_line(found)["dW1"].cause == "is too large: its shape is (3000, 3000)"
    assert by_line(found)["dW2"].verdict is Verdict.PASS


UNSTEADY = {
    "adds up": "total[k] + v if k in total and total[k].shape == v.shape else v",
    "draws": "v * np.random.default_rng().uniform(1, 2)",
}


@pytest.mark.parametrize("value", UNSTEADY.values(), ids=UNSTEADY)
def test_an_answer_that_changes_from_call_to_call_is_none(value, tmp_path):
    text = RIGHT + "\nright, total = backward, {}\n\n\ndef backward(*at):\n"
    text += f"    total.update({{k: {value} for k, v in right(*at).items()}})\n    return dict(total)\n"
    found = graded(tmp_path, text)
    assert found.score == 0.0
    assert "gives another answer the second time, for the same arguments" in found.error


def test_what_follows_from_a_wrong_line_is_told_so(tmp_path):
    told = by_line(graded(tmp_path, filled("shallow", dZ1="dA1 ** 2")))
    assert told["dW1"].cause == "dZ1, from which it comes, is wrong"
    assert told["dZ1"].cause == ""


def test_the_environment_is_not_handed_on(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "do not tell")
    text = "import os\nprint(sorted(os.environ), os.getcwd())\n"
    found = graded(tmp_path, text + RIGHT)
    assert "SECRET_TOKEN" not in found.output
    assert "gradcheck-" in found.output, "a folder of its own"


def test_a_neighbour_of_the_submission_can_be_imported(tmp_path):
    (tmp_path / "helper.py").write_text("import numpy as np\n")
    assert graded(tmp_path, "from helper import np\n" + RIGHT)


def expected_numbers(seed):
    """Every entry of the truth, with the digits that a message would show."""
    point = exercise_named("shallow").draw(seed)
    cache = column_major.forward(point.params, point.X)
    found = column_major.backward(point.params, cache, point.X, point.Y)
    return {
        f"{abs(entry):.{digits}g}" for value in found.values() for entry in value.flat for digits in (4, 6)
    }


WRONG = (
    {"dZ2": "cache['A2'] - Y"},
    {"dW1": "2 * dZ1 @ X.T", "db2": "-dZ2.sum(axis=1, keepdims=True)"},
    {"dZ1": "dA1 * cache['A1']"},
    {"dW2": "np.nan * dZ2 @ cache['A1'].T", "db1": "dZ1.sum(axis=1)"},
    {"dA1": "params['W2'].T @ dZ2 + 0.01"},
)


@pytest.mark.parametrize("changes", WRONG)
def test_no_spoilers_means_none(changes, tmp_path):
    found = graded(tmp_path, filled("shallow", **changes))
    numbers = expected_numbers(SEED)
    told = [plain_text(found, spoilers=False), results(found, spoilers=False)]
    for text in told:
        assert found.first_wrong
        assert found.first_wrong in text, "the place is told"
        shown = set(re.findall(r"\d+\.?\d*(?:e-?\d+)?", text))
        assert not shown & numbers
    spoiled = set(re.findall(r"\d+\.?\d*(?:e-?\d+)?", plain_text(found, spoilers=True)))
    assert spoiled & numbers, "the test would see them"


def test_gradescope_reads_scores_and_status(tmp_path):
    said = json.loads(
        results(
            graded(tmp_path, filled("shallow", db1="2 * dZ1.sum(axis=1, keepdims=True)"), points=8.0),
            spoilers=False,
        )
    )
    assert said["score"] == 7.0
    assert [test["name"] for test in said["tests"]] == list(PARAMETERS)
    assert [test["status"] for test in said["tests"]] == ["passed", "passed", "passed", "failed"]
    assert sum(test["max_score"] for test in said["tests"]) == 8.0
    assert said["tests"][-1]["score"] == 1.0
    crashed = json.loads(results(graded(tmp_path, "1 / 0"), spoilers=False))
    assert crashed["score"] == 0.0
    assert "ZeroDivisionError" in crashed["output"]


def test_a_cell_of_a_notebook_can_call_it(tmp_path):
    assert assert_grade("shallow", backward_of(tmp_path), points=4) == 4
    wrong = backward_of(tmp_path, db1="3 * dZ1.sum(axis=1, keepdims=True)")
    with pytest.raises(AssertionError, match=r"first wrong line: db1") as caught:
        assert_grade("shallow", wrong, points=4)
    assert "expected" not in str(caught.value)
    assert assert_grade("shallow", wrong, points=4, partial=True) == 3.5
    with pytest.raises(AssertionError, match="score 0 of 1"):
        assert_grade("shallow", lambda *_: {}, partial=True)

    def breaks(params, X, Y):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        grade("shallow", breaks)


def test_a_point_that_nobody_foresees_and_that_can_be_drawn_again(tmp_path):
    backward = backward_of(tmp_path)
    first, second = grade("xor", backward), grade("xor", backward)
    assert first.seed != second.seed
    again = grade("xor", backward, seed=first.seed)
    assert again == first


def test_the_command(tmp_path, capsys):
    assert cli.main(["grade", "--list"]) == 0
    assert capsys.readouterr().out.split()[0] == "shallow"
    assert cli.main(["grade", "--skeleton", "rowmajor"]) == 0
    assert capsys.readouterr().out == exercise_named("rowmajor").skeleton
    mine, out = tmp_path / "mine.py", tmp_path / "results.json"
    mine.write_text(RIGHT)
    assert cli.main(["grade", "shallow", str(mine), "--seed", "5", "--gradescope", str(out)]) == 0
    assert "score 1 of 1; seed 5" in capsys.readouterr().out
    assert json.loads(out.read_text())["score"] == 1.0
    mine.write_text(filled("shallow", dW1="2 * dZ1 @ X.T"))
    assert cli.main(["grade", "shallow", str(mine), "--no-spoilers", "--points", "4"]) == 1
    told = capsys.readouterr().out
    assert "score 3.5 of 4" in told
    assert "2 times too large" in told
    assert "expected" not in told


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["shallow"], "pass an exercise and a file"),
        (
            ["deep", "x.py"],
            "no exercise is called 'deep': pass one of shallow, xor, slides, rowmajor, squared",
        ),
        (["--skeleton", "deep"], "no exercise is called 'deep'"),
        (["shallow", "no.py"], "'no.py' is no file: pass the submission"),
        (["shallow", "x.py", "--points", "0"], "'0': pass a number above 0"),
        (["shallow", __file__, "--gradescope", "no/r.json"], "--gradescope no/r.json: there is no folder no"),
    ],
)
def test_wrong_usage_exits_with_2(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["grade", *arguments])
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err


def test_an_answer_of_the_wrong_form_is_not_believed(tmp_path):
    """Bytes that do not fill their shape."""
    for shape, data in (([2], "A" * 8), ([2], 2 * "AAAAAAAAAAA="), ([-1], ""), ([2**40, 2**40], "")):
        with pytest.raises(ValueError):  # noqa: PT011 - NumPy's words and ours
            submission._decoded({"shape": shape, "bytes": 8, "data": data})
