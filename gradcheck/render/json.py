"""A report as JSON and back, equal to the last bit.

Floats are written with all their digits, and those that JSON has no numbers for as the strings
"nan", "inf" and "-inf".
"""

from __future__ import annotations

import json
import math
from typing import Any

from cattrs import Converter
from cattrs.preconf.json import configure_converter

from gradcheck.report import Report


def to_json(report: Report) -> str:
    """The whole report, two spaces an indent, in strict JSON."""
    return json.dumps(_converter().unstructure(report), indent=2, allow_nan=False)


def from_json(text: str) -> Report:
    """The report that `to_json` wrote."""
    return _converter().structure(json.loads(text), Report)


def _converter() -> Converter:
    converter = Converter()
    configure_converter(converter)
    converter.register_unstructure_hook(float, _write_float)
    converter.register_structure_hook(float, lambda value, _: float(value))
    return converter


def _write_float(value: float) -> Any:
    return value if math.isfinite(value) else str(value)
