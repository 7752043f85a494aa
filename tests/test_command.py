"""The command line and the demo, as a user runs them."""

import io
import subprocess
import sys

import pytest
from rich.console import Console

from gradcheck import Verdict, cli, demo
from gradcheck.demo.agreement import three_ways
from gradcheck.demo.errata import lost_batch_mean
from gradcheck.demo.training import learn_xor


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "gradcheck", *arguments], capture_output=True, text=True)


def test_the_demo_shows_three_ways_an_erratum_and_a_training():
    done = run("demo")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" PASS\n") == 8
    assert "4 times too large, 4 is the number of examples" in done.stdout
    assert "4 of 4" in done.stdout
    assert "seed 0" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_demo_is_the_same_for_the_same_seed():
    def printed(seed):
        buffer = io.StringIO()
        assert demo.run(Console(file=buffer, width=80, highlight=False), seed)
        return buffer.getvalue()

    assert printed(3) == printed(3)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "the following arguments are required: command"),
        (("teach",), "invalid choice: 'teach'"),
        (("demo", "--seed", "-1"), "'-1' is no seed: pass a whole number from 0 on"),
        (("demo", "--seed", "x"), "'x' is no seed: pass a whole number from 0 on"),
    ],
    ids=["nothing", "unknown", "negative", "text"],
)
def test_wrong_usage_exits_with_2(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_demo_whose_erratum_is_not_convicted_fails(monkeypatch, capsys):
    right = lambda seed: next(iter(three_ways(seed).values()))  # noqa: E731
    monkeypatch.setattr(demo, "lost_batch_mean", right)
    assert cli.main(["demo"]) == 1
    capsys.readouterr()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_both_layouts_pass_and_the_printed_formula_is_convicted(seed):
    reports = three_ways(seed)
    assert list(reports) == ["row-major", "column-major"]
    for report in reports.values():
        assert report
        for row in report.agreements:
            assert row.agrees
            assert row.error <= (1e-12 if row.right == "autodiff" else 1e-8)
    erratum = lost_batch_mean(seed)
    assert erratum.verdict is Verdict.FAIL
    assert {f.message for f in erratum.findings} == {"4 times too large, 4 is the number of examples"}
    assert {f.value for f in erratum.findings} == {4.0}


def test_xor_is_learned_from_random_weights_and_not_from_zero_weights():
    random, zero = learn_xor(seed=0)
    assert random.correct == 4
    assert random.last_loss < 0.01
    assert zero.correct < 4
    assert zero.unit_difference == 0.0
    assert zero.last_loss == pytest.approx(0.6931, abs=1e-4)


def test_a_seed_that_ends_in_a_local_minimum_is_said_to(capsys):
    assert learn_xor(seed=6)[0].correct < 4
    assert cli.main(["demo", "--seed", "6"]) == 0
    assert "This seed ended in a local minimum all the same" in capsys.readouterr().out
