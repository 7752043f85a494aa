"""The teaching demo: the documents' networks by hand, by JAX and by finite differences, right and wrong."""

from __future__ import annotations

import pathlib

from rich.console import Console

from gradcheck.demo.documents import CHAPTERS, Chapter
from gradcheck.demo.errata import errata_of
from gradcheck.demo.show import show_agreement, show_errata, show_lesson, show_summary, show_title
from gradcheck.report import Report


def run(console: Console, seed: int, document: str | None = None) -> bool:
    """Print one chapter, or all; True where the derivations pass and every misprint is judged as expected."""
    chapters = [chapter for chapter in CHAPTERS if document in (None, chapter.id)]
    results = [_chapter(console, chapter, seed) for chapter in chapters]
    reports = [report for found, _ in results for report in found]
    show_summary(console, reports, seed)
    return all(reports) and all(expected for _, expected in results)


def write_page(console: Console, path: pathlib.Path, seed: int, document: str | None = None) -> bool:
    """Write the demo as one page; True where all of it is judged as expected. OSError where it cannot be."""
    from gradcheck.demo.page import demo_page

    path.touch()  # to learn in a moment, and not after all the work, that there is no such folder
    with console.status("judging every formula, training ..."):
        html, expected = demo_page(seed, document)
    path.write_text(html, encoding="utf-8")
    console.print(f"{path}: {len(html) // 1000} kB, opens in any browser", markup=False, soft_wrap=True)
    return expected


def _chapter(console: Console, chapter: Chapter, seed: int) -> tuple[list[Report], bool]:
    show_title(console, chapter)
    with console.status("differentiating by hand, by JAX and by differences ..."):
        reports = chapter.judge(seed)
    show_agreement(console, reports)
    with console.status("judging the formulas as printed ..."):
        errata = errata_of(chapter.id, seed)
    show_errata(console, errata)
    if chapter.learn is not None:
        with console.status("training ..."):
            lesson = chapter.learn(seed)
        show_lesson(console, lesson)
    return list(reports.values()), all(judged.as_expected for judged in errata)
