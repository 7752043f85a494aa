"""Judge hand-written gradients without setting a tolerance: right or wrong, where, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcheck.check import assert_gradients, check_gradients
    from gradcheck.claim import Claim, constant
    from gradcheck.diagnosis.evidence import Finding
    from gradcheck.errors import ClaimError, GradientMismatch, GradientUndecided
    from gradcheck.report import Report
    from gradcheck.sweeping import sweep
    from gradcheck.verdict import LeafResult, Reason, Verdict
    from gradcheck.version import __version__

__all__ = [
    "Claim",
    "ClaimError",
    "Finding",
    "GradientMismatch",
    "GradientUndecided",
    "LeafResult",
    "Reason",
    "Report",
    "Verdict",
    "__version__",
    "assert_gradients",
    "check_gradients",
    "constant",
    "sweep",
]

# Where each name is defined: imported when it is asked for, so that `import gradcheck` costs nothing.
_HOMES = {
    "assert_gradients": "check",
    "check_gradients": "check",
    "Claim": "claim",
    "constant": "claim",
    "Finding": "diagnosis.evidence",
    "ClaimError": "errors",
    "GradientMismatch": "errors",
    "GradientUndecided": "errors",
    "Report": "report",
    "LeafResult": "verdict",
    "Reason": "verdict",
    "Verdict": "verdict",
    "sweep": "sweeping",
    "__version__": "version",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
