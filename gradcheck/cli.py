"""The command line. Exit status 0 pass, 1 fail, 2 usage, 3 undecided."""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradcheck.errors import UsageError
from gradcheck.version import __version__

if TYPE_CHECKING:
    from rich.console import Console

DOCUMENTS = ("shallow", "xor", "slides", "rowmajor", "squared", "beside")  # chapters of the demo
DIGITS = ("scikit-learn", "mnist-sample")  # images that come with a package


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    from rich.console import Console

    try:
        return options.run(Console(highlight=False), options)
    except UsageError as error:
        parser.error(str(error))


def _check(console: Console, options: argparse.Namespace) -> int:
    from gradcheck import command

    try:
        return command.run(
            console,
            options.target,
            seed=options.seed,
            seconds=options.time_limit,
            only_wrong=options.only_wrong,
            written={kind: getattr(options, kind) for kind in command.FORMATS},
        )
    except OSError as error:
        raise UsageError(str(error)) from error


def _grade(console: Console, options: argparse.Namespace) -> int:
    from gradcheck.grading import run

    try:
        if options.list:
            return run.show_exercises(console)
        if options.skeleton:
            return run.show_skeleton(console, options.skeleton)
        if options.exercise is None or options.submission is None:
            raise UsageError("pass an exercise and a file, e.g. gradcheck grade shallow mine.py; see --list")
        return run.grade_file(
            console,
            options.exercise,
            options.submission,
            points=options.points,
            seed=options.seed,
            seconds=options.time_limit,
            spoilers=not options.no_spoilers,
            gradescope=options.gradescope,
        )
    except OSError as error:
        raise UsageError(str(error)) from error


def _demo(console: Console, options: argparse.Namespace) -> int:
    from gradcheck import demo

    if options.html is None:
        return 0 if demo.run(console, options.seed, options.document) else 1
    try:
        return 0 if demo.write_page(console, options.html, options.seed, options.document) else 1
    except OSError as error:
        raise UsageError(f"--html {options.html}: {error.strerror}") from error


def _digits(console: Console, options: argparse.Namespace) -> int:
    from gradcheck.demo import digits
    from gradcheck.demo.digits.data import load

    try:
        data = load(options.mnist or options.data or DIGITS[0])
    except (ModuleNotFoundError, OSError, ValueError) as error:
        raise UsageError(str(error)) from error
    return 0 if digits.run(console, data, options.seeds) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gradcheck", description="Judge hand-written gradients: right or wrong, where, and why."
    )
    parser.add_argument("--version", action="version", version=f"gradcheck {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_check(commands)
    _add_grade(commands)
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


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = commands.add_parser("check", help="the layers, pairs and claims in a file")
    check.add_argument(
        "target", metavar="FILE.py[::NAME]", help="what to check: all of a file, or one name in it"
    )
    check.add_argument("--seed", type=_seed, default=0, help="of the probes (default 0)")
    check.add_argument(
        "--time-limit",
        type=_positive,
        default=60.0,
        metavar="S",
        help="seconds that each check may take (default 60)",
    )
    check.add_argument("--only-wrong", action="store_true", help="show what is not PASS")
    check.add_argument("--json", type=pathlib.Path, metavar="F", help="write the reports there")
    check.add_argument("--junit", type=pathlib.Path, metavar="F", help="write a test result there, as XML")
    check.add_argument("--html", type=pathlib.Path, metavar="F", help="write the reports there, as one page")
    check.set_defaults(run=_check)


def _add_grade(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    grade = commands.add_parser("grade", help="a student's file against an exercise")
    grade.add_argument("exercise", nargs="?", metavar="EXERCISE", help="one of --list")
    grade.add_argument("submission", nargs="?", type=pathlib.Path, metavar="FILE.py")
    grade.add_argument("--list", action="store_true", help="the exercises")
    grade.add_argument("--skeleton", metavar="EXERCISE", help="print the file that a student begins with")
    grade.add_argument(
        "--points", type=_positive, default=1.0, metavar="P", help="for full marks (default 1)"
    )
    grade.add_argument("--no-spoilers", action="store_true", help="cause and place, never the numbers")
    grade.add_argument("--gradescope", type=pathlib.Path, metavar="F", help="write results.json there")
    grade.add_argument("--seed", type=_seed, help="of the point (default: one that nobody foresees)")
    grade.add_argument(
        "--time-limit",
        type=_positive,
        default=10.0,
        metavar="S",
        help="seconds for the submission (default 10)",
    )
    grade.set_defaults(run=_grade)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no seed: pass a whole number from 0 on")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} trainings: pass a whole number from 1 on")
    return int(text)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: pass a number above 0, e.g. 10")
    return number
