"""README and docs: every Python block runs, every text block is what it prints."""

import contextlib
import io
import json
import pathlib
import re

import pytest

from gradcheck.demo.notebook import notebook
from gradcheck.demo.pages import NOTEBOOK, WALKTHROUGH

ROOT = pathlib.Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def without_bars(text: str) -> str:
    """Error bars are of the size of round-off, which differs from one processor to another."""
    return re.sub(r"\+- \S+", "+- bar", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_run_and_print_the_text_beside_them(page):
    blocks = BLOCK.findall(page.read_text())
    assert blocks, f"{page.name} shows no code"
    scope: dict[str, object] = {}
    printed = ""
    for language, content in blocks:
        if language == "python":
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile(content, f"{page.name}", "exec"), scope)
            printed = output.getvalue()
        else:
            assert without_bars(printed).startswith(without_bars(content)), f"printed was:\n{printed}"


def test_the_notebook_is_the_page():
    """The same blocks as cells, in order, each with the text beside it as its output."""
    assert NOTEBOOK.read_text() == notebook(WALKTHROUGH.read_text()), "run: python -m gradcheck.demo.pages"
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    told = []
    for cell in cells:
        if cell["cell_type"] == "code":
            told.append(("python", "".join(cell["source"])))
            told += [("text", "".join(output["text"])) for output in cell["outputs"]]
    blocks = BLOCK.findall(WALKTHROUGH.read_text())
    assert told == [(language, content.strip("\n")) for language, content in blocks]
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_every_make_target_that_the_pages_name_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = [*PAGES, ROOT / "CONTRIBUTING.md"]
    named = {word for page in pages for word in re.findall(r"\bmake ([a-z]+)\b", page.read_text())}
    assert {"demo", "test", "lint"} <= named
    assert named - {"and", "in"} <= targets


def test_contributing_stays_short():
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) <= 50
