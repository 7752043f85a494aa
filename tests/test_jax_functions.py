"""Functions in JAX: right rules pass, wrong ones fail at their leaf, and every way of JAX's is looked at."""

import dataclasses
import functools
import subprocess
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradcheck import ClaimError, Reason, Verdict, check_gradients, constant
from gradcheck.adapters import as_claim
from gradcheck.surroundings import preserved

RNG = np.random.default_rng(7)
X, Y, B = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 3)), RNG.standard_normal(3)


def in_order(order, target, *inputs):
    """The check of a derivative of this order."""
    with preserved():
        claim = as_claim(target, inputs, order=order)
    return check_gradients(claim)


def verdicts(report):
    return {leaf.name: leaf.verdict.name for leaf in report.leaves}


def by_vjp(function, backward, **options):
    """A function whose rule keeps its arguments for the backward."""
    made = jax.custom_vjp(function, **options)
    static = len(options.get("nondiff_argnums", ()))
    made.defvjp(lambda *args: (made(*args), args[static:]), backward)
    return made


def by_jvp(function, rule):
    made = jax.custom_jvp(function)
    made.defjvp(rule)
    return made


def wave(x, y, b):
    """sin(x) y + b with b broadcast over the rows."""
    return jnp.sin(x) * y + b


def wave_backward(kept, u):
    x, y, _ = kept
    return u * jnp.cos(x) * y, u * jnp.sin(x), u.sum(0)


def but(**wrong):
    """The right backward but for some gradients, each made from what was kept, u and the right one."""

    def backward(kept, u):
        right = dict(zip("xyb", wave_backward(kept, u), strict=True))
        return tuple(wrong[name](kept, u, g) if name in wrong else g for name, g in right.items())

    return by_vjp(wave, backward)


RIGHT = by_vjp(wave, wave_backward)
WRONG = {
    "factor": but(x=lambda kept, u, g: 2 * g),
    "sign": but(y=lambda kept, u, g: -g),
    "none": but(y=lambda kept, u, g: None),
    "zeros": but(b=lambda kept, u, g: jnp.zeros_like(g)),
    "first row for the sum": but(b=lambda kept, u, g: u[0]),
    "mean for the sum": but(b=lambda kept, u, g: u.mean(0)),
    "ignores the residual": but(x=lambda kept, u, g: u),
    "a part in a million": but(x=lambda kept, u, g: g * (1 + 1e-6)),
}
LEAF = {
    **{"factor": "x", "sign": "y", "none": "y", "zeros": "b", "first row for the sum": "b"},
    **{"mean for the sum": "b", "ignores the residual": "x", "a part in a million": "x"},
}


def test_a_right_custom_vjp_passes_before_two_oracles():
    report = check_gradients(RIGHT, X, Y, B)
    assert verdicts(report) == {"x": "PASS", "y": "PASS", "b": "PASS"}
    assert str(report).startswith("PASS  wave's VJP")
    assert [oracle.agrees_with_claim for oracle in report.oracles] == [True, True]
    assert not report.not_checked


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_custom_vjp_fails_at_its_leaf(name):
    report = check_gradients(WRONG[name], X, Y, B)
    assert verdicts(report) == {leaf: "FAIL" if leaf == LEAF[name] else "PASS" for leaf in "xyb"}
    assert report.reason is Reason.MISMATCH


def test_a_wrong_rule_is_found_by_name_and_under_jit_and_partial_and_inside_loops():
    wrong = WRONG["factor"]

    def network(x, y, b):
        carried, _ = jax.lax.scan(lambda c, _: (wrong(c, y, b), None), x, None, length=2)
        return jax.lax.cond(b[0] > 9, lambda c: c, lambda c: jax.jit(jnp.tanh)(c), carried)

    assert [finding.code for finding in check_gradients(wrong, X, Y, B).findings] == ["factor"]
    for target, inputs in [
        (jax.jit(wrong), (X, Y, B)),
        (functools.partial(jax.jit(wrong), b=B), (X, Y)),
        (functools.partial(network, b=B), (X, Y)),
    ]:
        report = check_gradients(target, *inputs)
        assert report.verdict is Verdict.FAIL
        assert report.oracles[0].available, "JAX's derivative of the function without its rule"
    report = check_gradients(functools.partial(RIGHT, X), Y, B)
    assert report
    assert [leaf.name for leaf in report.leaves] == ["y", "b"]
    right = functools.partial(network, b=B)
    wrong = RIGHT
    assert check_gradients(right, X, Y)


@pytest.mark.parametrize(
    ("gradient", "leaf", "shape"),
    [
        (but(b=lambda kept, u, g: u), "b", (4, 3)),
        (but(x=lambda kept, u, g: g.T), "x", (3, 4)),
        (but(y=lambda kept, u, g: g.sum()), "y", ()),
    ],
)
def test_a_gradient_that_jax_refuses_for_its_shape_fails(gradient, leaf, shape):
    report = check_gradients(gradient, X, Y, B)
    assert report.reason is Reason.SHAPE
    assert verdicts(report) == {name: "FAIL" if name == leaf else "PASS" for name in "xyb"}
    assert str(shape) in next(found.remark for found in report.leaves if found.name == leaf)


def test_too_few_gradients_are_a_misuse_as_everywhere():
    few = by_vjp(wave, lambda kept, u: wave_backward(kept, u)[:2])
    with pytest.raises(ClaimError, match=r"wave's VJP returned 2 gradients for 3 inputs \(x, y, b\)"):
        check_gradients(few, X, Y, B)


def test_an_exception_of_the_users_own_backward_passes_through():
    def broken(kept, u):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        check_gradients(by_vjp(wave, broken), X, Y, B)


@pytest.mark.parametrize(("exponent", "factor"), [(3, 3), (2.5, 2.5), (3, 1)])
def test_static_arguments_of_a_rule_are_data(exponent, factor):
    power = by_vjp(
        lambda n, x: x**n, lambda n, kept, u: (factor * kept[0] ** (n - 1) * u,), nondiff_argnums=(0,)
    )
    for report in (
        check_gradients(power, exponent, np.abs(X)),
        check_gradients(functools.partial(power, exponent), np.abs(X)),
    ):
        assert verdicts(report) == {"x": "PASS" if factor == exponent else "FAIL"}


def test_a_right_custom_jvp_passes_in_both_modes_and_a_wrong_one_fails():
    right = by_jvp(jnp.sin, lambda at, along: (jnp.sin(at[0]), jnp.cos(at[0]) * along[0]))
    wrong = by_jvp(jnp.sin, lambda at, along: (jnp.sin(at[0]), -jnp.cos(at[0]) * along[0]))
    report = check_gradients(right, X)
    assert report
    assert report.oracles[0].available
    report = check_gradients(wrong, X)
    assert report.verdict is Verdict.FAIL
    assert [finding.code for finding in report.findings] == ["sign"]


@pytest.mark.parametrize(
    "bent",
    [jnp.abs, lambda t: t**2, lambda t: t**3 / (t**2).sum(), lambda t: t * jnp.roll(t, 1)],
    ids=["abs", "square", "homogeneous", "product"],
)
def test_a_custom_jvp_that_is_not_linear_in_the_tangent_fails(bent):
    report = check_gradients(by_jvp(jnp.sin, lambda at, t: (jnp.sin(at[0]), jnp.cos(at[0]) * bent(t[0]))), X)
    assert report.verdict is Verdict.FAIL
    assert "'s JVP" in str(report)
    assert report.not_checked[0].startswith("reverse mode: ")


def test_where_only_forward_mode_is_wrong_only_its_own_leaf_fails():
    offset = by_jvp(jnp.sin, lambda at, t: (jnp.sin(at[0]), jnp.cos(at[0]) * t[0] + 1e-3))
    report = check_gradients(lambda x, y: offset(x) * y, X, Y)
    assert verdicts(report) == {
        "x": "PASS",
        "y": "PASS",
        "forward-mode x": "FAIL",
        "forward-mode y": "FAIL",  # its tangent moves x along
    }


def test_where_only_vmap_is_wrong_only_its_own_leaf_fails():
    @jax.custom_batching.custom_vmap
    def scaled(u):
        return 2 * u

    @scaled.def_vmap
    def _(size, batched, u):
        return 3 * u, True

    double = by_vjp(lambda x: 2 * x, lambda kept, u: (scaled(u),))
    report = check_gradients(double, X)
    assert verdicts(report) == {"x": "PASS", "vmapped x": "FAIL"}


def test_what_jax_cannot_batch_is_said():
    def sine(x):
        return jax.pure_callback(lambda x: np.sin(np.asarray(x)), jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    report = check_gradients(by_vjp(sine, lambda kept, u: (u * jnp.cos(kept[0]),)), X)
    assert report
    assert report.not_checked[0].startswith("vmap of the gradient: NotImplementedError")
    assert "without the rules that were written for it: ValueError" in report.oracles[0].why_not
    assert not check_gradients(by_vjp(sine, lambda kept, u: (u * jnp.sin(kept[0]),)), X)


def test_a_plain_function_is_judged_by_its_values_alone():
    report = check_gradients(lambda x, y: jnp.tanh(x @ y.T).sum(), X, Y)
    assert report
    assert [oracle.available for oracle in report.oracles] == [False, True]
    assert "only values of the function" in report.oracles[0].why_not
    assert all(leaf.compared == 12 for leaf in report.leaves)
    report = check_gradients(lambda x: x * jax.lax.stop_gradient(x), X)
    assert report.verdict is Verdict.FAIL, "JAX's derivative is not that of the values"


def test_what_has_no_reverse_mode_is_judged_in_forward_mode():
    def thrice(x):
        return jax.lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, jnp.sin(s[1])), (0, x))[1]

    report = check_gradients(thrice, X)
    assert report
    assert "thrice's JVP" in str(report)
    assert report.not_checked[0].startswith("reverse mode: ValueError")


def test_a_function_that_branches_on_values_is_run_as_it_is():
    def branching(x):
        return jnp.sin(x).sum() if x[0, 0] > -9 else x.sum()

    report = check_gradients(branching, X)
    assert report
    assert report.not_checked[0].startswith("vmap of the gradient: TracerBoolConversionError")


def test_the_second_order_is_judged_by_itself():
    halted = by_vjp(
        wave,
        lambda kept, u: (u * jax.lax.stop_gradient(jnp.cos(kept[0])) * kept[1], *wave_backward(kept, u)[1:]),
    )
    assert check_gradients(halted, X, Y, B), "its gradient is right"
    report = in_order(2, halted, X, Y, B)
    assert verdicts(report) == {"x": "FAIL", "y": "PASS", "b": "PASS"}
    assert str(report).startswith("FAIL  the VJP of wave's gradient")
    report = in_order(2, RIGHT, X, Y, B)
    assert report
    assert report.oracles[0].agrees_with_claim
    assert in_order(2, lambda x: jnp.exp(x).sum(), B)


@pytest.mark.parametrize("order", [0, 3, True, "2"])
def test_other_orders_are_refused(order):
    with pytest.raises(ClaimError, match="neither 1, the gradient, nor 2"):
        in_order(order, RIGHT, X, Y, B)


def test_second_order_is_for_jax():
    with pytest.raises(ClaimError, match="order=2 is for"):
        in_order(2, np.sin, X)
    with pytest.raises(ClaimError, match="order=2 is for"):
        as_claim(RIGHT, (X, Y, B), vjp=np.sin, order=2)


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Layer:
    w: np.ndarray
    b: np.ndarray


def test_pytrees_go_in_and_out_and_are_named_by_path():
    def net(layers, scale, label):
        x = constant_data
        for layer in layers["all"]:
            x = jnp.tanh(x @ layer.w + layer.b)
        return {"out": RIGHT(x, x, scale), "picked": (x[label], jnp.argmax(x)), "none": None}

    constant_data = jnp.asarray(X)
    layers = {"all": [Layer(RNG.standard_normal((3, 5)), np.zeros(5)), Layer(RNG.standard_normal((5, 3)), B)]}
    report = check_gradients(net, layers, B, np.array([0, 2]))
    assert report
    assert [leaf.name for leaf in report.leaves] == [
        *("layers['all'][0].w", "layers['all'][0].b", "layers['all'][1].w", "layers['all'][1].b"),
        "scale",
    ]
    assert report.notes == ("label is not differentiated: it holds int64",)


def test_random_keys_static_arguments_and_constants_are_handed_on():
    def dropped(key, x, rate, mode):
        assert mode == "train"
        return x * jax.random.bernoulli(key, rate, x.shape)

    compiled = jax.jit(dropped, static_argnames="mode")
    report = check_gradients(compiled, jax.random.key(3), X, constant(0.5), "train")
    assert verdicts(report) == {"x": "PASS"}


def test_float32_is_promoted_where_the_code_lets_it_and_judged_in_its_noise_otherwise():
    start = jnp.zeros(3, jnp.float32)

    def narrow(x):
        return jax.lax.scan(lambda c, _: (jnp.sin(c + x), None), start, None, length=3)[0]

    x = jnp.asarray(B, jnp.float32)
    promoted = check_gradients(lambda x: jnp.sin(x).sum(), x)
    assert (promoted.verdict, promoted.sensitivity, promoted.leaves[0].dtype) == (
        Verdict.PASS,
        1e-6,
        "float32",
    )
    report = check_gradients(narrow, x)
    assert (report.verdict, report.sensitivity) == (Verdict.PASS, 1e-3)

    ruled = jax.custom_vjp(narrow)
    for factor, verdict in ((1, Verdict.PASS), (1.01, Verdict.FAIL)):
        ruled.defvjp(lambda x: jax.vjp(narrow, x), lambda kept, u, by=factor: (by * kept(u)[0],))
        report = check_gradients(ruled, x)
        assert (report.verdict, report.sensitivity) == (verdict, 1e-3)
        assert report.oracles[0].available
    assert jnp.asarray(0.5).dtype == jnp.float32, "the user's configuration is as it was"


def test_sharded_arrays_stay_where_they_are():
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("rows",))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("rows"))
    seen = []

    def function(x):
        seen.append(getattr(x, "sharding", None))  # tracers have none
        return jnp.sin(x).sum()

    assert check_gradients(function, jax.device_put(X, sharding))
    assert {s for s in seen if s is not None} == {sharding}


def test_complex_functions_are_read_as_jax_means_them():
    report = check_gradients(lambda z: jnp.abs(z * z).sum(), X + 1j * Y)
    assert report
    assert "as in JAX" in str(report)
    assert check_gradients(lambda x: x * jnp.exp(1j * x), X)


def test_a_reference_of_the_users_own_takes_the_place_of_the_primal():
    report = check_gradients(WRONG["sign"], X, Y, B, reference=wave)
    assert verdicts(report) == {"x": "PASS", "y": "FAIL", "b": "PASS"}


def test_what_has_nothing_to_differentiate_is_a_misuse():
    with pytest.raises(ClaimError, match="nothing here carries a gradient"):
        check_gradients(RIGHT, constant(X), constant(Y), constant(B))


def test_objects_that_are_called_are_functions_too():
    class Model:
        def __call__(self, x):
            return jnp.sin(x) * self.scale()

        def scale(self):
            return 2

    assert check_gradients(Model(), X)


def test_jax_is_recognised_by_what_a_function_calls_and_not_by_the_names_of_attributes():
    def lazy(x):
        import jax.numpy

        return jax.numpy.sin(x)

    def calling(x):
        return lazy(x)

    tools = types.SimpleNamespace(jnp=np.linalg)

    def unrelated(x):
        return tools.jnp.norm(x)

    assert check_gradients(calling, X)
    assert check_gradients(functools.partial(calling), X)
    with pytest.raises(ClaimError, match="unrelated comes without a gradient"):
        check_gradients(unrelated, X)


def test_rules_that_come_with_jax_are_its_own_derivative():
    report = check_gradients(jax.nn.softplus, np.array([0.0, 1.0]))
    assert report
    assert not report.oracles[0].available, "its primitives alone say 0 at 0"
    report = check_gradients(lambda x: RIGHT(jax.nn.softplus(x), x, B), X)
    assert report.oracles[0].agrees_with_claim


def test_digits_that_cancel_are_no_disagreement_of_modes():
    report = check_gradients(lambda x: jax.nn.softmax(30 * x), RNG.standard_normal((4, 4)))
    assert [leaf.name for leaf in report.leaves] == ["x"]


def test_importing_gradcheck_loads_no_framework():
    code = "import gradcheck, sys; print([m for m in ('jax', 'torch', 'autograd') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
