"""`gradcheck.sweep`: many checks over any executor, whatever becomes of one of them."""

import functools
import io
import json
import math
import multiprocessing
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace

import pytest

from gradcheck import ClaimError, sweep
from gradcheck.sweeping import worker
from tests.sweep_cases import (
    HANGING,
    LAYERS,
    LIMIT,
    MIXED,
    VERDICTS,
    Dense,
    MeanInBias,
    claim,
    counted,
    dense,
    ends_its_worker_once,
    hangs_once,
    ones,
)

ROOT = pathlib.Path(__file__).parent.parent
SPAWN = multiprocessing.get_context("spawn")  # JAX, which other tests load, does not like forks


def verdicts(outcomes):
    return {outcome.name: outcome.verdict for outcome in outcomes}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The file of a sweep over everything that a case can come to, by this machine's own cores."""
    path = tmp_path_factory.mktemp("sweep") / "lines.jsonl"
    assert verdicts(sweep(MIXED, to=path)) == VERDICTS
    return path


@pytest.fixture(scope="module")
def hung(tmp_path_factory):
    """The file of a sweep of which one case never ends."""
    path = tmp_path_factory.mktemp("sweep") / "lines.jsonl"
    outcomes = sweep(HANGING, to=path, time_limit=LIMIT)
    assert verdicts(outcomes) == {"sleeps": "ERROR", "raises": "ERROR", "without JAX": "PASS"}
    assert outcomes[0].error == "sleeps ran for more than 5 s and was ended"
    return path


def assert_same_bytes(executor, folder, written, hung):
    sweep(MIXED, executor, to=folder / "lines")
    sweep(HANGING, executor, to=folder / "hung", time_limit=LIMIT)
    assert (folder / "lines").read_bytes() == written.read_bytes()
    assert (folder / "hung").read_bytes() == hung.read_bytes()


def test_an_outcome_is_the_report_or_what_came_of_the_case(written):
    outcomes = {outcome.name: outcome for outcome in sweep(MIXED, to=written)}
    for name, layer in (("Dense (4, 2) seed 1", Dense), ("MeanInBias (4, 2) seed 1", MeanInBias)):
        found = outcomes[name].report
        assert found is not None
        here = dense(layer, (4, 2), 1)
        assert found == replace(here, versions=found.versions)  # more may have been imported here
    assert outcomes["raises"].error.endswith("RuntimeError: no such data set\n")
    assert outcomes["leaves"].error == "leaves left the process with exit status 1 before it was done"
    assert "the case returned 7: return the report of check_gradients(...)" in outcomes["no report"].error


def test_two_processes_write_the_same_bytes(written, hung, tmp_path):
    with ProcessPoolExecutor(2, mp_context=SPAWN) as executor:
        assert_same_bytes(executor, tmp_path, written, hung)


@pytest.mark.parametrize(("workers", "chunksize"), [(1, 4), (2, 2)])
def test_so_do_threads_in_any_number_and_cases_that_share_a_process(written, workers, chunksize):
    file, heard = io.StringIO(), []
    with ThreadPoolExecutor(workers) as executor:
        outcomes = sweep(MIXED, executor, to=file, chunksize=chunksize, progress=heard.append)
    assert verdicts(outcomes) == VERDICTS
    assert sorted(file.getvalue().splitlines()) == sorted(written.read_text().splitlines())
    counts, told = zip(*(line.split(": ") for line in heard), strict=True)
    assert counts == tuple(f"{done} of 9" for done in range(1, 10))
    assert sorted(told) == sorted(f"{name} {VERDICTS[name]}" for name in MIXED)


def test_loky_writes_the_same_bytes(written, hung, tmp_path):
    loky = pytest.importorskip("loky")
    executor = loky.get_reusable_executor(max_workers=2)
    assert_same_bytes(executor, tmp_path, written, hung)
    executor.shutdown(wait=True)


def test_a_dask_cluster_writes_the_same_bytes_and_outlives_its_workers(written, hung, tmp_path):
    distributed = pytest.importorskip("distributed")
    ends = functools.partial(ends_its_worker_once, tmp_path / "ended")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert_same_bytes(client.get_executor(), tmp_path, written, hung)
        (outcome,) = sweep({"ends its worker": ends}, client.get_executor())
    assert outcome.verdict == "PASS"


def test_what_a_broken_pool_loses_is_run_here(tmp_path):
    ends = {"ends its worker": functools.partial(ends_its_worker_once, tmp_path / "ended")}
    with (
        ProcessPoolExecutor(1, mp_context=SPAWN) as executor,
        pytest.warns(RuntimeWarning, match=r"the executor lost cases \(BrokenProcessPool: "),
    ):
        outcomes = sweep(ends | LAYERS, executor)
    assert (tmp_path / "ended").exists()
    assert verdicts(outcomes) == {"ends its worker": "PASS", **{name: VERDICTS[name] for name in LAYERS}}


class Broken(Executor):
    def submit(self, *_, **__):
        raise BrokenExecutor("over")


def test_an_executor_that_takes_nothing_any_more_is_done_without():
    with pytest.warns(
        RuntimeWarning, match=r"lost cases \(BrokenExecutor: over\): they are run in this machine"
    ):
        outcomes = sweep({"claim": claim(), "wrong": functools.partial(claim, ones)}, Broken(), chunksize=2)
    assert verdicts(outcomes) == {"claim": "PASS", "wrong": "FAIL"}


def test_a_process_that_cannot_start_is_no_verdict(monkeypatch):
    monkeypatch.setattr(worker, "COMMAND", (sys.executable, "-c", "raise SystemExit('no gradcheck here')"))
    with pytest.raises(RuntimeError, match=r"a case left .* status 1 .*\nno gradcheck here"):
        sweep({"claim": claim()})


def test_what_is_not_begun_is_not_run_after_an_interruption(tmp_path):
    def interrupt(told):
        raise KeyboardInterrupt(told)

    cases = {f"case {number}": functools.partial(counted, tmp_path, Dense) for number in range(9)}
    with ThreadPoolExecutor(1) as executor, pytest.raises(KeyboardInterrupt, match="1 of 9: case 0 PASS"):
        sweep(cases, executor, to=tmp_path / "lines", progress=interrupt)
    assert len(list(tmp_path.glob("Dense-*"))) <= 3
    assert (tmp_path / "lines").read_text().count("\n") == 1


KILLED = """
import sys
from tests.test_sweep import interrupted
from gradcheck import sweep

sweep(interrupted(sys.argv[1]), to=sys.argv[2], time_limit=10)
"""


def interrupted(folder):
    return {
        "right": functools.partial(counted, folder, Dense),
        "hangs": functools.partial(hangs_once, folder),
        "wrong": functools.partial(counted, folder, MeanInBias),
    }


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_alive(number):
    status = pathlib.Path(f"/proc/{number}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_sweep_that_is_killed_goes_on_where_it_was(tmp_path):
    path, number = tmp_path / "lines", tmp_path / "number"
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(path)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        wait_until(lambda: number.exists() and path.exists() and path.read_bytes().count(b"\n") >= 1)
        process.send_signal(signal.SIGKILL)
    path.write_bytes(path.read_bytes() + b'{"name": "wro')
    done = {json.loads(line)["name"] for line in path.read_text().splitlines()[:-1]}

    assert verdicts(sweep(interrupted(tmp_path), to=path)) == {
        "right": "PASS",
        "hangs": "PASS",
        "wrong": "FAIL",
    }
    assert done
    assert "hangs" not in done
    if "right" in done:
        assert len(list(tmp_path.glob("Dense-*"))) == 1
    if "wrong" in done:
        assert len(list(tmp_path.glob("MeanInBias-*"))) == 1
    sweep(interrupted(tmp_path), to=tmp_path / "at once", chunksize=3)
    assert path.read_bytes() == (tmp_path / "at once").read_bytes()
    wait_until(lambda: not is_alive(number.read_text()))  # the process that hung does not stay behind


def test_lines_of_other_cases_stay_behind_those_asked_for(tmp_path, written):
    path = tmp_path / "lines"
    path.write_bytes(written.read_bytes())
    asked = {name: MIXED[name] for name in ("raises", "claim")}
    assert list(verdicts(sweep(asked, to=path))) == ["raises", "claim"]
    lines = path.read_text().splitlines()
    assert [json.loads(line)["name"] for line in lines[:2]] == ["raises", "claim"]
    assert sorted(lines) == sorted(written.read_text().splitlines())
    sweep(MIXED, to=path)
    assert path.read_bytes() == written.read_bytes()


def script_of(page):
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return "".join(blocks)


def run_script(folder, text):
    (folder / "script.py").write_text(text)
    places = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places)}
    command = [sys.executable, "script.py"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_script_on_the_page_prints_what_stands_below_it(tmp_path):
    page = ROOT / "docs" / "sweeps.md"
    shown = re.findall(r"^    ((?:PASS|FAIL) .*\n)", page.read_text(), re.MULTILINE)
    assert run_script(tmp_path, script_of(page)) == "".join(shown)


def test_a_script_without_its_guard_is_told_so(tmp_path):
    script = """
        import gradcheck

        def case():
            return 0

        for outcome in gradcheck.sweep({"case": case}):
            print(outcome.error)
    """
    told = run_script(tmp_path, re.sub(r"^ {8}", "", script, flags=re.MULTILINE))
    assert told.count("Traceback") == 1
    assert 'put the call below `if __name__ == "__main__":`' in told


@pytest.mark.parametrize(
    ("claims", "options", "message"),
    [
        ([1], {}, r"claims=\[1\] names no check: pass a dictionary {name: claim, ...}"),
        ({}, {}, "claims={} names no check"),
        ({1: dense}, {}, "1 is no name of a case: pass text, e.g. '1'"),
        ({"a": 3}, {}, r"claims\['a'\] is 3: pass a Claim, or what returns one or a Report"),
        ({"a": lambda: 3}, {}, r"claims\['a'\] cannot go to another process \(.*functools.partial"),
        ({"a": dense}, {"executor": 2}, "executor=2 has no submit: pass an executor of concurrent.futures"),
        (
            {"a": dense},
            {"time_limit": 0},
            "time_limit=0 is no time for a case: pass seconds above 0, e.g. 60",
        ),
        ({"a": dense}, {"time_limit": math.inf}, "time_limit=inf is no time for a case"),
        ({"a": dense}, {"chunksize": 0}, "chunksize=0 is no number of cases: pass a whole number from 1 on"),
    ],
)
def test_what_cannot_be_swept_is_said_before_anything_runs(claims, options, message):
    with pytest.raises(ClaimError, match=message):
        sweep(claims, **options)


def test_what_was_typed_at_a_prompt_is_refused():
    code = """
        from gradcheck import ClaimError, sweep

        def case():
            return 0

        try:
            sweep({"a": case})
        except ClaimError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", re.sub(r"^ {8}", "", code, flags=re.MULTILINE)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (
        "claims['a'] is defined at a prompt or in a notebook, not in a file: pass a function" in done.stdout
    )


@pytest.mark.parametrize("content", ["notes\n", "notes", '{"name": "a"}\nnotes', "[1]\n", '{"name": "a"}\n'])
def test_a_file_of_something_else_is_left_as_it_is(tmp_path, content):
    path = tmp_path / "notes"
    path.write_text(content)
    with pytest.raises(ClaimError, match="which is no line of a sweep: pass another path"):
        sweep(LAYERS, to=path)
    assert path.read_text() == content
