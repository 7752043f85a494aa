"""A report as a figure for a paper, drawn by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcheck.render.visible import visible
from gradcheck.report import Report
from gradcheck.verdict import LeafResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLOOR = 1e-17  # where an error of exactly 0 is drawn: beneath the rounding of any number
KINDS = (("error", "error", "o"), ("bar", "error bar", "_"), ("detection_limit", "would have been seen", "|"))


def plot(report: Report) -> Figure:
    """Errors with their bars, a row a gradient; beside them, where a claim is wrong, the gap by step.

    The figure is no part of pyplot's state: save it with `.savefig(...)`. ModuleNotFoundError says what to
    install where matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"plots need matplotlib: pip install 'gradcheck[plot]' ({error})"
        ) from error
    curved = [leaf for leaf in report.leaves if leaf.curve is not None]
    figure = Figure(
        figsize=(8 if curved else 4.5, max(2.4, 0.4 * len(report.leaves) + 1.6)), layout="constrained"
    )
    panels = figure.subplots(1, 2 if curved else 1, squeeze=False)[0]
    _errors(panels[0], report)
    if curved:
        _gaps(panels[1], curved)
    return figure


def _errors(axes: Axes, report: Report) -> None:
    rows = np.arange(len(report.leaves))
    for kind, name, marker in KINDS:
        sizes = np.array([getattr(leaf, kind) for leaf in report.leaves])
        shown = np.isfinite(sizes)
        axes.plot(np.maximum(sizes[shown], FLOOR), rows[shown], linestyle="none", marker=marker, label=name)
    axes.set(xscale="log", xlabel="relative to the largest entry", ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticks(rows, [f"{_plain(leaf.name)}  {leaf.verdict.value}" for leaf in report.leaves])
    axes.axvline(report.sensitivity, linewidth=0.8, linestyle=":", color="grey", label="a PASS had to see")
    axes.legend(fontsize="x-small")


def _gaps(axes: Axes, curved: list[LeafResult]) -> None:
    for leaf in curved:
        assert leaf.curve is not None
        axes.plot(leaf.curve.steps, leaf.curve.gaps, marker=".", label=_plain(leaf.name))
    axes.set(xscale="log", yscale="log", xlabel="step", ylabel="gap to central differences")
    axes.legend(fontsize="x-small")


def _plain(name: str) -> str:
    """A name in which matplotlib finds no mathematics, no line ends, and nothing endless."""
    return visible(name[:40]).replace("$", r"\$")
