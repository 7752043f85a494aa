"""The command line and the demo, as a user runs them."""

import dataclasses
import io
import math
import re
import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console

from gradcheck import cli, demo
from gradcheck.demo import agreement, training
from gradcheck.demo.documents import CHAPTERS
from gradcheck.demo.errata import errata_of, judged
from gradcheck.demo.show import show_errata
from manual import row_major, slides, xor
from manual.errata import ERRATA
from manual.training import gradient_descent


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "gradcheck", *arguments], capture_output=True, text=True)


def printed(seed, document):
    buffer = io.StringIO()
    assert demo.run(Console(file=buffer, width=80, highlight=False), seed, document)
    return buffer.getvalue()


def test_the_demo_goes_through_all_documents():
    done = run("demo")
    assert done.returncode == 0, done.stderr
    for chapter in CHAPTERS:
        assert f"\n{chapter.id}  {chapter.title}" in done.stdout
    for erratum in ERRATA:
        assert f"   {erratum.id}  " in done.stdout
    assert "W1, b1, W2, b2: 5 times too large, 5 is the number of" in done.stdout
    assert "Checked 18 networks" in done.stdout
    assert "seed 0" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "…" not in done.stdout, "a cell was cut off"


def test_verdicts_on_errata_come_with_the_lengths_and_no_shape_is_broken():
    errata = errata_of("xor", 0)

    def shown(width):
        buffer = io.StringIO()
        show_errata(Console(file=buffer, width=width, highlight=False), errata)
        return re.sub(r" +\n", "\n", buffer.getvalue())

    text = shown(80)
    assert "verdict    FAIL  at m = 1, n0 = 2, n1 = 2, n2 = 1\n" in text
    assert "verdict    PASS  at m = 5, n0 = 3, n1 = 4, n2 = 2\n" in text
    assert "hides      where m = 1\n                  PASS  at m = 1, n0 = 3, n1 = 4, n2 = 2\n" in text
    assert "NumPy refuses it at m = 4, n0 = 2, n1 = 2, n2 = 1\n" in text
    assert "read as    with the products (E1) and the sums over the examples (E2)" in text
    for width in range(64, 81):
        assert not re.search(r"\(\d+,\n", shown(width)), "a shape is broken over two lines"
        assert max(map(len, shown(width).splitlines())) <= width


def test_a_wrong_summary_of_slides_makes_its_chapter_fail(monkeypatch):
    for name in ("one_example", "n_examples"):
        right = getattr(slides, name)

        def wrong(*arguments, right=right):
            return right(*arguments) | {"dW1": 2 * right(*arguments)["dW1"]}

        with monkeypatch.context() as patch:
            patch.setattr(slides, name, wrong)
            patch.setattr(agreement, "ACTIVATIONS", agreement.ACTIVATIONS[:1])
            reports = agreement.general_activations(0)
        failed = {network for network, report in reports.items() if not report}
        one = {"one example"}
        assert failed == (one if name == "one_example" else reports.keys() - one)


@pytest.mark.parametrize("document", ["xor", "beside"])
def test_one_document_shows_that_one_alone(document):
    text = printed(0, document)
    others = [chapter.title for chapter in CHAPTERS if chapter.id != document]
    assert not any(title in text for title in others)
    errata = [erratum.id for erratum in ERRATA if document in erratum.documents]
    assert re.findall(r"^   (E\d+) ", text, re.MULTILINE) == errata
    assert ("loss by epoch" in text) == (document != "beside")


def test_the_chapters_are_those_that_the_command_names():
    assert tuple(chapter.id for chapter in CHAPTERS) == cli.DOCUMENTS


def test_the_demo_is_the_same_for_the_same_seed():
    assert printed(3, "beside") == printed(3, "beside") != printed(4, "beside")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "the following arguments are required: command"),
        (("teach",), "invalid choice: 'teach'"),
        (("demo", "--seed", "-1"), "'-1' is no seed: pass a whole number from 0 on"),
        (("demo", "--seed", "x"), "'x' is no seed: pass a whole number from 0 on"),
        (("demo", "--document", "deep"), "invalid choice: 'deep'"),
        (("digits", "--data", cli.DIGITS[0], "--mnist", "folder"), "not allowed with argument --data"),
    ],
    ids=["nothing", "unknown", "negative", "text", "document", "two sets"],
)
def test_wrong_usage_exits_with_2(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_demo_whose_erratum_is_not_convicted_fails(monkeypatch, capsys):
    e3 = next(erratum for erratum in ERRATA if erratum.id == "E3")
    right = judged(dataclasses.replace(e3, printed_code=e3.corrected_code), 0)
    monkeypatch.setattr(demo, "errata_of", lambda document, seed: (right,))
    assert cli.main(["demo", "--document", "xor"]) == 1
    assert "no harm done" in capsys.readouterr().out


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.id)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_network_passes_three_ways(chapter, seed):
    for report in chapter.judge(seed).values():
        assert report, str(report)
        for row in report.agreements:
            assert row.agrees
            assert row.error <= (1e-12 if row.right == "autodiff" else 1e-8)


def test_xor_is_learned_from_random_weights_and_not_from_zero_or_equal_ones_or_where_it_gets_stuck():
    lesson = training.exclusive_or(seed=0)
    random, zero, equal, stuck = lesson.runs
    assert random.right == 4
    assert random.losses[-1] < 0.01
    assert zero.right < 4
    assert zero.unit_difference == 0.0
    assert zero.losses[-1] == zero.losses[0] == pytest.approx(math.log(2))
    assert equal.right < 4
    assert equal.unit_difference <= 1e-12
    assert equal.losses[-1] < equal.losses[0] - 0.1
    assert stuck.right < 4
    assert math.log(2) / 2 < stuck.losses[-1] < stuck.losses[-1000] < 1.02 * stuck.losses[-1]
    assert lesson.stuck, str(lesson.stuck)


def test_a_seed_that_is_stuck_itself_is_shown_once():
    runs = training.exclusive_or(seed=6).runs
    assert [run.start for run in runs] == ["random, seed 6", "zero", "equal units"]


def test_what_is_stuck_creeps_to_half_of_ln_2_while_the_weights_grow():
    """A valley without a minimum."""
    epochs = 3000
    start = row_major.initialise((2, 2, 1), 6)
    first = gradient_descent(row_major, start, xor.X, xor.Y, learning_rate=1.0, epochs=epochs)
    more = gradient_descent(row_major, first.params, xor.X, xor.Y, learning_rate=1.0, epochs=3 * epochs)
    left = [end - math.log(2) / 2 for end in (first.losses[-1], more.losses[-1])]
    assert 0 < 3 * left[1] < left[0] < 0.003
    assert all(np.linalg.norm(more.params[name]) > np.linalg.norm(first.params[name]) for name in start)


@pytest.mark.parametrize("learn", [training.layers, training.squared_error, training.initialisations])
def test_what_is_said_to_be_learned_is(learn):
    for run in learn(0).runs:
        if run.start in ("zero", "equal units"):
            assert run.unit_difference <= 1e-12
            assert run.right < run.of
        elif run.start != "N(0, 1)":  # which is stuck there
            assert run.right == run.of


def test_the_problems_hide_nothing():
    assert len({agreement.EXAMPLES, *agreement.SIZES}) == 4
