"""A jaxpr evaluated by NumPy, primitive by primitive, in the arithmetic one asks for."""

from gradcheck.tracing.evaluate.plan import Plan, compiled
from gradcheck.tracing.evaluate.values import UnsupportedPrimitive

__all__ = ["Plan", "UnsupportedPrimitive", "compiled"]
