"""Sparse networks against dense algebra, lattice Green functions, and themselves described densely.

Two-sided bounds of 4.5 standard errors fail by chance with probability 6.8e-6 a comparison; no test
makes more than a thousand, and all seeds are fixed.
"""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse

import ktc
from ktc import lattices
from refusal import refused, refused_unchanged


def signed(units, couplings, seed, own=0.3):
    """A random graph with couplings of both signs, positive definite by its diagonal."""
    rng = np.random.default_rng(seed)
    code = rng.permutation(units * units)
    i, j = np.divmod(code, units)
    keep = np.flatnonzero(i < j)[:couplings]
    i, j, value = i[keep], j[keep], rng.normal(size=len(keep))
    half = scipy.sparse.coo_array((value, (i, j)), shape=(units, units))
    matrix = (half + half.T).tocsr()
    return matrix + scipy.sparse.diags_array(abs(matrix).sum(axis=1) + own * rng.random(units))


def green_function(side, own, coupling):
    """K⁻¹ of unit 0 with all others of a periodic grid, by Fourier's transform, (side, side)."""
    wave = 2 - 2 * np.cos(2 * np.pi * np.arange(side) / side)
    return np.fft.ifft2(1 / (own + coupling * (wave[:, None] + wave))).real


def test_lattices_are_the_hessians_of_their_springs():
    rng = np.random.default_rng(1)
    own, c = rng.random(12), rng.random(24)
    k = lattices.grid(3, 4, own, c, periodic=True).toarray()
    x = rng.normal(size=(3, 4))
    across = x - np.roll(x, -1, axis=1)
    down = x - np.roll(x, -1, axis=0)
    energy = 0.5 * (own @ x.ravel() ** 2)
    energy += 0.5 * (c[:12] @ across.ravel() ** 2 + c[12:] @ down.ravel() ** 2)
    assert np.isclose(0.5 * x.ravel() @ k @ x.ravel(), energy, rtol=1e-13)
    assert lattices.grid(1, 5).nnz == 5 + 2 * 4
    ring = lattices.ring(5, 2.0, 0.5).toarray()
    assert np.array_equal(
        ring, 3.0 * np.eye(5) - 0.5 * (np.roll(np.eye(5), 1, 0) + np.roll(np.eye(5), -1, 0))
    )
    topology = ktc.Topology.grid(3, 4)
    assert (topology.springs(own, 2.0) != lattices.grid(3, 4, own, 2.0)).nnz == 0


@pytest.mark.parametrize(
    ("edges", "part"),
    [
        ([(0, 3)], "edges[0] is (0, 3)"),
        ([(0, 1), (1, 1)], "edges[1] is (1, 1)"),
        ([(0, 1), (1, 0)], "name (0, 1) twice"),
        ([0, 1], "shape (2,)"),
        ([(0, 0.5)], "whole numbers"),
    ],
)
def test_springs_refuse_what_is_no_graph(edges, part):
    with refused(ValueError, "edges", part):
        lattices.springs(3, edges)


def test_sparse_and_dense_descriptions_have_the_same_bits():
    k, new = signed(30, 60, seed=2), signed(30, 50, seed=3)
    r = np.random.default_rng(4).uniform(0.5, 2.0, 30)
    start = np.random.default_rng(5).normal(size=(70, 30))
    devices = [
        ktc.Emulator(
            ktc.Network(stiffness, r, kT=0.7, bias=0.2),
            replicas=70,
            seed=9,
            dt=0.02,
            resolve_heat=resolve,
            state=start,
        )
        for stiffness, resolve in ((k.toarray(), True), (k, True), (k, False))
    ]
    for device in devices:
        device.run(0.5)
        device.set(stiffness=new, bias=1.0)
        device.run(0.5)
    dense, sparse, pooled = devices
    assert np.array_equal(sparse.read(), dense.read())
    assert np.array_equal(pooled.read(), dense.read())
    assert np.array_equal(sparse.ledger.heat_per_resistor, dense.ledger.heat_per_resistor)
    for name in ("work", "heat", "supply", "entropy_flow", "energy_change"):
        for device in (sparse, pooled):
            amount, expected = getattr(device.ledger, name), getattr(dense.ledger, name)
            assert np.allclose(amount, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())
    assert np.allclose(sparse.energy(), dense.energy(), rtol=1e-13)
    assert np.allclose(sparse.moments().covariance, dense.moments().covariance, rtol=1e-12)


def test_quartic_units_and_several_temperatures_have_the_same_bits_too():
    k = lattices.ring(12, own=-1.0, coupling=0.5)
    kT = np.linspace(0.5, 1.5, 12)
    start = np.random.default_rng(6).normal(size=(5, 12))
    dense, sparse = (
        ktc.Emulator(
            ktc.Network(stiffness, 1.0, kT, quartic=1.0),
            replicas=5,
            seed=1,
            dt=0.01,
            resolve_heat=True,
            state=start,
        )
        for stiffness in (k.toarray(), k)
    )
    for device in (dense, sparse):
        device.run(0.3)
        device.set(quartic=1.5)
        device.run(0.2)
    assert np.array_equal(sparse.read(), dense.read())
    assert np.array_equal(sparse.ledger.heat_per_resistor, dense.ledger.heat_per_resistor)
    assert np.allclose(sparse.ledger.work, dense.ledger.work, rtol=1e-12)
    # Up to 4096 units the start is drawn by dense algebra, with the bits of the dense network.
    networks = [ktc.Network(s, 1.0, 0.4, quartic=1.0) for s in (k.toarray(), k)]
    states = [ktc.Emulator(net, replicas=3, seed=2, dt=0.01).read() for net in networks]
    assert np.array_equal(*states)


def test_the_equilibrium_start_is_that_of_dense_algebra():
    # Whitened by K = L Lᵀ, all that a covariance can get wrong is as visible everywhere.
    for k, seed in ((signed(24, 40, seed=7), 11), (lattices.grid(4, 6, 0.05, 1.0), 12)):
        bias = np.random.default_rng(seed).normal(size=24)
        net = ktc.Network(k, 1.0, kT=0.3, bias=bias)
        state = ktc.Emulator(net, replicas=100_000, seed=seed).read()
        lower = np.linalg.cholesky(k.toarray())
        white = (state - np.linalg.solve(k.toarray(), bias)) @ lower / np.sqrt(0.3)
        assert (np.abs(white.mean(axis=0)) < 4.5 / np.sqrt(len(white))).all()
        second = white.T @ white / len(white) - np.eye(24)
        scatter = np.sqrt((1 + np.eye(24)) / len(white))
        assert (np.abs(second) < 4.5 * scatter).all()
        # χ² of 300 independent entries: 5 standard deviations, 3e-7.
        squares = (second / scatter)[np.triu_indices(24)] ** 2
        assert abs(squares.mean() - 1) < 5 * np.sqrt(2 / 300)


def test_the_start_of_a_stiffness_that_is_dominant_only_when_scaled_or_not_at_all():
    scaled = scipy.sparse.csr_array([[1.0, 8.0, 0.0], [8.0, 100.0, 8.0], [0.0, 8.0, 2.0]])
    # Frustrated: the comparison matrix is indefinite, the matrix is not.
    frustrated = scipy.sparse.csr_array(np.full((3, 3), 0.9) + 0.1 * np.eye(3))
    for k, seed in ((scaled, 3), (frustrated, 4)):
        state = ktc.Emulator(ktc.Network(k, 1.0), replicas=100_000, seed=seed).read()
        white = state @ np.linalg.cholesky(k.toarray())
        scatter = np.sqrt((1 + np.eye(3)) / len(white))
        assert (np.abs(white.T @ white / len(white) - np.eye(3)) < 4.5 * scatter).all()


def test_a_replica_does_not_depend_on_how_many_there_are():
    net = ktc.Network(lattices.grid(6, 6, 0.1, 1.0), 1.0)
    whole = ktc.Emulator(net, replicas=150, seed=5, threads=3)
    part = ktc.Emulator(net, replicas=7, seed=5, first_replica=70, threads=1)
    assert np.array_equal(part.read(), whole.read()[70:77])
    for emulator in (whole, part):
        emulator.run(0.5)
    assert np.array_equal(part.read(), whole.read()[70:77])
    whole.equilibrate()
    part.equilibrate()
    assert np.array_equal(part.read(), whole.read()[70:77])


def test_variances_of_a_periodic_grid_are_its_green_function():
    side, own, coupling = 48, 0.5, 1.0
    net = ktc.Network(lattices.grid(side, side, own, coupling, periodic=True), 1.0, kT=2.0)
    emulator = ktc.Emulator(net, replicas=64, seed=21)
    expected = 2.0 * green_function(side, own, coupling)
    for _ in range(2):
        x = emulator.read().reshape(-1, side, side)
        for shift in ((0, 0), (0, 1), (1, 1), (3, 0)):
            found = np.mean(x * np.roll(x, shift, axis=(1, 2)), axis=(1, 2))
            scatter = found.std(ddof=1) / np.sqrt(len(found))
            assert abs(found.mean() - expected[shift]) < 4.5 * scatter
        emulator.run(5.0)  # the steps keep the equilibrium, however long they are


def test_the_mean_relaxes_as_the_exponential_of_the_drift_to_second_order():
    k = signed(10, 14, seed=8)
    r = np.linspace(0.5, 1.5, 10)
    start = np.linspace(-1.0, 1.0, 10)
    exact = scipy.linalg.expm(-np.diag(1 / r) @ k.toarray() * 0.4) @ start
    errors = []
    for dt in (0.04, 0.02, 0.01):
        net = ktc.Network(k, r, kT=1e-30)
        emulator = ktc.Emulator(net, replicas=1, seed=1, dt=dt, state=start)
        emulator.run(0.4)
        errors.append(np.abs(emulator.moments().mean - exact).max())
    ratios = np.divide(errors[:-1], errors[1:])
    assert ((ratios > 3.5) & (ratios < 4.5)).all()


def test_work_obeys_the_identities_of_linear_networks(tmp_path):
    k, target = lattices.ring(20, 1.0, 0.5), np.linspace(-1, 1, 20)
    emulator = ktc.Emulator(ktc.Network(k, 1.0), replicas=20_000, seed=14, dt=0.2)
    drive = ktc.Protocol.sample(1.0, 10, bias=lambda t: t * target, final={"bias": target})
    run = emulator.play(drive)
    assert emulator.ledger.imbalance() < 1e-12
    run.save(tmp_path / "run.npz")
    loaded = ktc.Run.load(tmp_path / "run.npz")
    assert loaded.final_controls == run.final_controls and loaded.network == run.network
    assert run.excess_work.mean == loaded.excess_work.mean
    # ΔF = −½ b K⁻¹ b, and Var W = 2 kT (⟨W⟩ − ΔF), whose estimate has a relative error √(2/n).
    change = -0.5 * target @ np.linalg.solve(k.toarray(), target)
    work = run.work.samples
    error = work.std() / np.sqrt(len(work))
    spread = 0.5 * work.var()
    assert abs(work.mean() - change - spread) < 4.5 * (error + spread * np.sqrt(2 / len(work)))


def test_updates_of_a_million_couplings_cost_what_they_change():
    k = lattices.grid(40, 40, 1.0, 0.5)
    net = ktc.Network(k, 1.0)
    emulator = ktc.Emulator(net, replicas=3, seed=2)
    x, new = emulator.read(), lattices.grid(40, 40, 1.5, 0.25)
    emulator.set(stiffness=new)
    expected = 0.5 * np.sum(x * ((new - k) @ x.T).T, axis=1)
    assert np.allclose(emulator.ledger.work, expected, rtol=1e-12)
    assert (emulator.controls.sparse_stiffness != new).nnz == 0
    emulator.set(stiffness=2.0)  # a scalar is that multiple of the identity
    assert emulator.controls.sparse_stiffness.nnz == 1600
    emulator.reset()
    assert np.array_equal(emulator.read(), x)


def test_saved_copied_and_pickled(tmp_path):
    net = ktc.Network(lattices.grid(5, 5), 2.0, kT=0.5, bias=0.1)
    emulator = ktc.Emulator(net, replicas=10, seed=3)
    emulator.set(stiffness=lattices.grid(5, 5, 2.0))
    emulator.run(0.3)
    emulator.save(tmp_path / "grid.npz")
    loaded, twin = ktc.Emulator.load(tmp_path / "grid.npz"), emulator.copy()
    for each in (emulator, loaded, twin):
        each.run(0.3)
    for each in (loaded, twin):
        assert np.array_equal(each.read(), emulator.read())
        assert each.controls == emulator.controls
        assert not each.resolve_heat
    other = pickle.loads(pickle.dumps(net))
    assert other == net and hash(other) == hash(net) and other.is_sparse
    assert other != ktc.Network(lattices.grid(5, 5, 1.5), 2.0, kT=0.5, bias=0.1)
    assert net != ktc.Network(lattices.grid(5, 5).toarray(), 2.0, kT=0.5, bias=0.1)
    assert "40 couplings" in repr(net)


def test_dense_algebra_is_there_up_to_a_size_and_refused_beyond():
    k = lattices.ring(40, 1.0, 0.5)
    sparse, dense = ktc.Network(k, 2.0), ktc.Network(k.toarray(), 2.0)
    assert np.array_equal(sparse.stiffness, dense.stiffness)
    assert np.array_equal(sparse.friction, dense.friction)
    assert np.allclose(sparse.relaxation_times, dense.relaxation_times)
    assert np.allclose(ktc.theory.equilibrium(sparse)[1], ktc.theory.equilibrium(dense)[1])

    large = ktc.Network(lattices.ring(4097), 1.0)
    emulator = ktc.Emulator(large, replicas=2, seed=1)
    for asked in (lambda: large.stiffness, lambda: large.friction, lambda: large.drift):
        with refused(ValueError, "(4097, 4097)", "GB", "4096"):
            asked()
    held = emulator.moments()
    assert held.mean.shape == (4097,)
    emulator.run(0.1)  # moments that somebody holds are not worth 0.1 GB
    with refused(ValueError, "covariance", "0.134 GB", "read()"):
        _ = held.covariance
    with refused(ValueError, "heat_per_resistor", "resolve_heat=True"):
        _ = emulator.ledger.heat_per_resistor
    driven = ktc.Network(lattices.ring(4097), 1.0, quartic=1.0)
    with refused(ValueError, "stationary state", "4096", "state to start from"):
        ktc.Emulator(driven, replicas=2, seed=1)
    started = ktc.Emulator(driven, replicas=2, seed=1, state=np.zeros(4097))
    started.run(0.05)


@pytest.mark.parametrize(
    ("change", "error", "parts"),
    [
        ({"stiffness": scipy.sparse.csr_array(np.eye(3))}, ValueError, ("stiffness", "(3, 3)")),
        ({"stiffness": -1.0 * scipy.sparse.eye_array(9)}, ValueError, ("-1 at unit 0", "diagonal")),
        ({"stiffness": lattices.grid(3, 3, own=0.0)}, ValueError, ("pivot", "nothing confines")),
        ({"stiffness": lattices.grid(3, 3, 1.0, -1.0)}, ValueError, ("positive definite",)),
        ({"stiffness": "soft"}, TypeError, ("stiffness", "str")),
        ({"stiffness": scipy.sparse.eye_array(5) * 1j}, TypeError, ("stiffness", "complex128")),
        ({"stiffness": np.inf * scipy.sparse.eye_array(9)}, ValueError, ("inf at index (0, 0)",)),
        (
            {"stiffness": scipy.sparse.csr_array(np.eye(9) + np.eye(9, k=1))},
            ValueError,
            ("symmetric", "stiffness[0, 1] = 1.0", "stiffness[1, 0] = 0.0"),
        ),
    ],
)
def test_what_is_refused_changes_nothing(change, error, parts):
    emulator = ktc.Emulator(ktc.Network(lattices.grid(3, 3), 1.0), replicas=2, seed=1)
    with refused_unchanged(emulator, error, *parts):
        emulator.set(**change)


def test_what_needs_a_dense_network_names_the_mend():
    k = lattices.ring(5)
    for options, name in (({"inertia": 1.0}, "inertia"), ({"friction": np.eye(5)}, "friction")):
        with refused(ValueError, name, "stiffness.toarray()"):
            ktc.Network(k, **{"friction": 1.0, **options})
    net = ktc.Network(k, 1.0)
    with refused(ValueError, "transition", "stiffness.toarray()"):
        net.transition(1.0)
    emulator = ktc.Emulator(net, replicas=2, seed=1)
    drive = ktc.Protocol.sample(1.0, 2, stiffness=lambda t: 1.0 + t)
    with refused_unchanged(emulator, ValueError, "stiffness", "Emulator.set"):
        emulator.play(drive)


@pytest.mark.parametrize("own", [-0.05, 0.001, 0.05])
def test_confinement_is_that_of_the_smallest_eigenvalue(own):
    # Signed couplings without a dominant diagonal: the pivots decide.
    rng = np.random.default_rng(17)
    half = np.triu(rng.normal(size=(40, 40)) * (rng.random((40, 40)) < 0.15), 1)
    k = half + half.T
    k += (own - np.linalg.eigvalsh(k)[0]) * np.eye(40)
    if own > 0:
        ktc.Network(scipy.sparse.csr_array(k), 1.0)
    else:
        with refused(ValueError, "positive definite"):
            ktc.Network(scipy.sparse.csr_array(k), 1.0)


def test_a_ring_of_a_hundred_thousand_units():
    # K⁻¹ of an endless ring is q^|n| / √(k² + 4kc), q = 1 + k/2c − √(k/c + k²/4c²).
    k, c, n = 0.5, 1.0, 100_000
    q = 1 + k / (2 * c) - np.sqrt(k / c + (k / (2 * c)) ** 2)
    width = 1 / np.sqrt(k * k + 4 * k * c)
    emulator = ktc.Emulator(ktc.Network(lattices.ring(n, k, c), 1.0), replicas=2, seed=31)
    emulator.run(0.05)
    x = emulator.read()
    # Var ⟨x²⟩ = 2 Σ C(r)²/n.
    scatter = width * np.sqrt(2 * (1 + q * q) / (1 - q * q) / x.size)
    assert abs(np.mean(x * x) - width) < 4.5 * scatter
    assert abs(np.mean(x * np.roll(x, 1, axis=1)) - width * q) < 4.5 * scatter
    assert emulator.moments().mean.shape == (n,)


@pytest.mark.slow
def test_a_grid_of_a_million_units():
    side, own, coupling = 1000, 1.0, 1.0
    net = ktc.Network(lattices.grid(side, side, own, coupling, periodic=True), 1.0)
    emulator = ktc.Emulator(net, replicas=1, seed=41)
    emulator.run(0.1)
    assert emulator.ledger.imbalance() < 1e-12
    x = emulator.read().reshape(side, side)
    expected = green_function(side, own, coupling)
    scatter = np.sqrt(2 * np.sum(expected**2)) / side  # of ⟨x²⟩ over the sites, Isserlis
    assert abs(np.mean(x * x) - expected[0, 0]) < 4.5 * scatter
    assert abs(np.mean(x * np.roll(x, 1, axis=0)) - expected[1, 0]) < 4.5 * scatter


def corrupt(kind, place):
    """A diagonal matrix of three units, one of whose indices is wrong by a lot."""
    if kind == "lil":
        matrix = scipy.sparse.lil_array(np.eye(3))
        matrix.rows[2][0] = place
        return matrix
    matrix = getattr(scipy.sparse, f"{kind}_array")(np.eye(3))
    indices = matrix.row if kind == "coo" else matrix.indices
    indices[2] = place
    return matrix


@pytest.mark.parametrize("place", [3, 10**9, -1, -(2**31)])
@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "lil"])
def test_indices_outside_the_matrix(kind, place):
    """SciPy would read and write there: a segmentation fault at best."""
    with refused(ValueError, "stiffness must have all of its indices within the matrix"):
        ktc.Network(corrupt(kind, place), friction=1.0)
    emulator = ktc.Emulator(ktc.Network(scipy.sparse.eye_array(3), 1.0), replicas=2, seed=1)
    with refused(ValueError, "stiffness must have all of its indices within the matrix"):
        emulator.set(stiffness=corrupt(kind, place))


def test_row_pointers_outside_the_matrix():
    matrix = scipy.sparse.csr_array(np.eye(3))
    matrix.indptr[:] = [0, 10**6, 2, 3]
    with refused(ValueError, "stiffness must have all of its indices within the matrix"):
        ktc.Network(matrix, friction=1.0)


@pytest.mark.parametrize("wrong", [100, -5, 2**31 - 1])
def test_an_edited_column_in_a_file(tmp_path, wrong):
    path = tmp_path / "sparse.npz"
    ktc.Emulator(ktc.Network(scipy.sparse.eye_array(3), 1.0), replicas=2, seed=1).save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["description/stiffness/indices"][1] = wrong
    np.savez(path, **arrays)
    with refused(ValueError, str(path), "description/stiffness", "indices within the matrix"):
        ktc.Emulator.load(path)


def test_indices_outside_a_matrix_that_a_dense_network_is_set_to():
    """They would be followed anywhere in memory."""
    emulator = ktc.Emulator(ktc.Network(np.eye(3), 1.0), 2, seed=1)
    wrong = scipy.sparse.csr_array(np.eye(3))
    wrong.indices = np.array([0, 1, 10**9], dtype=wrong.indices.dtype)
    with refused(ValueError, "stiffness must have all of its indices within the matrix"):
        emulator.set(stiffness=wrong)
    emulator.set(stiffness=2 * scipy.sparse.eye_array(3))
    assert (emulator.controls.stiffness == 2 * np.eye(3)).all()


@pytest.mark.parametrize("last", [0, -(2**63), -1, 1])
def test_index_pointers_that_decrease(last):
    """SciPy checks no index of a matrix whose last pointer is not positive."""
    wrong = scipy.sparse.csr_array(np.eye(3))
    wrong.indptr = np.array([0, 2, 3, last], dtype=np.int64)
    with refused(ValueError, "stiffness must have all of its indices", "must not decrease"):
        ktc.Network(wrong, 1.0)
