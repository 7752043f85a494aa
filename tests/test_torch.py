"""torch: right Functions and Modules pass, wrong ones fail at their leaf, the user's world stays as it is."""

import subprocess
import sys

import numpy as np
import pytest

from gradcheck import ClaimError, Reason, Verdict, check_gradients, constant

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gradcheck[torch]'")
torch.set_num_threads(1)  # on a busy machine several wait for each other longer than they work


@pytest.fixture(autouse=True)
def same_numbers():
    torch.manual_seed(5)


def verdicts(report):
    return {leaf.name: leaf.verdict.name for leaf in report.leaves}


class Affine(torch.autograd.Function):
    """x w + b, whose backward a subclass may spoil."""

    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return x @ w + b

    @staticmethod
    def backward(ctx, u):
        x, w = ctx.saved_tensors
        return u @ w.T, x.T @ u, u.sum(0)


def but(**wrong):
    """Affine with some wrong gradients, each made from ctx, u and the right one."""

    def backward(ctx, u):
        right = dict(zip("xwb", Affine.backward(ctx, u), strict=True))
        return tuple(wrong[name](ctx, u, g) if name in wrong else g for name, g in right.items())

    return type("Affine", (Affine,), {"backward": staticmethod(backward)})


def affine_inputs():
    return torch.randn(5, 3), torch.randn(3, 4), torch.randn(4)


def test_a_right_function_passes_and_says_why_autodiff_does_not_judge_it():
    report = check_gradients(Affine, *affine_inputs())
    assert verdicts(report) == {"x": "PASS", "w": "PASS", "b": "PASS"}
    assert str(report).startswith("PASS  Affine.backward")
    assert report.sensitivity == 1e-6
    autodiff, differences = report.oracles
    assert autodiff.why_not.startswith("torch keeps a record of its own, which JAX cannot differentiate")
    assert differences.agrees_with_claim


@pytest.mark.parametrize(
    ("leaf", "wrong", "code"),
    [
        ("x", lambda ctx, u, g: -g, "sign"),
        ("w", lambda ctx, u, g: 2 * g, "factor"),
        ("b", lambda ctx, u, g: None, "zero"),
        ("b", lambda ctx, u, g: u[0], None),
        ("b", lambda ctx, u, g: u.mean(0), "factor"),
        ("w", lambda ctx, u, g: g * (1 + 1e-6), None),
    ],
    ids=["sign", "factor", "none", "first row", "mean", "a part in a million"],
)
def test_a_wrong_function_fails_at_its_leaf(leaf, wrong, code):
    report = check_gradients(but(**{leaf: wrong}), *affine_inputs())
    assert verdicts(report) == {name: "FAIL" if name == leaf else "PASS" for name in "xwb"}
    if code:
        assert report.findings[0].code in (code, "mean-for-sum")


def test_a_transposed_gradient_that_torch_refuses_fails():
    report = check_gradients(but(w=lambda ctx, u, g: g.T), *affine_inputs())
    assert report.reason is Reason.SHAPE
    assert verdicts(report) == {"x": "PASS", "w": "FAIL", "b": "PASS"}


def test_what_torch_sums_by_itself_is_right_also_beside_what_it_refuses():
    assert check_gradients(but(b=lambda ctx, u, g: u), *affine_inputs())
    report = check_gradients(but(b=lambda ctx, u, g: u, w=lambda ctx, u, g: g.T), *affine_inputs())
    assert verdicts(report) == {"x": "PASS", "w": "FAIL", "b": "PASS"}


def test_a_gradient_that_is_given_only_beside_another_fails():
    forgetful = but(w=lambda ctx, u, g: g if ctx.needs_input_grad[0] else None)
    report = check_gradients(forgetful, *affine_inputs())
    assert verdicts(report) == {
        **{"x": "PASS", "w": "PASS", "b": "PASS"},
        **{"lone x": "PASS", "lone w": "FAIL", "lone b": "PASS"},
    }


def test_too_few_gradients_are_a_misuse_as_everywhere():
    few = type("Few", (Affine,), {"backward": staticmethod(lambda ctx, u: Affine.backward(ctx, u)[:2])})
    with pytest.raises(ClaimError, match=r"Few.backward returned 2 gradients for 3 inputs \(x, w, b\)"):
        check_gradients(few, *affine_inputs())


class Doubled(torch.autograd.Function):
    """sin(2x), but it doubles the user's x."""

    @staticmethod
    def forward(ctx, x):
        x.mul_(2)
        ctx.save_for_backward(x.clone())
        return torch.sin(x)

    @staticmethod
    def backward(ctx, u):
        (x,) = ctx.saved_tensors
        return 2 * u * torch.cos(x)


class DoubledInPlace(torch.autograd.Function):
    """2x in place, as announced."""

    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    @staticmethod
    def backward(ctx, u):
        return 2 * u


def test_a_function_that_writes_into_its_input_fails_unless_that_is_what_it_does():
    x = torch.randn(3)
    before = x.clone()
    report = check_gradients(Doubled, x)
    assert report.verdict is Verdict.FAIL
    assert [finding.code for finding in report.findings] == ["mutates"]
    assert check_gradients(DoubledInPlace, x)
    assert torch.equal(x, before)


class Power(torch.autograd.Function):
    """x ** n, with its context set up apart."""

    @staticmethod
    def forward(x, n):
        return x**n

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])
        ctx.n = inputs[1]

    @staticmethod
    def backward(ctx, u):
        (x,) = ctx.saved_tensors
        return ctx.n * x ** (ctx.n - 1) * u, None


def test_static_arguments_and_a_context_of_its_own():
    assert verdicts(check_gradients(Power, torch.rand(4) + 1, 3)) == {"x": "PASS"}
    assert verdicts(check_gradients(Power, torch.rand(4) + 1, constant(2.5))) == {"x": "PASS"}


def network():
    return torch.nn.Sequential(
        torch.nn.Linear(3, 4),
        torch.nn.BatchNorm1d(4),
        torch.nn.Tanh(),
        torch.nn.Dropout(0.5),
        torch.nn.Linear(4, 2),
    )


def test_a_module_is_judged_by_all_its_parameters_and_nothing_of_it_changes():
    module, x = network(), torch.randn(6, 3)
    module(x).sum().backward()
    state = {name: value.clone() for name, value in module.state_dict().items()}
    gradients = [parameter.grad.clone() for parameter in module.parameters()]
    random, given = torch.get_rng_state(), x.clone()
    report = check_gradients(module, x)
    assert verdicts(report) == dict.fromkeys(
        ("input", "0.weight", "0.bias", "1.weight", "1.bias", "4.weight", "4.bias"), "PASS"
    )
    assert report.leaves[0].dtype == "float32"
    assert report.sensitivity == 1e-6, "evaluated in double"
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
    assert all(torch.equal(p.grad, g) for p, g in zip(module.parameters(), gradients, strict=True))
    assert all(p.dtype == torch.float32 for p in module.parameters())
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.equal(x, given)
    assert module.training
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() == torch.float32


def test_an_evaluated_module_is_judged_as_such():
    module = network().eval()
    with torch.no_grad():
        assert check_gradients(module, torch.randn(6, 3))
        assert not torch.is_grad_enabled()
    assert not module.training


class Scaled(torch.nn.Module):
    """A module with one wrong operation in it."""

    def __init__(self, op):
        super().__init__()
        self.op = op
        self.w, self.b = torch.nn.Parameter(torch.randn(3, 4)), torch.nn.Parameter(torch.randn(4))
        self.frozen = torch.nn.Parameter(torch.randn(4), requires_grad=False)

    def forward(self, x):
        self.last = torch.tanh(self.op.apply(x, self.w, self.b)) * self.frozen
        return {"out": self.last, "count": len(x)}


def test_a_wrong_operation_inside_a_module_fails_at_the_parameter():
    right, wrong = Scaled(Affine), Scaled(but(b=lambda ctx, u, g: -g))
    x = torch.randn(5, 3)
    right(x)  # keeps an output with its history, which deepcopy refuses
    report = check_gradients(right, x)
    assert report
    assert report.not_checked == ("frozen: it has requires_grad=False",)
    assert verdicts(check_gradients(wrong, x)) == {"x": "PASS", "w": "PASS", "b": "FAIL"}


def test_a_parameter_that_is_cut_off_fails():
    class Cut(torch.nn.Linear):
        def forward(self, x):
            return torch.nn.functional.linear(x, self.weight, self.bias.detach())

    report = check_gradients(Cut(3, 2), torch.randn(4, 3))
    assert verdicts(report) == {"x": "PASS", "weight": "PASS", "bias": "FAIL"}
    assert report.findings[0].code == "zero"


def test_modules_with_labels_and_state():
    loss = torch.nn.CrossEntropyLoss()
    report = check_gradients(lambda x, y: loss(x, y), torch.randn(4, 3), torch.tensor([0, 2, 1, 1]))
    assert verdicts(report) == {"x": "PASS"}
    assert check_gradients(torch.nn.Embedding(5, 2), torch.tensor([1, 3, 3]))
    assert check_gradients(torch.nn.GRU(2, 3), torch.randn(4, 2, 2))


def test_a_module_that_runs_in_float32_only_is_judged_in_its_noise():
    class Narrow(torch.nn.Module):
        def __init__(self, factor):
            super().__init__()
            self.w, self.table = torch.nn.Parameter(torch.randn(3)), torch.randn(3, 3)
            self.factor = factor

        def forward(self, x):
            hidden = self.table @ x  # no float64
            return self.factor * hidden.detach() * self.w + hidden * self.w

    report = check_gradients(Narrow(0.0), torch.randn(3))
    assert (report.verdict, report.sensitivity) == (Verdict.PASS, 1e-3)
    assert verdicts(check_gradients(Narrow(0.1), torch.randn(3))) == {"x": "FAIL", "w": "PASS"}


def test_plain_functions_of_tensors_and_of_numpy_arrays():
    def function(x, w):
        return torch.sin(x @ w).sum()

    x, w = torch.randn(2, 3), torch.randn(3, 2)
    assert check_gradients(function, x, w)
    assert check_gradients(function, x.numpy(), w.numpy())
    assert verdicts(check_gradients(lambda x: x * x.detach(), x)) == {"x": "FAIL"}
    report = check_gradients(lambda x: (x.double() * x.bfloat16()).sum(), x.bfloat16())
    assert report.leaves[0].dtype == "float32"


def test_complex_tensors_are_read_as_torch_means_them():
    report = check_gradients(lambda z: (z * z).abs().sum(), torch.randn(3, dtype=torch.complex64))
    assert report
    assert "as in PyTorch" in str(report)


def test_an_exception_of_the_users_own_passes_through():
    class Broken(torch.nn.Linear):
        def forward(self, x):
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        check_gradients(Broken(3, 2), torch.randn(4, 3))
    spoilt = but(b=lambda ctx, u, g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        check_gradients(spoilt, *affine_inputs())


def test_checking_numpy_code_loads_no_torch():
    code = (
        "import numpy as np, sys\n"
        "from gradcheck import check_gradients\n"
        "check_gradients(np.sin, np.ones(2), vjp=lambda u, x: u * np.cos(x))\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_inputs_of_a_module_are_its_batch():
    report = check_gradients(
        Scaled(but(b=lambda ctx, u, g: u.mean(0))), np.random.default_rng(1).random((5, 3))
    )
    assert report.verdict is Verdict.FAIL
    assert "5 is the number of examples" in str(report)
