"""The exceptions a user can meet; each message ends with what to type."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcheck.report import Report


class ClaimError(ValueError):
    """The call does not make a claim that can be judged: which argument, its value, what to pass."""


class UsageError(Exception):
    """A command that cannot be run as it was typed."""


class ShapeChanged(ClaimError):
    """The forward returned other shapes for other values: it has no derivative."""


class GradientMismatch(AssertionError):
    """A gradient is wrong; `report` says where and why."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report


class GradientUndecided(AssertionError):
    """No verdict could be reached; `report` says for what reason."""

    def __init__(self, report: Report) -> None:
        super().__init__(f"{report}\nPass allow_undecided=True to accept this.")
        self.report = report
