"""Parameters over a mesh of devices: nothing is brought together, and the verdict is that of one device."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).with_name("spread_cases.py")
EIGHT = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8"}
CASES = ("right", "one entry", "differences alone", "values")
ROUNDING = 1e-14


def started(kind, cases, *distributed, **environment):
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(SCRIPT), kind, ",".join(cases), *distributed],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def reports(*running):
    said = [one.communicate(timeout=300) for one in running]
    for one, (_, err) in zip(running, said, strict=True):
        assert one.returncode == 0, err
    # What the transport says stands in other lines.
    lines = [[line for line in out.splitlines() if line.startswith("{")] for out, _ in said]
    return [{found["case"]: found["report"] for found in map(json.loads, own)} for own in lines]


def free_port():
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def on_one_device():
    return reports(started("whole", CASES))[0]


@pytest.fixture(scope="module")
def over_eight():
    return reports(started("eight", CASES, **EIGHT))[0]


@pytest.fixture(scope="module")
def over_two_processes():
    address = f"localhost:{free_port()}"
    return reports(*[started("mesh", ["one entry"], "2", str(which), address) for which in range(2)])


def same(report, expected):
    assert (report["verdict"], report["reason"]) == (expected["verdict"], expected["reason"])
    for leaf, other in zip(report["leaves"], expected["leaves"], strict=True):
        assert [leaf[key] for key in ("name", "shape", "verdict", "reason")] == [
            other[key] for key in ("name", "shape", "verdict", "reason")
        ]
        if leaf["reason"] == "MISMATCH":
            assert leaf["worst_index"] == other["worst_index"]
            for key in ("error", "claimed", "expected"):
                assert leaf[key] == pytest.approx(other[key], rel=ROUNDING / leaf["error"], abs=0)


@pytest.mark.parametrize("case", CASES)
def test_a_mesh_of_eight_devices_says_what_one_device_says(on_one_device, over_eight, case):
    same(over_eight[case], on_one_device[case])
    assert over_eight[case]["verdict"] == ("FAIL" if case == "one entry" else "PASS")


def test_two_processes_say_the_same_and_what_one_says(on_one_device, over_two_processes):
    first, second = over_two_processes
    assert first == second
    assert tuple(first) == ("one entry",)
    for case, report in first.items():
        same(report, on_one_device[case])


def test_a_wrong_entry_over_devices_is_named_and_bars_are_as_narrow(on_one_device, over_eight):
    leaf, other = (found["one entry"]["leaves"][0] for found in (over_eight, on_one_device))
    assert (leaf["name"], leaf["worst_index"]) == ("params['W1']", [7, 33])
    assert leaf["detection_limit"] == pytest.approx(other["detection_limit"], rel=0.5)
    assert "the cause, since inputs lie over several devices" in over_eight["one entry"]["not_checked"]


def test_a_mesh_with_types_and_a_rule_of_the_users_own(over_eight):
    assert over_eight["with types"]["verdict"] == "PASS"
    assert over_eight["with types"]["leaves"][0]["dtype"] == "float32"
    ruled = over_eight["with types, by its own rule"]
    assert (ruled["verdict"], ruled["leaves"][0]["worst_index"]) == ("FAIL", [7, 33])
