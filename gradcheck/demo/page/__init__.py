"""The demo as one page, to be read without a network and without a script."""

from __future__ import annotations

import pathlib
import runpy

from markupsafe import Markup

from gradcheck.demo.page.chapters import contents
from gradcheck.demo.page.curves import lesson_losses, losses, misprint_by_step, right_by_step
from gradcheck.demo.page.drawings import backward_pass, heat_map, network, shape_in_letters
from gradcheck.demo.show import HEADINGS, PAIRS
from gradcheck.render.html import page
from gradcheck.render.mathml import equation
from gradcheck.report import Report

OWN_LAYER = pathlib.Path(__file__).parent / "own_layer.py"  # what the last chapter shows, and runs


def demo_page(seed: int, document: str | None = None) -> tuple[str, bool]:
    """The page, and whether everything in it was judged as it should be."""
    found = contents(seed, document)
    html = page(
        "demo.html",
        contents=found,
        seed=seed,
        document=document,
        equation=equation,
        letters=shape_in_letters,
        agreements=worst_agreements,
        headings=HEADINGS,
        figures={
            "network": network,
            "backward": backward_pass,
            "heat": heat_map,
            "right": right_by_step,
            "misprint": misprint_by_step,
            "losses": losses,
            "lesson": lesson_losses,
        },
        own_code=OWN_LAYER.read_text(encoding="utf-8"),
        newline=Markup("\n"),
        own_report=runpy.run_path(str(OWN_LAYER))["report"],
    )
    return html, all(content.as_expected for content in found)


def worst_agreements(report: Report) -> list[str]:
    """Of each pair of witnesses the largest error, with its bar."""
    rows = [[r for r in report.agreements if (r.left, r.right) == pair] for pair in PAIRS]
    worst = [max(found, key=lambda row: row.error) for found in rows]
    return [f"{row.error:.1e} ({row.bar:.0e})" for row in worst]
