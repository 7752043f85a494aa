"""The command line: `gradcheck demo`. Exit status 0 pass, 1 fail, 2 usage."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from gradcheck.version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    from rich.console import Console

    from gradcheck import demo

    return 0 if demo.run(Console(highlight=False), options.seed) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gradcheck", description="Judge hand-written gradients: right or wrong, where, and why."
    )
    parser.add_argument("--version", action="version", version=f"gradcheck {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="the documents' gradients by hand, by JAX and by differences")
    demo.add_argument("--seed", type=_seed, default=0, help="of the random problem and weights (default 0)")
    return parser


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no seed: pass a whole number from 0 on")
    return int(text)
