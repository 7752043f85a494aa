"""The teaching demo: the hand-derived gradients beside JAX and finite differences, right and wrong."""

from __future__ import annotations

from rich.console import Console

from gradcheck.demo.agreement import three_ways
from gradcheck.demo.errata import lost_batch_mean
from gradcheck.demo.show import show_agreement, show_erratum, show_summary, show_training
from gradcheck.demo.training import learn_xor
from gradcheck.verdict import Verdict


def run(console: Console, seed: int) -> bool:
    """Print the demo; True where the derivations pass and the printed formula is convicted."""
    with console.status("differentiating both layouts by hand, by JAX and by differences ..."):
        reports = three_ways(seed)
    show_agreement(console, reports)
    with console.status("judging the formula as printed ..."):
        erratum = lost_batch_mean(seed)
    show_erratum(console, erratum)
    with console.status("training on XOR ..."):
        trainings = learn_xor(seed)
    show_training(console, trainings)
    show_summary(console, reports, seed)
    return all(reports.values()) and erratum.verdict is Verdict.FAIL
