"""The arrows between modules, and what importing costs."""

import ast
import pathlib
import subprocess
import sys

import pytest

import gradcheck

ROOT = pathlib.Path(__file__).parent.parent

# In the order of the pipeline: a module may import those before it, never one after it.
ORDER = (
    "version",
    "errors",
    "passes",
    "rounding",
    "tree",
    "spread",
    "claim",
    "complex_parts",
    "align",
    "deadline",
    "evaluator",
    "adapters.naming",
    "adapters.functions",
    "adapters.places",
    "adapters.copies",
    "adapters.binding",
    "adapters.parameters",
    "adapters.answers",
    "adapters.objects",
    "adapters.convention",
    "adapters.pair",
    "adapters.propagation",
    "adapters.op",
    "adapters.layer",
    "adapters.losses",
    "adapters.callback",
    "adapters.network",
    "adapters.slots",
    "adapters.paths",
    "adapters.jax_rules",
    "adapters.jax_modes",
    "adapters.jax_functions",
    "adapters.torch_runs",
    "adapters.torch_modules",
    "adapters.autograd_primitives",
    "adapters.frameworks",
    "adapters",
    "probes",
    "tracing",
    "tracing.leak",
    "tracing.reach",
    "tracing.stand_in",
    "tracing.locals",
    "tracing.frames",
    "tracing.twins",
    "tracing.operations",
    "tracing.in_place",
    "tracing.indexing",
    "tracing.methods",
    "tracing.substitutes",
    "tracing.lift",
    "tracing.lineage",
    "tracing.evaluate.values",
    "tracing.evaluate.dimensions",
    "tracing.evaluate.elementwise",
    "tracing.evaluate.reductions",
    "tracing.evaluate.movement",
    "tracing.evaluate.indexing",
    "tracing.evaluate.windows",
    "tracing.evaluate.linear_algebra",
    "tracing.evaluate.special",
    "tracing.evaluate.control",
    "tracing.evaluate.table",
    "tracing.evaluate.graph",
    "tracing.evaluate.plan",
    "tracing.evaluate",
    "tracing.structure",
    "tracing.programs",
    "tracing.derive",
    "tracing.flat",
    "tracing.edited",
    "tracing.branches",
    "watch",
    "oracles.base",
    "oracles.line",
    "oracles.remembered",
    "oracles.recorded",
    "oracles.pieces",
    "oracles.ladder",
    "oracles.extrapolate",
    "oracles.finite_difference",
    "oracles.xla",
    "oracles.nudges",
    "oracles.autodiff",
    "oracles.analytic",
    "oracles.complex_step",
    "oracles",
    "compare",
    "curve",
    "claimed",
    "jitter",
    "doubt",
    "locate",
    "examine",
    "blind",
    "verdict",
    "teeth",
    "steps",
    "protocol",
    "lines",
    "first_wrong",
    "diagnosis.evidence",
    "diagnosis.shapes",
    "diagnosis.ratios",
    "diagnosis.offsets",
    "diagnosis.rules",
    "diagnosis.scene",
    "diagnosis.sites",
    "diagnosis.slopes",
    "diagnosis.masks",
    "diagnosis.subsets",
    "diagnosis.paths",
    "diagnosis.operands",
    "diagnosis.sight",
    "diagnosis.search",
    "diagnosis.case",
    "diagnosis",
    "diagnosis.expressions",
    "diagnosis.ingredients",
    "diagnosis.edits",
    "diagnosis.formulas",
    "report",
    "surroundings",
    "check",
    "outcome",
    "isolation.channel",
    "isolation.loading",
    "isolation.process",
    "isolation",
    "sweeping.cases",
    "sweeping.child",
    "sweeping.worker",
    "sweeping.lines",
    "sweeping.run",
    "sweeping",
    "",
    "render.json",
    "render.visible",
    "render.terminal",
    "render.drawing",
    "render.charts",
    "render.mathml",
    "render.html",
    "render.plot",
    "render",
    "command.carriers",
    "command.discover",
    "command.child",
    "command.run",
    "command.show",
    "command.files",
    "command",
    "grading.sandbox",
    "grading.exercise",
    "grading.credit",
    "grading.judge",
    "grading.submission",
    "grading.show",
    "grading.gradescope",
    "grading.exercises",
    "grading.exercises.shallow",
    "grading.exercises.xor",
    "grading.exercises.slides",
    "grading.exercises.rowmajor",
    "grading.exercises.squared",
    "grading",
    "grading.run",
    "reference",
    "demo.agreement",
    "demo.errata",
    "demo.training",
    "demo.documents",
    "demo.show",
    "demo.digits.idx",
    "demo.digits.data",
    "demo.digits.learn",
    "demo.digits.show",
    "demo.digits",
    "demo.notebook",
    "demo.pages",
    "demo.page.own_layer",
    "demo.page.lines",
    "demo.page.misprints",
    "demo.page.look",
    "demo.page.drawings",
    "demo.page.chapters",
    "demo.page.curves",
    "demo.page",
    "demo",
    "cli",
    "__main__",
)


def module_name(path: pathlib.Path) -> str:
    parts = path.relative_to(ROOT / "gradcheck").with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(path: pathlib.Path, top_level_only: bool = False) -> set[str]:
    """Absolute names of all modules that a file imports."""
    tree = ast.parse(path.read_text())
    found: set[str] = set()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


FILES = sorted((ROOT / "gradcheck").rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path):
    position = ORDER.index(module_name(path))
    for imported in imports(path, top_level_only=True):
        name = imported.removeprefix("gradcheck").removeprefix(".")
        # A package imports its own modules, which come before it.
        if imported.startswith("gradcheck") and name in ORDER and name != module_name(path):
            assert ORDER.index(name) < position, f"{module_name(path)} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_demo_knows_manual_and_nothing_knows_properties(path):
    known = imports(path)
    assert not any(name.split(".")[0] in ("properties", "tests") for name in known)
    if not module_name(path).startswith("demo"):
        assert not any(name.split(".")[0] == "manual" for name in known)


@pytest.mark.parametrize("path", sorted((ROOT / "manual").glob("*.py")), ids=lambda path: path.name)
def test_manual_is_an_independent_witness(path):
    """Nothing but NumPy, itself and the standard library."""
    for name in imports(path):
        root = name.split(".")[0]
        assert root in ("numpy", "manual") or root in sys.stdlib_module_names, name


def test_the_reference_never_sees_the_hand_formulas():
    assert {name.split(".")[0] for name in imports(ROOT / "gradcheck" / "reference.py")} <= {
        "collections",
        "typing",
        "jax",
        "numpy",
    }


@pytest.mark.parametrize("name", ["", ".check_gradients"])
def test_importing_gradcheck_loads_numpy_and_little_more(name):
    heavy = [
        "jax",
        "scipy",
        "rich",
        "cattrs",
        "jinja2",
        "hypothesis",
        "torch",
        "subprocess",
        "concurrent.futures",
    ]
    heavy += [] if name else ["numpy"]
    code = f"import gradcheck, sys; gradcheck{name}; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_every_public_name_can_be_had_and_no_other():
    assert sorted(gradcheck._HOMES) == sorted(gradcheck.__all__)
    assert all(getattr(gradcheck, name) is not None for name in gradcheck.__all__)
    assert set(gradcheck.__all__) <= set(dir(gradcheck))
    with pytest.raises(AttributeError, match="module 'gradcheck' has no attribute 'check_gradient'"):
        _ = gradcheck.check_gradient
