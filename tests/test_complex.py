"""Complex inputs and outputs: judged by their real and imaginary parts, in PyTorch's convention or JAX's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradcheck import Claim, ClaimError, check_gradients, constant
from gradcheck.adapters import as_claim
from gradcheck.complex_parts import Parts, Reading, RealParts, joined, split
from gradcheck.evaluator import Evaluator
from gradcheck.verdict import Reason, Verdict

RNG = np.random.default_rng(8)


def gaussian(*shape):
    return RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)


Z, W, X = gaussian(3), gaussian(4, 3), RNG.standard_normal(3)


def size(z):
    return np.abs(z) ** 2


def size_vjp(u, z):
    return 2 * u * z


def claim_of(f, *inputs, vjp):
    claim = as_claim(f, inputs, vjp=vjp, gradients=None, reference=None, names=None)
    return Evaluator(claim).claim


def assert_passes(f, *inputs, vjp, **options):
    report = check_gradients(f, *inputs, vjp=vjp, **options)
    assert report.verdict is Verdict.PASS, report
    return report


def assert_fails(f, *inputs, vjp, leaves, **options):
    report = check_gradients(f, *inputs, vjp=vjp, **options)
    assert (report.verdict, report.reason) == (Verdict.FAIL, Reason.MISMATCH), report
    assert {leaf.name for leaf in report.leaves if leaf.verdict is Verdict.FAIL} == set(leaves)
    return report


def test_the_parts_of_a_complex_leaf_are_leaves_of_its_shape_and_both_oracles_agree():
    report = assert_passes(size, Z, vjp=size_vjp)
    assert [(leaf.name, leaf.shape, leaf.compared) for leaf in report.leaves] == [
        ("z.real", (3,), 3),
        ("z.imag", (3,), 3),
    ]
    assert [oracle.available for oracle in report.oracles] == [True, True]


def test_a_wrong_imaginary_part_fails_at_its_entry():
    def vjp(u, z):
        gradient = 2 * u * z
        gradient[1] += 1e-5j * abs(gradient).max()
        return gradient

    report = assert_fails(size, Z, vjp=vjp, leaves=["z.imag"])
    (wrong,) = (leaf for leaf in report.leaves if leaf.verdict is Verdict.FAIL)
    assert wrong.worst_index == (1,)


HOLOMORPHIC = [
    (np.exp, np.exp),
    (lambda z: z**3, lambda z: 3 * z**2),
    (lambda z: 1 / z, lambda z: -1 / z**2),
    (lambda z: np.sin(z) * z, lambda z: np.sin(z) + z * np.cos(z)),
]


@pytest.mark.parametrize(("f", "derivative"), HOLOMORPHIC, ids=range(len(HOLOMORPHIC)))
def test_either_convention_is_right_by_itself_and_wrong_when_mixed(f, derivative):
    assert_passes(f, Z, vjp=lambda u, z: u * np.conj(derivative(z)))
    assert_passes(f, Z, vjp=lambda u, z: u * derivative(z))
    for mixed in (lambda u, z: np.conj(u) * derivative(z), lambda u, z: np.conj(u * derivative(z))):
        assert check_gradients(f, Z, vjp=mixed).verdict is Verdict.FAIL


def test_the_convention_that_was_taken_is_part_of_the_name():
    torchs = claim_of(size, Z, vjp=size_vjp)
    assert torchs.name == "size_vjp (read as dL/da + i dL/db, as in PyTorch)"
    jaxs = claim_of(size, Z, vjp=lambda u, z: 2 * u * z.conj())
    assert jaxs.name == "vjp (read as dL/da - i dL/db, as in JAX)"


def test_nothing_is_said_where_both_conventions_say_the_same():
    claim = claim_of(lambda z: z.real**2, Z, vjp=lambda u, z: 2 * u * z.real)
    assert claim.name == "vjp"


def test_one_convention_holds_for_all_leaves():
    """The gradient of w in one convention and that of z in the other is a mistake, whichever is taken."""

    def f(w, z):
        return w @ z

    def vjp(u, w, z):
        return np.outer(u, z.conj()), w.conj().T @ u

    def mixed(u, w, z):
        return np.outer(u, z.conj()), w.T @ u

    assert_passes(f, W, Z, vjp=vjp)
    assert_fails(f, W, Z, vjp=mixed, leaves=["z.real", "z.imag"])


def test_the_transpose_for_the_conjugate_transpose_is_convicted():
    hermitian_forgotten = lambda u, z: W.T @ u  # noqa: E731
    report = check_gradients(lambda z: size(W @ z), Z, vjp=lambda u, z: 2 * W.conj().T @ (u * (W @ z)))
    assert report.verdict is Verdict.PASS
    wrong = check_gradients(
        lambda z: size(W @ z), Z, vjp=lambda u, z: 2 * hermitian_forgotten(u * (W @ z), z)
    )
    assert wrong.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (lambda u, x: np.fft.ifft(u).real * 3, lambda u, x: np.fft.ifft(u).real),
        (lambda u, x: np.fft.fft(u).real, lambda u, x: 3 * np.fft.fft(u).real),
    ],
    ids=["as in PyTorch", "as in JAX"],
)
def test_a_complex_output_of_real_inputs(right, wrong):
    assert_passes(np.fft.fft, X, vjp=right, names=("x",))
    assert_fails(np.fft.fft, X, vjp=wrong, leaves=["x"], names=("x",))
    evaluator = Evaluator(as_claim(np.fft.fft, (X,), vjp=right, gradients=None, reference=None, names=None))
    assert [out.dtype.kind for out in evaluator.outputs] == ["f", "f"]
    assert "read as" in evaluator.claim.name


def test_real_and_complex_leaves_side_by_side():
    def f(x, z):
        return x * z

    right = lambda u, x, z: ((u * z.conj()).real, u * x)  # noqa: E731
    assert_passes(f, X, Z, vjp=right)
    assert_fails(f, X, Z, vjp=lambda u, x, z: (u.real * z.real, u * x), leaves=["x"])
    assert_fails(f, X, Z, vjp=lambda u, x, z: (right(u, x, z)[0], 1.1 * u * x), leaves=["z.real", "z.imag"])


def test_containers_scalars_and_none():
    def f(p):
        return {"product": p["a"] * p["b"][0], "size": abs(p["a"]) ** 2}

    def vjp(u, p):
        a, b = p["a"], p["b"][0]
        return {
            "a": u["product"] * b.conjugate() + 2 * u["size"] * a,
            "b": [u["product"] * a.conjugate(), None],
        }

    def wrong(u, p):
        return {**vjp(u, p), "a": vjp(u, p)["a"] * 1.1}

    inputs = {"a": 1 - 2j, "b": [np.complex64(0.5 + 1j), np.array(3.0)]}
    report = assert_passes(f, inputs, vjp=vjp)
    names = ["p['a'].real", "p['a'].imag", "p['b'][0].real", "p['b'][0].imag", "p['b'][1]"]
    assert [leaf.name for leaf in report.leaves] == names
    assert_fails(f, inputs, vjp=wrong, leaves=names[:2])
    assert_fails(f, inputs, vjp=lambda u, p: {**vjp(u, p), "a": None}, leaves=names[:2])


def test_single_precision_is_judged_in_double_where_the_code_lets_it():
    report = assert_passes(size, Z.astype(np.complex64), vjp=size_vjp)
    assert max(leaf.detection_limit for leaf in report.leaves) < 1e-10
    assert_fails(size, Z.astype(np.complex64), vjp=lambda u, z: 2.0001 * u * z, leaves=["z.real", "z.imag"])


def test_gradients_of_a_real_loss_as_a_function_and_as_values():
    def loss(z):
        return size(z).sum()

    assert check_gradients(loss, Z, gradients=lambda z: 2 * z)
    assert check_gradients(loss, Z, gradients=2 * Z.conj())
    assert check_gradients(loss, Z, gradients=3 * Z).verdict is Verdict.FAIL
    assert check_gradients(lambda z: (loss(z), 2 * z), Z, gradients=True)


def test_a_complex_loss_has_no_gradient():
    with pytest.raises(
        ClaimError, match="gradients= answers for one real number, the forward returns complex"
    ):
        check_gradients(lambda z: (z**2).sum(), Z, gradients=lambda z: 2 * z)


def test_a_real_input_has_a_real_gradient():
    f = lambda x: (x**2).sum()  # noqa: E731
    assert check_gradients(f, X, gradients=lambda x: 2 * x + 0j)
    with pytest.raises(ClaimError, match="the gradient of x, which is real, is complex128: return its real"):
        check_gradients(f, X, gradients=lambda x: 2 * x + 1j)


def test_a_gradient_of_the_wrong_shape_fails():
    report = check_gradients(size, Z, vjp=lambda u, z: (2 * u * z)[:2])
    assert (report.verdict, report.reason) == (Verdict.FAIL, Reason.SHAPE)


def test_jax_forwards_and_references():
    def f(z):
        return jnp.exp(z) * z

    right = lambda u, z: jax.vjp(f, jnp.asarray(z))[1](jnp.asarray(u))[0]  # noqa: E731
    with jax.enable_x64(True):
        report = assert_passes(f, Z, vjp=right)
        assert report.oracles[0].available
        assert_fails(f, Z, vjp=lambda u, z: 1.1 * right(u, z), leaves=["z.real", "z.imag"])
    report = assert_passes(size, Z, vjp=size_vjp, reference=lambda z: jnp.abs(z) ** 2)
    assert report.oracles[0].available


def hermitian(z):
    return z @ z.conj().T + np.eye(3)


RECORDED = {
    "conjugates": lambda n, z: n.vdot(z, z * z) * n.conj(z),
    "parts": lambda n, z: z.real * n.imag(z) + n.angle(z) * n.abs(z),
    "solve": lambda n, z: n.linalg.solve(z, z[0]),
    "determinant": lambda n, z: n.linalg.det(z),
    "Hermitian eigenvalues": lambda n, z: n.linalg.eigvalsh(hermitian(z)),
    "Cholesky": lambda n, z: n.linalg.cholesky(hermitian(z)),
    "singular values": lambda n, z: n.linalg.svd(z, compute_uv=False),
    "transforms": lambda n, z: n.fft.irfft(n.fft.ifft(z) * 1j),
    "einsum": lambda n, z: n.einsum("ij,kj->ik", z, z.conj()),
    "powers": lambda n, z: n.sqrt(z) + z**2.5 + n.log(z),
    "pieces": lambda n, z: n.where(z.real > 0, z, 2 * z),
}


@pytest.mark.parametrize("name", RECORDED)
def test_complex_numpy_is_recorded_and_differentiated(name):
    """Both oracles answer for plain NumPy on complex arrays, and both convict a slightly turned gradient."""
    f, square = RECORDED[name], np.random.default_rng(3)
    z = square.standard_normal((3, 3)) + 1j * square.standard_normal((3, 3))

    def vjp(u, z):
        with jax.enable_x64(True):
            (gradient,) = jax.vjp(lambda at: f(jnp, at), jnp.asarray(z))[1](jnp.asarray(u))
        return np.asarray(gradient)

    report = assert_passes(lambda z: f(np, z), z, vjp=vjp)
    assert [oracle.available for oracle in report.oracles] == [True, True]
    turned = check_gradients(lambda z: f(np, z), z, vjp=lambda u, z: vjp(u, z) * (1 + 1e-4j))
    assert turned.verdict is Verdict.FAIL


def test_what_cannot_be_recorded_is_judged_by_differences_and_said():
    def f(z):
        out = z.copy()
        out.real = 2 * z.real
        return out

    report = assert_passes(f, Z, vjp=lambda u, z: 2 * u.real + 1j * u.imag)
    assert "setting real of an array cannot be recorded" in report.oracles[0].why_not
    assert_fails(f, Z, vjp=lambda u, z: 2 * u, leaves=["z.imag"])


class Rotation:
    """A layer with a complex parameter."""

    def __init__(self):
        self.W = W.copy()

    def forward(self, x):
        self.x = x
        return self.W @ x

    def backward(self, dout):
        self.dW = np.outer(dout, self.x.conj())
        return self.W.conj().T @ dout


class WrongRotation(Rotation):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW.conj()
        return dx


def test_a_layer_with_complex_parameters():
    report = check_gradients(Rotation(), Z)
    assert report.verdict is Verdict.PASS
    assert [leaf.name for leaf in report.leaves] == ["x.real", "x.imag", "W.real", "W.imag"]
    wrong = check_gradients(WrongRotation(), Z)
    assert [leaf.name for leaf in wrong.leaves if leaf.verdict is not Verdict.PASS] == ["W.imag"]


def test_complex_data_is_handed_on_and_not_differentiated():
    f = lambda x, c: size(x * c)  # noqa: E731
    right = lambda u, x, c: 2 * u * x * size(c)  # noqa: E731
    report = assert_passes(f, X, constant(Z), vjp=right)
    assert [leaf.name for leaf in report.leaves] == ["x"]
    assert_fails(f, X, constant(Z), vjp=lambda u, x, c: 2 * u * x * np.abs(c), leaves=["x"])


def test_a_claim_made_by_hand_is_read_in_the_same_way():
    claim = Claim(name="own", forward=size, vjp=size_vjp, inputs=(Z,), names=("z",))
    assert check_gradients(claim).verdict is Verdict.PASS


def test_arguments_are_left_as_they_were():
    inputs = Z.copy()
    inputs.flags.writeable = False
    before = inputs.tobytes()
    assert_passes(size, inputs, vjp=size_vjp)
    assert inputs.tobytes() == before


def test_complex_numbers_split_and_join_to_the_last_bit():
    tree = {"z": np.array([np.inf - 1j, complex(1.0, -0.0), complex(np.nan, 2)]), "x": X, "n": 3 + 1j}
    there = split(tree)
    assert isinstance(there["z"], Parts)
    back = joined(there)
    assert back["z"].tobytes() == tree["z"].tobytes()
    assert back["x"] is X
    assert complex(back["n"]) == 3 + 1j


@pytest.mark.parametrize("f", [lambda z: size(z) + 1e9, lambda z: np.cos(1e4 * z.real) + size(z)])
def test_noise_and_curvature_do_not_hide_the_convention(f):
    def vjp(u, z):
        slope = (f(z + 0j).imag * 0 - 1e4 * np.sin(1e4 * z.real)) if f(0j) < 1e8 else 0
        return u * slope + 2 * u * z.conj()

    assert_passes(f, Z, vjp=vjp, sensitivity=1e-3)


def test_a_function_that_refuses_our_probes_is_read_as_pytorchs():
    def picky(z):
        if not np.array_equal(z, Z):
            raise RuntimeError("only here")
        return size(z)

    claim = claim_of(picky, Z, vjp=lambda u, z: 2 * u * z.conj())
    assert isinstance(claim, RealParts)
    assert claim.reading is Reading.PYTORCH
