"""The curves of the page: error against step, and loss against epoch."""

from __future__ import annotations

from gradcheck.demo.page.chapters import Judged, Learned
from gradcheck.demo.page.look import Look, Numbers, Steps
from gradcheck.demo.training import Lesson
from gradcheck.render.charts import Curve, Mark, chart
from gradcheck.render.drawing import Drawing
from gradcheck.verdict import Verdict


def right_by_step(look: Look) -> Drawing | None:
    """The V of a right gradient: truncation on one side, rounding on the other."""
    first = look.numbers[0]
    steps = look.steps(first.name, first.index)
    return _by_step({"claim − central difference": steps}, first, steps)


def misprint_by_step(judged: Judged) -> Drawing | None:
    """Printed and corrected in one chart, at an entry that is wrong; None where only shapes are."""
    if judged.printed is None:
        return None
    wrong = (n for n in judged.printed.numbers if n.verdict is Verdict.FAIL and n.fits)
    first = next(wrong, None)
    if first is None:
        return None
    printed = judged.printed.steps(first.name, first.index)
    corrected = judged.corrected.steps(first.name, first.index)
    return _by_step({"as printed": printed, "corrected": corrected}, first, corrected)


def losses(learned: Learned) -> Drawing | None:
    """Two trainings from one start."""
    named = {"right formula": learned.right, "as printed": learned.printed}
    ends = "; ".join(f"{name} {line[0]:.3g} to {line[-1]:.3g}" for name, line in named.items())
    return _by_epoch(named, f"Loss over {len(learned.right) - 1} epochs: {ends}.")


def lesson_losses(lesson: Lesson) -> Drawing | None:
    """The trainings of a chapter."""
    ends = "; ".join(f"{run.start} {run.losses[0]:.3g} to {run.losses[-1]:.3g}" for run in lesson.runs)
    named = {run.start: run.losses for run in lesson.runs}
    return _by_epoch(named, f"Loss over {len(lesson.runs[0].losses) - 1} epochs: {ends}.")


def _by_epoch(named: dict[str, list[float]], alt: str) -> Drawing | None:
    curves = [Curve(name=name, points=list(enumerate(line))) for name, line in named.items()]
    return chart(curves, x="epoch", y="loss", alt=alt)


def _by_step(named: dict[str, Steps], numbers: Numbers, chosen: Steps) -> Drawing | None:
    place = f"{numbers.name}[{', '.join(map(str, numbers.index))}]"
    return chart(
        [Curve(name=name, points=steps.points, dots=True) for name, steps in named.items()],
        x="step",
        y=f"gap of {place} to a central difference",
        alt=(
            f"The gap of {place} to central differences over their step. Of the right gradient it falls with "
            f"the step until rounding takes over. The finest step used is {chosen.chosen:.1e}, and the "
            f"extrapolated value has the error bar {chosen.bar:.1e}."
        ),
        log_x=True,
        log_y=True,
        marks=[
            Mark(name="the finest step we use", axis="x", value=chosen.chosen),
            Mark(name="error bar of the extrapolated value", axis="y", value=chosen.bar),
        ],
    )
