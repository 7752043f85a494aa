"""The same outcomes elsewhere: JSON, the XML of JUnit that continuous integration reads, and a page."""

from __future__ import annotations

import json
import math
import re
from xml.etree import ElementTree

from gradcheck.command.run import Judged
from gradcheck.outcome import Outcome
from gradcheck.render.html import page
from gradcheck.verdict import Verdict

NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_json(judged: Judged) -> str:
    """{"file", "output", "checks": [{"name", "verdict", "error", "report"}], "not_checked": why, by name}.

    `Report.from_json` reads a report.
    """
    checks = [outcome.as_dict() for outcome in judged.outcomes]
    said = {"file": str(judged.file), "output": judged.output, "checks": checks}
    return json.dumps(said | {"not_checked": judged.without_inputs}, indent=2) + "\n"


def as_html(judged: Judged) -> str:
    """One self-contained page, worst first."""
    return page("checks.html", judged=judged)


def as_junit(judged: Judged) -> str:
    """A test case a check: FAIL is a failure, UNDECIDED or no verdict an error; nothing is skipped."""
    suite = ElementTree.Element("testsuite", name=str(judged.file), tests=str(len(judged.outcomes)))
    tags = [_add_case(suite, judged, outcome) for outcome in judged.outcomes]
    suite.set("failures", str(tags.count("failure")))
    suite.set("errors", str(tags.count("error")))
    if judged.output:
        ElementTree.SubElement(suite, "system-out").text = _clean(judged.output)
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _add_case(suite: ElementTree.Element, judged: Judged, outcome: Outcome) -> str:
    """The test case of one outcome; the tag that says what is wrong with it, empty for PASS."""
    case = ElementTree.SubElement(suite, "testcase", classname=judged.file.stem, name=outcome.name)
    if math.isfinite(outcome.seconds):
        case.set("time", f"{outcome.seconds:.3f}")
    if outcome.verdict == Verdict.PASS.value:
        return ""
    tag = "failure" if outcome.verdict == Verdict.FAIL.value else "error"
    text = _clean(outcome.error if outcome.report is None else str(outcome.report))
    ElementTree.SubElement(case, tag, type=outcome.verdict, message=_message(text)).text = text
    return tag


def _message(text: str) -> str:
    """The first line; of a traceback the line that names the exception, the first one after its frames."""
    lines = text.strip().rpartition("Traceback (most recent call last):\n")[2].splitlines()
    return next((line for line in lines if not line.startswith(" ")), lines[0])


def _clean(text: str) -> str:
    """Without the characters that XML has no way to write, such as the escapes of a coloured traceback."""
    return NOT_IN_XML.sub("?", text)
