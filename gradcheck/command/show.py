"""What a file's checks came to, for a terminal: the worst first, then one line that counts."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.text import Text

from gradcheck.command.run import Judged
from gradcheck.outcome import ERROR, WORST_FIRST, Outcome
from gradcheck.render.terminal import COLOURS, renderable
from gradcheck.render.visible import escaped, visible

STYLES = {verdict.value: colour for verdict, colour in COLOURS.items()} | {ERROR: "bold red"}
WRONG = WORST_FIRST[:-1]
LINES = "\n\t"  # what the user's own text is laid out with


def show(console: Console, judged: Judged, only_wrong: bool) -> None:
    """Print every outcome, or those that are not PASS, what the file printed, and what was left out."""
    for outcome in judged.outcomes:
        if outcome.verdict in WRONG or not only_wrong:
            _show_outcome(console, judged, outcome)
    if judged.output:
        console.print(Text(f"printed by {judged.file.name}:", style="bold"))
        console.print(Text(escaped(judged.output.rstrip("\n"), LINES)), soft_wrap=True)
        console.print()
    for hint in judged.without_inputs.values():
        console.print(Text(visible(f"NOT CHECKED {hint}")), soft_wrap=True)
    console.print(_count(judged))


def _show_outcome(console: Console, judged: Judged, outcome: Outcome) -> None:
    console.print(Text(visible(f"{judged.file.name}::{outcome.name}"), style="bold"), soft_wrap=True)
    if outcome.report is not None:
        console.print(renderable(outcome.report))
    else:
        console.print(Text.assemble((ERROR, STYLES[ERROR]), "  no verdict"))
        # Whole and unwrapped: it is to be read, searched and copied.
        console.print(Text(escaped(outcome.error.rstrip("\n"), LINES)), soft_wrap=True)
    console.print()


def _count(judged: Judged) -> Text:
    counts = Counter(outcome.verdict for outcome in judged.outcomes)
    checks = f"{len(judged.outcomes)} check{'s' if len(judged.outcomes) != 1 else ''}: "
    text = Text(checks)
    for position, verdict in enumerate(verdict for verdict in WORST_FIRST if counts[verdict]):
        text.append(", " if position else "")
        text.append(f"{counts[verdict]} {verdict}", style=STYLES[verdict])
    return text
