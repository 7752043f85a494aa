"""The command line: `gradcheck demo` and `gradcheck digits`. Exit status 0 pass, 1 fail, 2 usage."""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradcheck.version import __version__

if TYPE_CHECKING:
    from rich.console import Console

DOCUMENTS = ("shallow", "xor", "slides", "rowmajor", "squared", "beside")  # chapters of the demo

PAGED = DOCUMENTS[:-1]  # chapters of its page
DIGITS = ("scikit-learn", "mnist-sample")  # images that come with a package


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    from rich.console import Console

    try:
        return 0 if options.run(Console(highlight=False), options) else 1
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))


def _demo(console: Console, options: argparse.Namespace) -> bool:
    from gradcheck import demo

    if options.html is None:
        return demo.run(console, options.seed, options.document)
    if options.document not in (None, *PAGED):
        raise argparse.ArgumentTypeError(
            f"--html has no chapter {options.document!r}: choose one of {', '.join(PAGED)}"
        )
    try:
        return demo.write_page(console, options.html, options.seed, options.document)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"--html {options.html}: {error.strerror}") from error


def _digits(console: Console, options: argparse.Namespace) -> bool:
    from gradcheck.demo import digits
    from gradcheck.demo.digits.data import load

    try:
        data = load(options.mnist or options.data or DIGITS[0])
    except (ModuleNotFoundError, OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return digits.run(console, data, options.seeds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gradcheck", description="Judge hand-written gradients: right or wrong, where, and why."
    )
    parser.add_argument("--version", action="version", version=f"gradcheck {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="the documents' gradients by hand, by JAX and by differences")
    demo.add_argument("--document", choices=DOCUMENTS, metavar="ID", help=f"one of {', '.join(DOCUMENTS)}")
    demo.add_argument(
        "--html",
        type=pathlib.Path,
        metavar="PAGE",
        help="write it all as one page, with formulas and figures",
    )
    demo.add_argument("--seed", type=_seed, default=0, help="of the random problem and weights (default 0)")
    demo.set_defaults(run=_demo)
    digits = commands.add_parser("digits", help="30 hidden units read handwritten digits")
    # No default here: argparse would take it for what was typed, and not refuse it beside --mnist.
    images = digits.add_mutually_exclusive_group()
    images.add_argument("--data", choices=DIGITS, help=f"default {DIGITS[0]}")
    images.add_argument(
        "--mnist", type=pathlib.Path, metavar="FOLDER", help="all of MNIST, from the four IDX files there"
    )
    digits.add_argument("--seeds", type=_count, default=5, help="how many trainings (default 5)")
    digits.set_defaults(run=_digits)
    return parser


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no seed: pass a whole number from 0 on")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} trainings: pass a whole number from 1 on")
    return int(text)
