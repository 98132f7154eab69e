"""Equilibrium of networks with quartic units, as it is drawn and as long motion keeps it.

References: quadrature of exp(−H/kT) for two to four units, transfer matrices of chains and rings,
a Gaussian integral that decouples units coupled all alike, and importance sampling from all wells
for dense random couplings. χ² tests raise a false alarm with probability 1e-5
each, "4σ" comparisons with 6.3e-5; all seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pytest

import ktc
from ensembles import near, surprise
from ktc._model.elements import Resistor as Element
from reference_quartic import Units
from refusal import refused


def emulator(units, replicas, seed, **options):
    network = ktc.Network(
        units.stiffness,
        options.pop("friction", 1.0),
        kT=units.kT,
        bias=units.bias,
        quartic=units.quartic,
        inertia=options.pop("inertia", None),
    )
    return ktc.Emulator(network, replicas=replicas, seed=seed, **options)


def chain(units, own, coupling, ring=False):
    """K of units coupled to the next; ``own`` and ``coupling`` numbers or one a unit."""
    stiffness = np.diag(np.broadcast_to(np.asarray(own, float), units))
    for i, value in enumerate(np.broadcast_to(np.asarray(coupling, float), units)):
        j = (i + 1) % units
        if i < units - 1 or ring:
            stiffness = stiffness + value * (np.eye(units)[[i]].T @ np.eye(units)[[j]])
            stiffness = stiffness + value * (np.eye(units)[[j]].T @ np.eye(units)[[i]])
    return stiffness


def frustrated(units, own, coupling):
    """All pairs coupled alike, so that no two units can agree."""
    return coupling * np.ones((units, units)) + (own - coupling) * np.eye(units)


RANDOM = np.random.default_rng(4)
SIGNS = np.triu(RANDOM.choice([-1.0, 1.0], (4, 4)), 1)
SMALL = {
    "two, one well": Units([[1.0, 0.6], [0.6, 0.5]], [0.5, 2.0], [0.3, -1.0], 0.8),
    "two, tilted wells": Units([[-3.0, 1.0], [1.0, -2.0]], [1.0, 1.5], [0.4, -0.1], 0.6),
    "two, well of the coupling alone": Units([[0.5, -4.0], [-4.0, 0.5]], 1.0, [0.05, 0.05], 0.4),
    "two, one of them linear": Units([[1.0, 0.8], [0.8, -1.0]], [0.0, 1.0], [0.2, 0.1], 0.5),
    "three, frustrated": Units(frustrated(3, -2.0, 1.2), 1.0, [0.1, 0.0, -0.15], 0.4),
    "three, stiff together": Units(chain(3, [9.0, 17.0, 9.0], -8.9), 0.5, 0.2, 0.5),
    "four, random signs": Units(-1.5 * np.eye(4) + 0.7 * (SIGNS + SIGNS.T), 1.0, 0.1, 0.5),
}


@pytest.mark.parametrize("units", SMALL.values(), ids=SMALL.keys())
def test_small_networks_against_quadrature(units):
    """Means, ⟨x_i x_j⟩ and ⟨x_i⁴⟩ at 4σ, from the draw and after motion from it."""
    d = len(units.bias)
    points, weights = units.on_grid({2: 6.0, 3: 5.0, 4: 3.5}[d], {2: 160, 3: 80, 4: 28}[d])

    def observables(x):
        first, second = np.triu_indices(d)
        return np.hstack([x, x[:, first] * x[:, second], x**4])

    exact = weights @ observables(points)
    device = emulator(units, 40_000 // 2**d, 101)
    assert near(observables(device.read()), exact)
    device.run(0.5)
    assert near(observables(device.read()), exact, relative_bias=2e-3)
    assert device.ledger.imbalance() < 1e-12
    assert near(device.ledger.heat, 0.0, bias=2e-3 * units.kT)


FIELD = np.array([0.1, 0.0, -0.2, 0.05, 0.3, -0.1, 0.0, 0.15])
LONG = {
    "five, ring of three signs": (
        Units(chain(5, -2.0, [1.0, 1.0, -1.0, 1.0, -1.0], ring=True), 1.0, FIELD[:5], 0.4),
        4.0,
    ),
    "six, chain of unlike units": (
        Units(chain(6, [-3, 1, -2, 0.5, -1, 2], 0.8), [1, 0.1, 2, 0.3, 1, 0.2], FIELD[:6]),
        7.0,
    ),
    "seven, frustrated ring": (Units(chain(7, -2.0, 1.0, ring=True), 1.0, FIELD[:7], 0.3), 4.0),
    "eight, fields against the order": (
        Units(chain(8, -6.0, 1.0), 1.0, 0.1 * np.arange(8), 0.4),
        5.0,
    ),
    "eight, wells of couplings alone": (
        Units(chain(8, 0.5, -6.0), 1.0, 0.1 * np.eye(8)[0], 0.5),
        7.0,
    ),
    "eight, stiff together": (
        Units(chain(8, [50.1, *[100.1] * 6, 50.1], -50.0), 0.05, 0.2, 1.0),
        10.0,
    ),
    "eight, a stiff kink": (
        Units(chain(8, [19.0, *[39.0] * 6, 19.0], -20.0), 1.0, 0.02 * (FIELD > 0), 0.5),
        4.0,
    ),
}


@pytest.mark.parametrize(("units", "reach"), LONG.values(), ids=LONG.keys())
def test_chains_and_rings_against_transfer_matrices(units, reach):
    """Every unit's marginal distribution, χ², drawn and moved by a tenth of a unit's time."""
    x, marginals = units.chain(reach, 801)
    device = emulator(units, 3000, 102)
    for _ in range(2):
        samples = device.read()
        for i, weights in enumerate(marginals):
            assert surprise(samples[:, i], x, weights) > 1e-5
            assert near(samples[:, [i]], weights @ x, bias=1e-3)
        device.run(0.1)
    assert device.ledger.imbalance() < 1e-12


@pytest.mark.parametrize(("d", "coupling"), [(5, 0.4), (8, 0.6), (8, 1.5)])
def test_frustrated_wells_against_a_decoupled_integral(d, coupling):
    """All pairs at odds, and fields on them: marginals by Hubbard's integral, χ² and 4σ."""
    units = Units(frustrated(d, -2.0, coupling), 1.0, FIELD[:d], 0.4)
    x, marginals = units.all_alike(5.0, 1001)
    assert np.all(marginals > -1e-9)
    samples = emulator(units, 3000, 103).read()
    for i, weights in enumerate(np.maximum(marginals, 0)):
        assert surprise(samples[:, i], x, weights / weights.sum()) > 1e-5
        assert near(samples[:, [i]], weights @ x)


@pytest.mark.parametrize(("d", "seed", "strength"), [(6, 1, 0.15), (6, 2, 0.3), (8, 3, 0.6)])
def test_random_frustration_against_importance_sampling(d, seed, strength):
    """Double wells of 8 kT, random couplings and fields, up to 64 minima that matter.

    ⟨x_i⟩ and ⟨x_i x_j⟩ at 5σ of both errors together, at most 72 numbers: false alarm 4e-5.
    """
    rng = np.random.default_rng(seed)
    stiffness = np.triu(rng.normal(size=(d, d)) * strength, 1)
    stiffness = stiffness + stiffness.T - 3.0 * np.eye(d)
    units = Units(stiffness, 1.0, rng.normal(size=d) * 0.2, 0.3)
    points, weights = units.of_wells(30_000, seed)
    assert 1 / np.sum(weights**2) > 6e3

    def observables(x):
        return np.hstack([x, np.einsum("ri,rj->rij", x, x).reshape(len(x), -1)])

    expected = weights @ observables(points)
    error = np.sqrt(weights**2 @ (observables(points) - expected) ** 2)
    found = observables(emulator(units, 4000, 112).read())
    scatter = np.sqrt(found.var(axis=0) / len(found) + error**2)
    assert np.all(np.abs(found.mean(axis=0) - expected) < 5 * scatter)


DENSE = {
    "eight": (8, [-1.0, -1.0, 0.0, 1.0, 2.0, -0.5, 0.5, 1.0]),
    "twenty": (20, -0.8),
}


@pytest.mark.parametrize(("d", "own"), DENSE.values(), ids=DENSE.keys())
@pytest.mark.parametrize("inertia", [None, 0.7])
def test_equipartition_of_dense_random_networks(d, own, inertia):
    """⟨x_i ∂H/∂x_j⟩ = kT δ_ij for all pairs at 5σ (400 of them: false alarm 3e-4), drawn and moved.

    With inertia momenta are normal of variance kT M, independent of positions.
    """
    rng = np.random.default_rng(5)
    stiffness = rng.normal(size=(d, d)) * 0.8 / np.sqrt(d)
    stiffness = stiffness + stiffness.T
    np.fill_diagonal(stiffness, own)
    units = Units(stiffness, rng.uniform(0.5, 2.0, d), rng.normal(size=d) * 0.3, 0.6)
    device = emulator(units, 800, 104, inertia=inertia)

    def identity(x):
        slope = x @ units.stiffness - units.bias + units.quartic * x**3
        return np.einsum("ri,rj->rij", x, slope).reshape(len(x), -1)

    for _ in range(2):
        x = device.read()
        assert near(identity(x), 0.6 * np.eye(d).ravel(), sigmas=5, bias=2e-3)
        if inertia is not None:
            p = device.read_momentum()
            products = np.einsum("ri,rj->rij", p, p).reshape(len(p), -1)
            assert near(products, 0.6 * 0.7 * np.eye(d).ravel(), sigmas=5, bias=2e-3)
            assert near(np.einsum("ri,rj->rij", p, x).reshape(len(p), -1), 0.0, sigmas=5)
        device.run(1.0)
    assert device.ledger.imbalance() < 1e-12


@pytest.mark.parametrize("inertia", [None, [0.5, 2.0]])
def test_long_motion_reaches_what_is_drawn(inertia):
    """From one corner, over barriers of 2 kT, to the quadrature's moments at 4σ."""
    units = SMALL["two, tilted wells"]
    soft = Units(units.stiffness * 0.6, units.quartic, units.bias, 0.8)
    points, weights = soft.on_grid(6.0, 160)
    exact = weights @ np.hstack([points, points**2, points[:, [0]] * points[:, [1]]])
    device = emulator(soft, 4000, 105, inertia=inertia, friction=[0.5, 1.0], state=[2.0, 2.0])
    device.run(60.0)
    x = device.read()
    assert near(np.hstack([x, x**2, x[:, [0]] * x[:, [1]]]), exact, relative_bias=5e-3)
    device.equilibrate()
    x = device.read()
    assert near(np.hstack([x, x**2, x[:, [0]] * x[:, [1]]]), exact)


def test_circuit_with_a_quartic_capacitor_and_an_inductor():
    """Independent coordinates of an LC pair: quadrature of one, kT L of the other, χ² and 4σ."""
    network = ktc.Network.of_elements(
        np.diag([-1.0, 0.5]),
        [Element([1.0, 0.0], 0.4, "R")],
        0.3,
        bias=[0.1, 0.2],
        quartic=[1.0, 0.0],
        interconnection=[[0.0, -1.0], [1.0, 0.0]],
    )
    alone = Units([[-1.0]], 1.0, [0.1], 0.3)
    x, (weights,) = alone.chain(3.0, 1001)
    device = ktc.Emulator(network, replicas=20_000, seed=106)
    for _ in range(2):
        q, flux = device.read().T
        assert surprise(q, x, weights) > 1e-5
        assert near(np.column_stack([flux, (flux - 0.4) ** 2]), [0.4, 0.6], relative_bias=2e-3)
        device.run(5.0)
    assert device.ledger.imbalance() < 1e-12


def test_draws_are_independent():
    """Replicas, and draws one after the other, share nothing: correlations below 4.5/√n."""
    units = SMALL["two, tilted wells"]
    for kind in (units, Units(np.diag([-1.0, 1.0]), 1.0, 0.0, 0.5)):
        device = emulator(kind, 20_000, 107)
        draws = [device.read()]
        for _ in range(2):
            device.equilibrate()
            draws.append(device.read())
        device.set(quartic=0.0, stiffness=np.eye(2))
        device.equilibrate()
        draws.append(device.read())
        flat = np.hstack(draws)
        correlation = np.corrcoef(np.hstack([flat[:-16], flat[1:-15], flat[16:]]).T)
        within = np.kron(np.eye(12), np.ones((2, 2)))
        assert np.all(np.abs(correlation[within == 0]) < 4.5 / np.sqrt(len(flat) - 16))


def test_work_of_quartic_updates():
    """``set(quartic=…)`` books ¼Σ Δκ x⁴ and no more; bias, stiffness and quartic at once add up."""
    units = SMALL["two, tilted wells"]
    device = emulator(units, 50, 108)
    x, before = device.read(), device.energy()
    device.set(quartic=[2.0, 0.5])
    expected = 0.25 * x**4 @ (np.array([2.0, 0.5]) - units.quartic)
    assert device.ledger.work == pytest.approx(expected, rel=1e-12, abs=1e-12)
    device.set(quartic=[1.0, 3.0], bias=[0.0, 1.0], stiffness=[[-1.0, 0.0], [0.0, -1.0]])
    assert device.ledger.work == pytest.approx(device.energy() - before, rel=1e-12, abs=1e-12)
    assert np.array_equal(device.read(), x)
    assert device.ledger.imbalance() < 1e-12


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"stiffness": -1.0}, ("stiffness", "-1", "quartic")),
        (
            {"stiffness": [[-1.0, 0.0], [0.0, -1.0]], "quartic": [1.0, 0.0]},
            ("stiffness", "quartic"),
        ),
        (
            {"stiffness": [[-1.0, 2.0], [2.0, 1.0]], "quartic": [0.0, 1.0]},
            ("stiffness", "confines"),
        ),
        ({"stiffness": 1.0, "quartic": -0.5}, ("quartic must not be negative", "-0.5", "unit 0")),
        ({"stiffness": 1.0, "quartic": [1.0, 1.0]}, ("quartic", "(1,)", "(2,)")),
        ({"stiffness": 1.0, "quartic": np.inf}, ("quartic must be finite",)),
    ],
)
def test_energies_that_confine_nothing(options, parts):
    """Negative quartic terms, and negative stiffness without one, are refused by name."""
    with refused(ValueError, *parts):
        ktc.Network(friction=1.0, **options)


def test_losing_confinement_is_refused_before_anything_changes():
    """κ → 0 of a double well, alone or in a late tick."""
    device = ktc.Emulator(ktc.Network(-1.0, 1.0, quartic=1.0), replicas=10, seed=109)
    state = device.read()
    with refused(ValueError, "stiffness", "-1", "quartic"):
        device.set(quartic=0.0)
    ramp = ktc.Protocol([0.1, 0.1, 0.1], {"quartic": [1.0, 0.5, 0.0]})
    with refused(ValueError, "tick 2", "stiffness"):
        device.play(ramp)
    assert np.array_equal(device.read(), state) and device.time == 0
    device.set(quartic=0.0, stiffness=2.0)
    device.run(1.0)
    assert device.ledger.imbalance() < 1e-12


def test_quartic_units_that_are_driven_or_unevenly_hot_need_a_state():
    """Without a closed form of the stationary state the emulator asks for one, and takes it."""
    for options in ({"kT": [1.0, 2.0]}, {"emf": True}):
        kT = options.get("kT", 1.0)
        resistors = [
            Element([1.0, 0.0], 1.0, "a", emf=0.5 if "emf" in options else 0.0),
            Element([0.0, 1.0], 1.0, "b"),
        ]
        network = ktc.Network.of_elements(np.eye(2), resistors, kT, quartic=1.0)
        with refused(ValueError, "no stationary state in closed form", "state to start from"):
            ktc.Emulator(network, replicas=10, seed=110)
        device = ktc.Emulator(network, replicas=10, seed=110, state=0.0)
        device.run(1.0)
        assert device.ledger.imbalance() < 1e-12
        with refused(ValueError, "no stationary state in closed form"):
            device.equilibrate()


def test_energies_beyond_all_digits_are_refused():
    """Where 1e-16 of the energy is more than kT no sampler can weigh states: said, not sampled."""
    with refused(ValueError, "kT is so small", "1e12"):
        ktc.Emulator(ktc.Network(-1.0, 1.0, kT=1e-14, quartic=1.0), replicas=10, seed=111)
    with refused(ValueError, "bias so large", "1e12"):
        ktc.Emulator(ktc.Network(1.0, 1.0, bias=1e12, quartic=1.0), replicas=10, seed=111)


@pytest.mark.parametrize("quartic", [5.8e-5, 1e-300])
@pytest.mark.parametrize("bias", [0.0, 1e-4])
def test_a_quartic_term_below_rounding_changes_nothing(quartic, bias):
    """A picofarad at room temperature: the free energy is that without it."""
    weak = ktc.Network(1e12, 1e6, kT=4.14e-21, bias=bias, quartic=quartic)
    plain = ktc.Network(1e12, 1e6, kT=4.14e-21, bias=bias)
    expected = ktc.theory.free_energy(plain)
    assert ktc.theory.free_energy(weak) == pytest.approx(expected, rel=1e-12)
