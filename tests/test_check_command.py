"""`gradcheck check`: what is found in a file, what becomes of it, and how it is told."""

import json
import os
import pathlib
import pty
import re
import subprocess
import sys
import textwrap
import time
from xml.etree import ElementTree

import numpy as np
import pytest

from gradcheck import Report, Verdict, check_gradients, cli
from gradcheck.command.discover import discover
from gradcheck.isolation import process

HEAD = """
import numpy as np
from gradcheck import Claim, check_gradients

x = np.array([1.0, 2.0, 3.0])


def square_forward(x):
    return x**2, x


def square_backward(dout, cache):
    return {factor} * dout * cache


square_inputs = (x,)
"""
RIGHT, WRONG = HEAD.format(factor=2), HEAD.format(factor=3)

MIXED = (
    WRONG
    + """

class Double:
    def forward(self, x):
        return 2 * x

    def backward(self, dout):
        return 2 * dout


double = Double()
double_inputs = x
lonely = Double()
claim = Claim(name="claim", forward=np.sin, vjp=lambda v, x: v * np.cos(x), inputs=(x,), names=("x",))


def check_jump():
    return check_gradients(np.floor, np.array([1.0, 2.0]), vjp=lambda v, x: 0 * v)


def check_nothing():
    print("an own print")


def check_leaves():
    import os

    print("last words")
    os._exit(7)


def check_loops():
    while True:
        pass


def check_breaks():
    import ctypes

    ctypes.string_at(0)


def check_eats():
    raise MemoryError("all of it")


def check_argument(x):
    return None
"""
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def mixed(folder):
    """One run of a file with everything in it."""
    (folder / "mixed.py").write_text(MIXED)
    command = [sys.executable, "-m", "gradcheck", "check", str(folder / "mixed.py"), "--time-limit", "8"]
    for option, name in (("--json", "out.json"), ("--junit", "out.xml"), ("--html", "out.html")):
        command += [option, str(folder / name)]
    return subprocess.run(command, capture_output=True, text=True)


def checked(tmp_path, source, *options, name=""):
    file = tmp_path / "mine.py"
    file.write_text(textwrap.dedent(source))
    return cli.main(["check", str(file) + name, *options])


def refused(tmp_path, capsys, source, name=""):
    with pytest.raises(SystemExit) as caught:
        checked(tmp_path, source, name=name)
    assert caught.value.code == 2
    return capsys.readouterr().err


def test_the_exit_status_is_that_of_the_worst(tmp_path, mixed):
    assert mixed.returncode == 1, mixed.stderr
    assert checked(tmp_path, RIGHT) == 0
    assert checked(tmp_path, WRONG) == 1
    assert checked(tmp_path, MIXED, name="::check_jump") == 3


def test_the_worst_comes_first(mixed):
    order = re.findall(r"^mixed.py::(\w+)$", mixed.stdout, re.MULTILINE)
    assert order[0] == "square"
    assert set(order[1:6]) == {"check_nothing", "check_leaves", "check_loops", "check_breaks", "check_eats"}
    assert order[6:] == ["check_jump", "claim", "double"]
    assert "9 checks: 1 FAIL, 5 ERROR, 1 UNDECIDED, 2 PASS" in mixed.stdout
    assert "NOT CHECKED lonely has no inputs: add to the file lonely_inputs = (x,)" in mixed.stdout


def test_deaths_are_told_whole_and_cost_one_check(mixed):
    assert (
        "check_leaves left the process with exit status 7 before it was done\nan own print\nlast words\n"
        in mixed.stdout
    )
    assert "check_loops ran for more than 8 s and was ended" in mixed.stdout
    assert "MemoryError: all of it" in mixed.stdout
    assert "check_nothing() returned None: return the report of check_gradients(...)" in mixed.stdout
    if os.name == "posix":
        assert "check_breaks was ended by SIGSEGV" in mixed.stdout
        assert "in check_breaks" in mixed.stdout, "the place in the file"


def test_json_has_the_reports_to_the_last_bit(folder, mixed):
    said = json.loads((folder / "out.json").read_text())
    assert said["not_checked"].keys() == {"lonely"}
    checks = {check["name"]: check for check in said["checks"]}
    x = np.array([1.0, 2.0, 3.0])
    there = Report.from_json(json.dumps(checks["claim"]["report"]))
    here = check_gradients(np.sin, x, vjp=lambda v, x: v * np.cos(x))
    assert there.leaves == here.leaves
    assert checks["square"]["verdict"] == "FAIL"
    assert checks["check_eats"]["report"] is None
    assert "MemoryError" in checks["check_eats"]["error"]


def test_a_page_has_every_check_and_what_killed_it(folder, mixed):
    page = (folder / "out.html").read_text()
    checks = json.loads((folder / "out.json").read_text())["checks"]
    assert [f"<bdi>{check['name']}</bdi>" in page for check in checks] == [True] * len(checks)
    assert "Fatal Python error" in page
    assert "lonely has no inputs" in page
    for check in checks:
        told = check["report"] and check["report"]["findings"]
        assert all(f"<dt>likely</dt><dd><bdi>{finding['message']}" in page for finding in told or ())
    assert page.count("Every gradient of") == sum(check["report"] is not None for check in checks)
    assert "<script" not in page


def test_junit_can_be_read_back_and_hides_nothing_as_skipped(folder, mixed):
    suite = ElementTree.fromstring((folder / "out.xml").read_text())[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("9", "1", "6")
    tags = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert tags["square"] == ["failure"]
    assert tags["check_jump"] == tags["check_loops"] == ["error"]
    assert tags["double"] == tags["claim"] == []
    failure = suite.find("testcase[@name='square']/failure")
    assert failure is not None
    assert failure.get("message") == "FAIL  square_backward: the gradient of x is wrong"
    assert "expected" in (failure.text or "")


def test_characters_that_xml_cannot_hold_are_left_out(tmp_path):
    source = "def check_it():\n    raise ValueError('\\x1b[31mred\\x00 <&> \\ud800\\nmore')\n"
    assert checked(tmp_path, source, "--junit", str(tmp_path / "o.xml")) == 1
    error = ElementTree.fromstring((tmp_path / "o.xml").read_text()).find(".//error")
    assert error is not None
    assert (error.get("message") or "").startswith("ValueError: ?[31mred? <&>")


def test_only_wrong_leaves_out_what_passes(tmp_path, capsys):
    source = (
        WRONG
        + "\n\ndef check_sine():\n    return check_gradients(np.sin, x, vjp=lambda v, x: v * np.cos(x))\n"
    )
    assert checked(tmp_path, source, "--only-wrong") == 1
    out = capsys.readouterr().out
    assert "::square" in out
    assert "::check_sine" not in out
    assert "2 checks: 1 FAIL, 1 PASS" in out


def test_the_seed_is_handed_on(tmp_path, capsys):
    checked(tmp_path, RIGHT, "--seed", "41")
    assert "seed 41" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_an_error_with_its_traceback(tmp_path, capsys):
    assert checked(tmp_path, "x = 1\nx +\n") == 1
    assert "SyntaxError: invalid syntax" in capsys.readouterr().out
    assert checked(tmp_path, "import sys\nsys.exit(0)\n") == 1
    assert "mine.py left the process with exit status 0 before it was done" in capsys.readouterr().out


def test_a_neighbour_can_be_imported_and_its_functions_are_not_checked_here(tmp_path, capsys):
    (tmp_path / "neighbour.py").write_text("def check_other():\n    return None\n")
    assert checked(tmp_path, "from neighbour import check_other\n" + RIGHT) == 0
    assert "1 check: 1 PASS" in capsys.readouterr().out


def test_nothing_found_says_what_to_type(tmp_path, capsys):
    layer = "class Dense:\n    def forward(self, x): return x\n    def backward(self, d): return d\n"
    complaint = refused(tmp_path, capsys, layer)
    assert "Dense is a class: add to the file dense = Dense(...) and dense_inputs = (x,)" in complaint
    assert "Dense is a class" in refused(tmp_path, capsys, RIGHT + layer, name="::Dense")
    assert "add a function check_mine() that returns check_gradients(...)" in refused(
        tmp_path, capsys, "x = 1"
    )
    assert "mine.py has no 'cube' to check: it has square" in refused(tmp_path, capsys, RIGHT, name="::cube")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["check", "no.py"], "'no.py' is no Python file"),
        (["check", "README.md"], "'README.md' is no Python file: pass FILE.py"),
        (["check", "x.py", "--time-limit", "0"], "'0': pass a number above 0, e.g. 10"),
        (["check", "x.py", "--seed", "-1"], "'-1' is no seed"),
    ],
)
def test_wrong_usage_exits_with_2(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_place_that_cannot_be_written_to_is_usage(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        checked(tmp_path, "1 / 0", "--json", str(tmp_path / "no" / "folder.json"))
    assert caught.value.code == 2
    told = capsys.readouterr()
    assert f"folder.json: there is no folder {tmp_path / 'no'}" in told.err.replace("\n", "")
    assert "ZeroDivisionError" not in told.out, "it is told before any work"


def in_terminal(command, **environment):
    """What a terminal receives."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, env=os.environ | environment) as running:
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 4096):
                parts.append(part)
        except OSError:  # how a terminal says that nobody writes to it any more
            pass
        os.close(ours)
        running.wait()
    return b"".join(parts).decode()


@pytest.mark.skipif(os.name != "posix", reason="there are no pseudo-terminals here")
def test_a_terminal_has_colour_and_progress_unless_it_asks_for_none(tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    (tmp_path / "mine.py").write_text(WRONG)
    command = [sys.executable, "-m", "gradcheck", "check", str(tmp_path / "mine.py")]
    coloured, plain = in_terminal(command), in_terminal(command, NO_COLOR="1")
    red = "\x1b[1;31mFAIL"
    assert red in coloured
    assert "checking square (1 of 1)" in coloured
    assert red not in plain
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", plain)


def test_what_is_no_terminal_gets_text_alone(mixed):
    assert "\x1b" not in mixed.stdout
    assert "checking" not in mixed.stdout


def test_rules_of_discovery():
    """In one module, without a process."""
    module = type(sys)("mine")
    source = MIXED.replace("def check_argument", "def _check_hidden(): ...\n\n\ndef check_argument")
    exec(source, vars(module))
    found = discover(module)
    assert {"square", "double", "claim", "check_jump"} <= found.checks.keys()
    assert not {"check_argument", "_check_hidden", "lonely", "check_gradients"} & found.checks.keys()
    assert found.without_inputs.keys() == {"lonely"}
    assert found.classes.keys() == {"Double"}
    assert found.checks["square"](0).verdict is Verdict.FAIL


OPS = """
import numpy as np

x = np.array([1.0, 2.0, 3.0])


class Square:
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, dout):
        (x,) = ctx.saved_tensors
        return {factor} * x * dout


Square_inputs = (x,)


def total(x):
    return np.sum(x**2)


def total_gradient(x):
    return {factor} * x


total_inputs = x


def cube(x):
    return x**3


def cube_vjp(cotangent, x):
    return (1 + {factor}) * cotangent * x**2


cube_inputs = x


def backward_inside(x):
    return x**2, lambda dout: {factor} * x * dout


backward_inside_inputs = x
"""
JAX = """
import jax
import jax.numpy as jnp

x = jnp.array([0.5, 1.0, -2.0])


@jax.custom_vjp
def sine(x):
    return jnp.sin(x)


sine.defvjp(lambda x: (jnp.sin(x), x), lambda x, v: ({factor} / 2 * v * jnp.cos(x),))
sine_inputs = x


@jax.jit
@jax.custom_jvp
def square(x):
    return x**2


@square.__wrapped__.defjvp
def square_jvp(primals, tangents):
    return primals[0] ** 2, {factor} * primals[0] * tangents[0]


square_inputs = (x,)


def loss(x):
    return jnp.sum(x**2)


def grad_loss(x):
    return {factor} * x


loss_inputs = (x,)


def through(x):
    return jnp.sum(sine(x) ** 2)


through_inputs = (x,)


@jax.custom_vjp
def lonely(x):
    return x
"""
TORCH = """
import torch

x = torch.tensor([[0.5, 1.0, -2.0], [0.1, -0.3, 0.7]], dtype=torch.float64)


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, dout):
        (x,) = ctx.saved_tensors
        return {factor} * x * dout


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 2, dtype=torch.float64)

    def forward(self, x):
        return Square.apply(self.linear(x))


class Unmade(Net):
    pass


net = Net()
pool = torch.nn.ReLU()
inputs = x
"""


def found_in(tmp_path, capsys, source):
    """Name and verdict of every check in a file, and what else the command says."""
    status = checked(tmp_path, source)
    out = capsys.readouterr().out
    verdicts = dict(re.findall(r"^mine.py::(\w+)\n(\w+)", out, re.MULTILINE))
    assert status == (0 if set(verdicts.values()) == {"PASS"} else 1)
    return verdicts, out


@pytest.mark.parametrize(("factor", "verdict"), [(2, "PASS"), (3, "FAIL")])
@pytest.mark.parametrize(
    ("source", "names"),
    [
        (OPS, {"Square", "total", "cube", "backward_inside"}),
        (JAX, {"sine", "square", "loss", "through"}),
        (TORCH, {"Square", "net"}),
    ],
    ids=["ops", "jax", "torch"],
)
def test_what_carries_a_gradient_is_found_and_judged(source, names, factor, verdict, tmp_path, capsys):
    if source is TORCH:
        pytest.importorskip("torch")
    verdicts, out = found_in(tmp_path, capsys, source.format(factor=factor))
    assert verdicts == dict.fromkeys(names, verdict)
    assert ("NOT CHECKED lonely has no inputs: add to the file lonely_inputs = (x,)" in out) == (
        source is JAX
    )


def test_a_module_that_nobody_made_is_told_so(tmp_path, capsys):
    pytest.importorskip("torch")
    told = refused(tmp_path, capsys, TORCH.format(factor=2), name="::Unmade")
    assert "Unmade is a class: add to the file unmade = Unmade(...) and unmade_inputs = (x,)" in told


def test_no_function_is_taken_for_a_gradient_by_its_name_alone(tmp_path, capsys):
    """The derivative of the sigmoid, by the sigmoid: a right function that is no gradient of `sigmoid`."""
    source = (
        RIGHT
        + """
inputs = (x,)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_gradient(a):
    return a * (1 - a)
"""
    )
    assert found_in(tmp_path, capsys, source)[0] == {"square": "PASS"}


def test_a_function_without_a_gradient_says_what_to_call_it(tmp_path, capsys):
    source = "import numpy as np\n\n\ndef sine(x):\n    return np.sin(x)\n\n\nsine_inputs = np.ones(3)\n"
    verdicts, out = found_in(tmp_path, capsys, source)
    assert verdicts == {"sine": "ERROR"}
    assert "ClaimError: sine comes without a gradient to check" in out
    assert "in a file it is called sine_gradient(*inputs), or sine_vjp(cotangent, *inputs)" in out
    assert "Traceback" not in out, "no line of the user's is in it"


def test_a_traceback_begins_in_the_users_file(tmp_path, capsys):
    source = RIGHT.replace("return x**2, x", "return x**2 + nothing, x")
    checked(tmp_path, source)
    traceback = capsys.readouterr().out.partition("Traceback")[2].splitlines()
    assert "mine.py" in traceback[1]
    assert "in square_forward" in traceback[1]


def test_who_asks_for_one_check_hears_of_no_other(tmp_path, capsys):
    checked(tmp_path, MIXED, name="::claim")
    assert "lonely" not in capsys.readouterr().out


def test_a_name_moves_no_cursor(tmp_path, capsys):
    """In a report, in an error and in what is printed."""
    source = (
        RIGHT
        + """
EVIL = "x\\x1b[31m\\u202e"


def check_report():
    return check_gradients(np.sin, x, vjp=lambda v, x: v * np.cos(x), names=(EVIL,))


def check_error():
    print(EVIL)
    raise ValueError(EVIL)
"""
    )
    assert checked(tmp_path, source) == 1
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "\u202e" not in told
    escaped = r"x\x1b[31m\u202e"
    assert f"the gradient of {escaped} is right" in told
    assert f"ValueError: {escaped}\n" in told
    assert f"printed by mine.py:\n{escaped}\n" in told


def child(code):
    return process.Child([sys.executable, "-u", "-c", textwrap.dedent(code)])


def test_megabytes_of_output_are_read_and_their_ends_kept():
    with child(
        "print('first', file=__import__('sys').stderr)\nimport os\n"
        "for _ in range(300): os.write(2, b'x' * 10000)\nos.write(2, b'last'); os._exit(3)"
    ) as running:
        with pytest.raises(process.Ended, match="exit status 3"):
            running.receive(60)
        assert running.output.startswith("first\n")
        assert running.output.endswith("last")
        assert "bytes left out" in running.output
        assert len(running.output) < 3 * process.KEPT


def test_what_is_no_message_ends_the_child():
    with (
        child("print('hello'); import time; time.sleep(100)") as running,
        pytest.raises(process.Ended, match="wrote into the channel"),
    ):
        running.receive(60)


def test_a_flood_of_messages_is_not_taken_in():
    with child("while True: print('{}')") as running:
        assert running.receive(60) == {}


@pytest.mark.skipif(os.name != "posix", reason="there are no sessions here")
def test_what_the_child_has_started_ends_with_it(tmp_path):
    mark = tmp_path / "pid"
    code = f"""
    import os, time
    if os.fork() == 0:
        open({str(mark)!r}, "w").write(str(os.getpid()))
    time.sleep(1000)
    """
    with child(code) as running, pytest.raises(process.Ended, match="more than 2 s"):
        running.receive(2)
    until = time.monotonic() + 60  # a killed process ends when the machine next lets it run
    while alive(int(mark.read_text())):
        assert time.monotonic() < until, "it goes on"
        time.sleep(0.01)


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
