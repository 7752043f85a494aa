"""A report as one self-contained page: no network, no script, and nothing in it is taken for markup.

Every value goes through `visible` and then through Jinja's autoescape; the Content-Security-Policy allows
the page's own style sheet, by its hash, and nothing else.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gradcheck.render.charts import Curve, Mark, chart
from gradcheck.render.drawing import Drawing
from gradcheck.render.terminal import SCALINGS, first_wrong, footer, paragraphs, size
from gradcheck.render.visible import visible
from gradcheck.report import Report
from gradcheck.verdict import LeafResult

TEMPLATES = Path(__file__).parent / "templates"


def to_html(report: Report) -> str:
    """The report as a page of its own."""
    return page("page.html", report=report)


def mimebundle(report: Report) -> dict[str, str]:
    """What a notebook shows: plain text, and HTML with its own style beside it."""
    html = environment().get_template("notebook.html").render(report=report, style=style())
    return {"text/plain": str(report), "text/html": html}


def page(template: str, **content: Any) -> str:
    """A template filled, with the style sheet and the policy that allows no more than that."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return environment().get_template(template).render(style=style(), policy=policy, **content)


@functools.cache
def environment() -> Environment:
    """The templates, with what they may call."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals |= {
        "paragraphs": paragraphs,
        "first_wrong": first_wrong,
        "footer": footer,
        "size": size,
        "gaps": gaps,
    }
    return found


@functools.cache
def style() -> Markup:
    """The one style sheet; it applies within class `gradcheck` only."""
    return Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))


def shown(value: Any) -> Any:
    """Text in which every character can be seen; markup of ours as it is."""
    return value if isinstance(value, Markup) else visible(str(value))


def gaps(leaf: LeafResult) -> Drawing | None:
    """The gap between claim and difference quotient over the step, with the error bar of what is expected."""
    if leaf.curve is None:
        return None
    bar = abs(leaf.bar * (leaf.claimed - leaf.expected) / leaf.error) if leaf.error else 0.0
    what = SCALINGS[leaf.curve.scaling] if leaf.curve.scaling else "does nothing in particular"
    return chart(
        [Curve(name="gap between claim and differences", points=list(_pairs(leaf)), dots=True)],
        x="step",
        y="gap",
        alt=f"The gap of {leaf.name} to finite differences {what}.",
        log_x=True,
        log_y=True,
        marks=[Mark(name="error bar of the expected value", axis="y", value=bar)],
    )


def _pairs(leaf: LeafResult) -> zip[tuple[float, float]]:
    assert leaf.curve is not None
    return zip(leaf.curve.steps, leaf.curve.gaps, strict=True)
