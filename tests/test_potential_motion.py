"""Motion in any on-site potential, against quadrature, Fokker–Planck grids and slow integrators."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, linalg, stats

import ktc
from ktc import potentials

KT = 0.8
GRID = np.linspace(-7.0, 7.0, 14001)
POINTS = np.linspace(-3.0, 3.0, 25)

#: A potential of every kind, the stiffness beside it, and parameters to move it to.
CASES = {
    "polynomial": (
        potentials.Polynomial({1: 0.1, 2: -1.0, 3: 0.2, 4: 0.3, 6: 0.05}),
        0.2,
        {"c2": 0.5, "c4": 0.1},
    ),
    "cosine": (potentials.Cosine(1.5, 1.7), 1.0, {"amplitude": 0.3, "period": 2.2}),
    "two parabolas": (
        potentials.TwoParabolas(0.3, 1.2, 1.1),
        0.0,
        {"center": -0.4, "distance": 0.6, "spring": 1.5},
    ),
    "table": (
        potentials.Table(POINTS, 0.25 * POINTS**4 - 0.5 * POINTS**2 + 0.1 * POINTS),
        0.0,
        {"scale": 1.8},
    ),
    "uneven table": (
        potentials.Table(np.sinh(POINTS), np.sinh(POINTS) ** 2 * (1 + 0.3 * np.sin(POINTS))),
        0.0,
        {"scale": 0.6},
    ),
}
NAMES = list(CASES)


def network(name: str, **options) -> ktc.Network:
    potential, stiffness, _ = CASES[name]
    given = {"friction": 1.3, "kT": KT, "bias": 0.2, "potential": potential}
    return ktc.Network(stiffness, **(given | options))


def energy(net: ktc.Network, x: np.ndarray) -> np.ndarray:
    """H of one unit without its momentum, by the formulas of the Python classes."""
    own = 0.5 * net.stiffness[0, 0] * x**2 - net.bias[0] * x + 0.25 * net.quartic[0] * x**4
    return own + net.potentials[0].energy(x)


def distribution(net: ktc.Network) -> np.ndarray:
    """The equilibrium distribution function at GRID."""
    value = energy(net, GRID)
    weight = np.exp((value.min() - value) / KT)
    total = integrate.cumulative_simpson(weight, x=GRID, initial=0.0)
    return total / total[-1]


def ks(samples: np.ndarray, net: ktc.Network) -> float:
    cumulative = distribution(net)
    return stats.kstest(samples, lambda x: np.interp(x, GRID, cumulative)).pvalue


MOTIONS = {
    "overdamped": {},
    "float32": {"dtype": "float32"},
    "resolved": {"resolve_heat": True},
    "inertia": {"inertia": 0.7},
}


@pytest.mark.parametrize("motion", MOTIONS)
@pytest.mark.parametrize("name", NAMES)
def test_starts_and_stays_in_equilibrium(name: str, motion: str) -> None:
    """Kolmogorov–Smirnov at 1e-4 each, before and after 2 units of time at the default step."""
    options = dict(MOTIONS[motion])
    inertia = options.pop("inertia", None)
    net = network(name, inertia=inertia)
    emulator = ktc.Emulator(net, replicas=4000, seed=11, threads=1, **options)
    start = emulator.read()[:, 0]
    assert ks(start, net) > 1e-4
    kinetic = 0.0 if inertia is None else 0.5 * emulator.read_momentum()[:, 0] ** 2 / inertia
    np.testing.assert_allclose(emulator.energy(), energy(net, start) + kinetic, atol=1e-6)
    emulator.run(2.0)
    assert ks(emulator.read()[:, 0], net) > 1e-4
    assert emulator.ledger.imbalance() < (1e-5 if options.get("dtype") else 1e-12)


def fokker_planck(net: ktc.Network, protocol: ktc.Protocol) -> tuple[float, float]:
    """Mean and variance of the work of a played protocol on a grid, in time by Crank–Nicolson.

    Moments of the work at each place are carried beside the density; rates between neighbours
    kT/γΔ² e^{−ΔH/2kT} leave exp(−H/kT) as it is.
    """
    x = np.linspace(-5.0, 5.0, 801)
    value = energy(net, x)
    p = np.exp((value.min() - value) / KT)
    moments = np.stack([p / p.sum(), np.zeros_like(p), np.zeros_like(p)])
    controls = net.controls
    rate = KT / net.friction[0, 0] / (x[1] - x[0]) ** 2

    def update(**changes: np.ndarray) -> None:
        nonlocal controls, value
        controls = controls.updated(**changes)
        after = energy(net.with_controls(controls), x)
        change, value = after - value, after
        moments[2] += 2 * change * moments[1] + change**2 * moments[0]
        moments[1] += change * moments[0]

    for tick, hold in enumerate(protocol.holds):
        update(**{name: values[tick] for name, values in protocol.controls.items()})
        steps = 40
        half = 0.5 * hold / steps * rate
        rise = np.diff(value) / (2 * KT)
        up, down = half * np.exp(-rise), half * np.exp(rise)
        out = np.append(up, 0.0) + np.insert(down, 0, 0.0)
        bands = np.zeros((3, len(x)))
        bands[0, 1:], bands[1], bands[2, :-1] = -down, 1 + out, -up
        for _ in range(steps):
            moved = (1 - out) * moments
            moved[:, 1:] += up * moments[:, :-1]
            moved[:, :-1] += down * moments[:, 1:]
            moments[:] = linalg.solve_banded((1, 1), bands, moved.T).T
    if protocol.final:
        update(**protocol.final)
    mean = float(moments[1].sum())
    return mean, float(moments[2].sum()) - mean**2


def ramp(net: ktc.Network, name: str) -> ktc.Protocol:
    ends = {}
    for parameter, last in CASES[name][2].items():
        first = net.potentials[0].numbers[net.potentials[0].names.index(parameter)]
        ends[parameter] = (first, last)
    return ktc.Protocol.ramp(0.8, 16, bias=(0.2, -0.5), **ends)


@pytest.mark.parametrize("motion", ["overdamped", "float32", "resolved"])
@pytest.mark.parametrize("name", NAMES)
def test_work_of_moving_parameters(name: str, motion: str) -> None:
    """Mean within 4.5 errors and variance within 5 of a Fokker–Planck grid: 1e-5 a false alarm."""
    net = network(name)
    protocol = ramp(net, name)
    emulator = ktc.Emulator(net, replicas=6000, seed=5, threads=1, **MOTIONS[motion])
    run = emulator.play(protocol)
    work = run.work.samples
    mean, variance = fokker_planck(net, protocol)
    deviations = (work - work.mean()) ** 2
    count = np.sqrt(len(work))
    assert abs(work.mean() - mean) < 4.5 * work.std() / count + 2e-3 * abs(mean)
    assert abs(deviations.mean() - variance) < 5 * deviations.std() / count + 5e-3 * variance
    assert emulator.ledger.imbalance() < (1e-5 if motion == "float32" else 1e-12)
    after = net.with_controls(emulator.controls)
    for parameter, last in CASES[name][2].items():
        place = after.potentials[0].names.index(parameter)
        assert after.potentials[0].numbers[place] == pytest.approx(last)


@pytest.mark.parametrize("name", NAMES)
def test_jarzynski_with_inertia(name: str) -> None:
    """⟨e^{−W/kT}⟩ = e^{−ΔF/kT} by quadrature, to 5 errors of the exponential average."""
    net = network(name, inertia=0.7)
    emulator = ktc.Emulator(net, replicas=6000, seed=6, threads=1)
    run = emulator.play(ramp(net, name))
    after = net.with_controls(emulator.controls)
    parts = [integrate.simpson(np.exp(-energy(one, GRID) / KT), x=GRID) for one in (net, after)]
    weights = np.exp(-run.work.samples / KT)
    error = weights.std() / np.sqrt(len(weights))
    assert abs(weights.mean() - parts[1] / parts[0]) < 5 * error
    assert emulator.ledger.imbalance() < 1e-12


@pytest.mark.parametrize("motion", ["overdamped", "resolved", "inertia"])
@pytest.mark.parametrize("name", ["polynomial", "cosine", "table"])
def test_second_order_in_the_step(name: str, motion: str) -> None:
    """Without noise a trajectory is that of an accurate integrator, to four times less per half."""
    mass = 0.7 if motion == "inertia" else None
    net = network(name, kT=1e-14, inertia=mass)
    slope = lambda x: (  # noqa: E731
        net.stiffness[0, 0] * x - net.bias[0] + net.potentials[0].slope(np.array([x]))[0]
    )
    gamma = net.friction[0, 0]
    if mass is None:
        found = integrate.solve_ivp(
            lambda t, y: [-slope(y[0]) / gamma], (0, 0.5), [1.4], rtol=1e-10, atol=1e-12
        )
    else:
        found = integrate.solve_ivp(
            lambda t, y: [y[1] / mass, -slope(y[0]) - gamma * y[1] / mass],
            (0, 0.5), [1.4, 0.3], rtol=1e-10, atol=1e-12,
        )  # fmt: skip
    errors = []
    for dt in (0.05, 0.025):
        given = {} if mass is None else {"momentum": 0.3}
        emulator = ktc.Emulator(
            net, replicas=1, seed=1, threads=1, dt=dt, state=1.4,
            resolve_heat=motion == "resolved", **given,
        )  # fmt: skip
        emulator.run(0.5)
        errors.append(abs(emulator.read()[0, 0] - found.y[0, -1]))
    assert errors[1] < 5e-3
    assert errors[0] / errors[1] > 3.3


@pytest.mark.parametrize("inertia", [None, 0.7])
def test_a_tabulated_quartic_has_the_averages_of_the_quartic(inertia: float | None) -> None:
    """⟨x²⟩ of a unit out of equilibrium, by κ, a polynomial and a table: within 4.5 errors."""
    x = np.linspace(-5.0, 5.0, 401)
    forms = [
        {"quartic": 1.0},
        {"potential": potentials.Polynomial({4: 0.25})},
        {"potential": potentials.Table(x, 0.25 * x**4)},
    ]
    means = []
    for seed, form in enumerate(forms):
        net = ktc.Network(-1.0, 1.0, kT=0.7, inertia=inertia, **form)
        emulator = ktc.Emulator(net, replicas=6000, seed=seed, threads=1, state=0.0)
        emulator.run(1.0)
        squares = emulator.read()[:, 0] ** 2
        means.append((squares.mean(), squares.std() / np.sqrt(len(squares))))
    for mean, error in means[1:]:
        assert abs(mean - means[0][0]) < 4.5 * np.hypot(error, means[0][1])


def test_coupled_units_in_equilibrium() -> None:
    """⟨x₀x₁⟩, ⟨x₀²⟩ and ⟨x₁⟩ of unlike coupled units against the plane, at the start and later."""
    units = [potentials.Cosine(1.0, 1.5), potentials.TwoParabolas(0.2, 1.0)]
    stiffness = np.array([[1.0, 0.6], [0.6, 0.4]])
    net = ktc.Network(stiffness, 1.0, kT=KT, bias=[0.1, -0.2], potential=units)
    x = np.linspace(-6, 6, 1201)
    a, b = np.meshgrid(x, x, indexing="ij")
    value = 0.5 * a**2 + 0.6 * a * b + 0.2 * b**2 - 0.1 * a + 0.2 * b
    value = value + units[0].energy(a) + units[1].energy(b)
    weight = np.exp(-value / KT)
    weight /= weight.sum()
    emulator = ktc.Emulator(net, replicas=6000, seed=3, threads=1)
    for _ in range(2):
        s = emulator.read()
        for f, g in ((s[:, 0] * s[:, 1], a * b), (s[:, 0] ** 2, a**2), (s[:, 1], b)):
            error = f.std() / np.sqrt(len(f))
            assert abs(f.mean() - (weight * g).sum()) < 4.5 * error
        emulator.run(1.0)
    assert emulator.ledger.imbalance() < 1e-12


def test_two_temperatures_carry_heat_from_the_hot_unit() -> None:
    """Polynomials x² move as the stiffness does: states and heats of the linear network."""
    stiffness = np.array([[2.0, -0.8], [-0.8, 2.0]])
    bare = stiffness - np.eye(2)
    linear = ktc.Network(stiffness, 1.0, kT=[2.0, 0.5])
    net = ktc.Network(bare, 1.0, kT=[2.0, 0.5], potential=potentials.Polynomial({2: 0.5}))
    results = []
    for one in (linear, net):
        emulator = ktc.Emulator(
            one, replicas=3000, seed=8, threads=1, state=0.0, resolve_heat=True, dt=0.05
        )
        emulator.run(3.0)
        assert emulator.ledger.imbalance() < 1e-12
        results.append((emulator.read(), emulator.ledger.heat_per_resistor))
    np.testing.assert_allclose(results[0][0], results[1][0], atol=1e-9)
    np.testing.assert_allclose(results[0][1], results[1][1], atol=1e-9)


def test_saved_and_loaded_emulators_go_on_with_the_same_bits(tmp_path) -> None:
    net = network("two parabolas", inertia=0.7)
    emulator = ktc.Emulator(net, replicas=64, seed=2, threads=1)
    emulator.set(center=0.1, distance=2.0)
    emulator.run(0.3)
    emulator.save(tmp_path / "e.ktc")
    again = ktc.Emulator.load(tmp_path / "e.ktc", threads=1)
    for one in (emulator, again):
        one.set(distance=0.5)
        one.run(0.4)
    np.testing.assert_array_equal(emulator.read(), again.read())
    np.testing.assert_array_equal(emulator.ledger.work, again.ledger.work)
    assert again.controls.potentials[0].distance == 0.5


def test_what_potentials_do_not_go_with_is_refused_by_name() -> None:
    net = network("cosine")
    with pytest.raises(ValueError, match="replicas must be finite.*potentials"):
        ktc.Emulator(net, replicas=float("inf"))
    with pytest.raises(ValueError, match="friction a scalar"):
        ktc.Network(np.eye(2), [[1.0, 0.2], [0.2, 1.0]], potential=potentials.Cosine(1.0, 1.0))
    with pytest.raises(ValueError, match="dt must be at most"):
        ktc.Emulator(net, replicas=4, dt=2.0)
    emulator = ktc.Emulator(net, replicas=4, seed=1)
    before = emulator.read()
    for bad in ({"period": -1.0}, {"amplitude": np.nan}, {"amplitude": [1.0, 2.0]}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            emulator.set(**bad)
    with pytest.raises(TypeError, match="center"):
        emulator.set(center=1.0)
    np.testing.assert_array_equal(emulator.read(), before)
    assert not emulator.ledger.work.any()


def test_replicas_with_a_bias_of_their_own_move_as_one_emulator_each() -> None:
    """With potentials too, overdamped and resolved; refused by name where units kick together."""
    net = network("cosine")
    biases = np.array([[0.0], [0.5], [-1.0]])
    for options in ({}, {"resolve_heat": True}):
        together = ktc.Emulator(net, replicas=3, seed=4, threads=1, state=0.2, dt=0.02, **options)
        together.set(bias=biases)
        together.run(0.3)
        for replica, bias in enumerate(biases):
            alone = ktc.Emulator(
                net, replicas=1, seed=4, threads=1, state=0.2, dt=0.02, first_replica=replica,
                first_step=together.first_step, **options,
            )  # fmt: skip
            alone.set(bias=bias)
            alone.run(0.3)
            assert alone.read()[0, 0] == together.read()[replica, 0]
    heavy = ktc.Emulator(network("cosine", inertia=1.0), replicas=3, seed=4, threads=1)
    with pytest.raises(ValueError, match="inertia and potentials"):
        heavy.set(bias=biases)


def test_free_energy_between_other_potentials_is_refused() -> None:
    one, other = network("cosine"), network("table")
    with pytest.raises(ValueError, match="kinds and tables of potentials"):
        ktc.theory.free_energy_difference(one, other, seed=1)


def test_escapes_of_a_cosine_unit() -> None:
    """Share beyond both barriers against a Fokker–Planck grid; the rate is near Kramers'."""
    height, stiffness, time = 2.0, 0.02, 8.0
    net = ktc.Network(stiffness, 1.0, potential=potentials.Cosine(-height, 2 * np.pi))
    x = np.linspace(-10.0, 10.0, 501)
    rise = np.diff(energy(net, x)) / 2
    up, down = np.exp(-rise), np.exp(rise)
    out = np.append(up, 0.0) + np.insert(down, 0, 0.0)
    generator = np.diag(-out) + np.diag(up, -1) + np.diag(down, 1)
    moved = linalg.expm(time / (x[1] - x[0]) ** 2 * generator)[:, len(x) // 2]
    share = float(moved[np.abs(x) > np.pi].sum())
    emulator = ktc.Emulator(net, replicas=10_000, seed=9, threads=1, state=0.0)
    emulator.run(time)
    found = float((np.abs(emulator.read()[:, 0]) > np.pi).mean())
    assert abs(found - share) < 4.5 * np.sqrt(share * (1 - share) / 10_000) + 0.02 * share
    curvature = np.sqrt((height + stiffness) * (height - stiffness))
    barrier = 2 * height + 0.5 * stiffness * np.pi**2
    kramers = 2 * curvature / (2 * np.pi) * np.exp(-barrier)
    assert found / time == pytest.approx(kramers, rel=0.35)
