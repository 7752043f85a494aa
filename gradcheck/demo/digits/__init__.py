"""`gradcheck digits`: the documents' claim that 30 hidden units read handwritten digits, put to the test."""

from __future__ import annotations

from rich.console import Console
from rich.progress import track

from gradcheck.demo.digits.data import Digits
from gradcheck.demo.digits.learn import EPOCHS, check, learn, train
from gradcheck.demo.digits.show import show_check, show_runs, show_title


def run(console: Console, data: Digits, seeds: int) -> bool:
    """Check the gradients, train once a seed, print what was learned; True where the check passes."""
    show_title(console, data)
    report = check(data, seed=0)
    show_check(console, report)
    runs = []
    for seed in range(seeds):
        epochs = track(
            train(data, seed),
            total=EPOCHS,
            description=f"seed {seed}",
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        runs.append(learn(data, seed, epochs))
    show_runs(console, tuple(runs))
    return bool(report)
