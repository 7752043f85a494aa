"""Judge hand-written gradients without setting a tolerance: right or wrong, where, and why."""

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
