"""What was read, on a terminal. Computes nothing but medians."""

from __future__ import annotations

import statistics

from rich.console import Console
from rich.markup import escape

from gradcheck.demo.digits.data import Digits
from gradcheck.demo.digits.learn import BATCH_SIZE, EPOCHS, LEARNING_RATE, DigitRun
from gradcheck.demo.show import curves, in_one_line, indented, plain_table
from gradcheck.report import Report
from manual.digits import CLASSES, HIDDEN_UNITS

CLAIM = (
    f"The claim put to the test (`squared`, final comment): {HIDDEN_UNITS} hidden units read about 95 % of "
    "the whole of MNIST."
)


def show_title(console: Console, data: Digits) -> None:
    """Which images these are, and how they are learned."""
    split = data.split(0)
    pixels = split.images.shape[1]
    console.print()
    console.rule(f"[bold]digits[/]  {escape(data.what)}", align="left")
    indented(console, CLAIM, above=1)
    indented(
        console,
        f"{len(split.labels)} images to train on, {len(split.held_out_labels)} held out. "
        f"Sigmoid network {pixels}-{HIDDEN_UNITS}-{CLASSES} with biases, squared error, weights of variance "
        f"1/n_in, mini-batches of {BATCH_SIZE}, learning rate {LEARNING_RATE:g}, {EPOCHS} epochs.",
        above=1,
    )


def show_check(console: Console, report: Report) -> None:
    """The check of the gradients that training is going to use."""
    indented(console, "Gradients of the first mini-batch (FD is finite differences):", above=1)
    indented(console, in_one_line(report))


def show_runs(console: Console, runs: tuple[DigitRun, ...]) -> None:
    """Accuracy by seed, the median, the learning curves, and what the median run took for what."""
    table = plain_table("seed", "held out", "trained on", "seconds")
    for run in runs:
        shares = f"{run.held_out[-1]:.1%}", f"{run.trained[-1]:.1%}"
        table.add_row(str(run.seed), *shares, f"{run.seconds:.1f}")
    indented(console, table, above=1)
    middle = statistics.median_low(run.held_out[-1] for run in runs)
    typical = next(run for run in runs if run.held_out[-1] == middle)
    median = statistics.median(run.held_out[-1] for run in runs)
    indented(console, f"[bold]median {median:.1%}[/] of the held-out images are read rightly", above=1)
    title = f"seed {typical.seed}: share misread after each epoch"
    lines = {
        "trained on": [1 - share for share in typical.trained],
        "held out": [1 - share for share in typical.held_out],
    }
    indented(console, curves(console, lines, title, first=1), above=1)
    indented(console, f"seed {typical.seed}, held out: the digit in rows, what was read in columns", above=1)
    confusion = plain_table("", *map(str, range(CLASSES)), right=True)
    for digit, counts in enumerate(typical.confusion):
        confusion.add_row(str(digit), *(str(count) if count else "." for count in counts))
    indented(console, confusion)
