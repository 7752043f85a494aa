"""The pages in a real browser: nothing loaded, nothing complained of, readable by everybody."""

import itertools
import pathlib

import numpy as np
import pytest

from gradcheck import check_gradients
from gradcheck.command.files import as_html
from gradcheck.command.run import Judged, Outcome
from gradcheck.demo.page import demo_page
from tests.browser import CHROMIUM, browser
from tests.test_html import ENDLESS, HOSTILE, named

AXE = pathlib.Path(__file__).parent.parent / ".node" / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = list(itertools.product((360, 1440), ("light", "dark")))
# What reaches out of its own box, though it may not scroll there.
OVERFLOW = """[...document.querySelectorAll('math, svg, h1, h2, h3, p, dd')]
    .filter(e => !e.closest('.scroll') && e.getBoundingClientRect().right > innerWidth)
    .map(e => e.outerHTML.slice(0, 200))"""
VIOLATIONS = """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations
    .filter(v => ['serious', 'critical'].includes(v.impact))
    .map(v => [v.id, v.help, v.nodes.length, v.nodes[0].html.slice(0, 200)]))"""

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")
needs_axe = pytest.mark.skipif(not AXE.exists(), reason="no axe-core: make browser")


@pytest.fixture
def page(tmp_path):
    """Opens a text as a page."""

    def opened(chrome, html):
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        chrome.open(path)
        assert chrome.requests == [path.as_uri()]
        assert chrome.complaints == []

    return opened


@needs_browser
@needs_axe
def test_the_demo_is_a_page_for_everybody(page):
    html, expected = demo_page(0)
    assert expected
    assert len(html.encode()) < 500_000
    with browser() as chrome:
        page(chrome, html)
        chrome.run(AXE.read_text(encoding="utf-8") + ";0")
        for width, scheme in ((360, "light"), (1440, "dark")):
            chrome.look_as(width, scheme)
            assert chrome.run("document.documentElement.scrollWidth") <= width
            assert chrome.run(OVERFLOW) == []
            assert chrome.run(VIOLATIONS) == []
        colours = chrome.run("getComputedStyle(document.body).backgroundColor")
        chrome.look_as(360, "light")
        assert chrome.run("getComputedStyle(document.body).backgroundColor") != colours
        assert chrome.complaints == []
        assert len(chrome.call("Page.printToPDF")["data"]) > 10_000


@needs_browser
@needs_axe
def test_what_shuts_people_out_is_found(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<!doctype html><title>t</title><main><p style='color:#eee'>pale", encoding="utf-8")
    with browser() as chrome:
        chrome.open(path)
        chrome.run(AXE.read_text(encoding="utf-8") + ";0")
        assert {found[0] for found in chrome.run(VIOLATIONS)} == {"html-has-lang", "color-contrast"}


@needs_browser
@needs_axe
def test_the_page_of_a_file_is_for_everybody(page):
    """Right, wrong, and an error whose line is endless."""
    told = Judged(
        file=pathlib.Path("a<b>.py"),
        outcomes=(
            Outcome(name="wrong", report=named("W")),
            Outcome(name="breaks", error=f"Traceback (most recent call last):\nValueError: {ENDLESS}"),
        ),
        names=(),
        without_inputs={HOSTILE: f"{HOSTILE} has no inputs"},
        classes={},
        output="",
    )
    with browser() as chrome:
        page(chrome, as_html(told))
        chrome.run(AXE.read_text(encoding="utf-8") + ";0")
        for width, scheme in VIEWS:
            chrome.look_as(width, scheme)
            assert chrome.run("document.documentElement.scrollWidth") <= width
            assert chrome.run(VIOLATIONS) == []
        assert chrome.run("Math.max(...[...document.querySelectorAll('tr')].map(e => e.offsetHeight))") < 120
        assert "worst entry" in chrome.run("document.body.innerText")
        assert chrome.run("document.querySelectorAll('script, img').length") == 0


@needs_browser
@needs_axe
@pytest.mark.parametrize("name", [HOSTILE, ENDLESS], ids=["hostile", "endless"])
def test_a_hostile_name_stays_a_name(page, name):
    """Of the layer, its parameters, and in whatever is said of them."""
    with browser() as chrome:
        page(chrome, named(name).to_html())
        chrome.run(AXE.read_text(encoding="utf-8") + ";0")
        for width, scheme in VIEWS:
            chrome.look_as(width, scheme)
            assert chrome.run("document.documentElement.scrollWidth") <= width
            assert chrome.run(VIOLATIONS) == []
        assert chrome.run("document.title").startswith("FAIL <script>")
        assert chrome.run("document.querySelectorAll('script, img').length") == 0
        assert "<script>document.title='taken'</script><img src=x" in chrome.run("document.body.innerText")


@needs_browser
def test_a_script_that_got_in_would_not_run(page, tmp_path):
    """The policy is a second wall: this page is what no escaping would look like."""
    x = np.ones(3)
    html = check_gradients(lambda a: (a**2).sum(), x, gradients=lambda a: 2 * a).to_html()
    path = tmp_path / "broken.html"
    path.write_text(html.replace("<main>", "<main><script>document.title='taken'</script>"), encoding="utf-8")
    with browser() as chrome:
        chrome.open(path)
        assert chrome.run("document.title") == "PASS gradients"
        assert chrome.complaints
