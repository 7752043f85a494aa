"""A report as a page: what it says, and that nothing in it is taken for markup."""

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from gradcheck import Report, check_gradients
from gradcheck.render.charts import Curve, Mark, chart
from gradcheck.render.drawing import Line
from gradcheck.render.visible import visible

X = np.arange(12.0).reshape(3, 4) / 7
HOSTILE = "<script>document.title='taken'</script><img src=x onerror=alert(1)>\"'&\u202eevil\x1b[31m\n\ud800"
ENDLESS = HOSTILE + "A" * 10_000
VOID = {"meta", "img", "br", "input", "link", "hr"}


class Page(HTMLParser):
    """Every element and the text of a page; fails where tags do not nest."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.text = [], [], ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.text += " "
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    @property
    def tags(self):
        return {tag for tag, _ in self.elements}


def square(*inputs):
    return sum((x**2).sum() for x in inputs)


def wrong(names=("x", "y")) -> Report:
    """One right gradient and one that is half as large again."""
    return check_gradients(square, X, X + 1, gradients=lambda x, y: (2 * x, 3 * y), names=names)


def named(name) -> Report:
    """The report on a wrong gradient in which everything that a user may have named has this name."""
    report = wrong((name, name + "2"))
    return dataclasses.replace(
        report,
        name=name,
        notes=(name,),
        not_checked=(name,),
        versions={name: name},
        leaves=tuple(dataclasses.replace(leaf, remark=name) for leaf in report.leaves),
        findings=tuple(dataclasses.replace(f, message=name, remedy=name) for f in report.findings),
        oracles=tuple(dataclasses.replace(o, name=name, why_not=name) for o in report.oracles),
    )


def test_a_page_says_all_that_the_terminal_says():
    report = wrong()
    page = Page(report.to_html())
    shown = page.text.split()
    for line in str(report).splitlines():
        assert set(line.split()) - {"leaf"} <= set(shown), line
    assert {"main", "h1", "table", "svg", "details"} <= page.tags


def test_the_gap_by_step_is_drawn_where_there_is_one():
    assert wrong().to_html().count("<svg") == 1
    right = check_gradients(square, X, gradients=lambda x: 2 * x)
    assert right.to_html().count("<svg") == 0


def test_a_page_loads_nothing_and_its_policy_allows_its_own_style_only():
    html = wrong().to_html()
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object"} & page.tags
    for _, attributes in page.elements:
        assert not {"src", "href", "style"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)
    style = html[html.index("<style>") + 7 : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a["content"] for t, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")


@pytest.mark.parametrize("name", [HOSTILE, ENDLESS], ids=["hostile", "endless"])
def test_hostile_names_are_shown_and_never_taken_for_markup(name):
    report = named(name)
    plain = Page(wrong().to_html())
    for html in (report.to_html(), report._repr_mimebundle_()["text/html"]):
        page = Page(html)
        assert page.tags <= plain.tags | {"div"}
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", html)
        assert "<script>document.title='taken'</script>" in page.text
        assert r"\u202eevil\x1b[31m\n\ud800" in page.text
        html.encode("utf-8")
        assert len(html) < 100_000


def test_every_character_of_a_value_can_be_seen_and_an_endless_one_keeps_its_ends():
    assert visible("W\x00\u200e\r") == r"W\x00\u200e\r"
    assert visible("ж, 重み, W₁") == "ж, 重み, W₁"
    cut = visible("a" * 5000 + "z is wrong")
    assert cut.startswith("a" * 1000 + " … 3510 characters … ")
    assert cut.endswith("z is wrong")


def test_a_notebook_gets_html_with_a_style_of_its_own_and_text_where_that_is_stripped():
    report = wrong()
    bundle = report._repr_mimebundle_(include=None, exclude=None)
    assert bundle["text/plain"] == str(report)
    html = bundle["text/html"].strip()
    assert html.startswith('<div class="gradcheck"><style>.gradcheck {')
    assert not {"html", "head", "body", "meta"} & Page(html).tags


def test_a_page_of_a_report_that_came_back_from_json_is_the_same():
    report = wrong()
    assert Report.from_json(report.to_json()).to_html() == report.to_html()


@pytest.mark.parametrize("hidden", [0.0, float("nan"), float("inf"), -1.0])
def test_points_that_an_axis_cannot_show_are_left_out(hidden):
    points = [(1e-3, 1e-6), (1e-2, hidden), (1e-1, 1e-2)]
    mark = Mark(name="bar", axis="y", value=hidden)
    drawn = chart(
        [Curve(name="gap", points=points)], x="", y="", alt="", log_x=True, log_y=True, marks=[mark]
    )
    assert drawn is not None
    lines = [shape for shape in drawn.shapes if isinstance(shape, Line) and "curve" in shape.kind]
    assert len(lines[0].points) == 2
    assert len(lines) == 2  # the curve, and its line in the legend; no mark
    assert (
        chart([Curve(name="", points=[(hidden, hidden)] * (hidden != 0))], x="", y="", alt="", log_y=True)
        is None
    )


def test_a_curve_goes_where_its_numbers_say():
    drawn = chart([Curve(name="line", points=[(0, 0), (5, 1), (10, 2)])], x="", y="", alt="")
    assert drawn is not None
    (x0, y0), (x1, y1), (x2, y2) = next(
        s.points for s in drawn.shapes if isinstance(s, Line) and s.kind == "curve c0"
    )
    assert x1 - x0 == pytest.approx(x2 - x1)
    assert y0 - y1 == pytest.approx(y1 - y2)
    assert x2 > x0
    assert y2 < y0
