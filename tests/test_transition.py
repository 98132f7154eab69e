"""The exact motion over one hold, against closed forms and a reference of sixty and more digits.

Coordinates of one network differ by many decades (coulombs beside webers), so errors of A and Q are
measured entry by entry in units of the equilibrium widths √P_ii, and relative to ‖A‖ and ‖Q‖ there.
"""

import math

import mpmath as mp
import numpy as np
import pytest
import scipy.linalg
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import ktc
import reference_noise
from ktc import _core
from reference import (
    LinearNetwork,
    precise,
    random_spd,
    rounded,
    rows_norm,
    stationary_by_elimination,
)
from reference_noise import HOLD

TOLERANCE = 1e-12
COUPLED = np.array([[2.0, 0.5], [0.5, 2.0]])


@pytest.fixture(autouse=True)
def _digits():
    """Enough to lose forty in P − A P Aᵀ over the shortest holds."""
    with mp.workdps(90):
        yield


def transition(network, hold):
    inertia = np.empty(0) if network.inertia is None else network.inertia
    core = _core.Network.of_units(network.friction, inertia)
    units = np.zeros(len(network.stiffness))
    controls = {
        "bias": units,
        "stiffness": network.stiffness,
        "quartic": units,
        "kT": np.full(core.accounts, network.kT),
        "emf": np.zeros(core.resistors),
        "current": np.empty(0),
    }
    return _core.network_transition(core, controls, hold)


def scaled(matrix, widths, power):
    """Entry (i, j) over √P_ii, times (power 1) or over (power −1) √P_jj."""
    n = range(len(widths))
    return mp.matrix([[matrix[i, j] / widths[i] * widths[j] ** power for j in n] for i in n])


def widths_of(equilibrium):
    return [mp.sqrt(equilibrium[i, i]) for i in range(equilibrium.rows)]


def errors(network, hold):
    """Relative errors of A, of Q, and of P = A P Aᵀ + Q."""
    decay, covariance = (precise(part) for part in transition(network, hold))
    exact_decay, exact_covariance = network.precise_transition(hold)
    equilibrium = network.precise_equilibrium()
    widths = widths_of(equilibrium)
    a, exact_a = scaled(decay, widths, 1), scaled(exact_decay, widths, 1)
    q, exact_q, p = (scaled(m, widths, -1) for m in (covariance, exact_covariance, equilibrium))
    return (
        rows_norm(a - exact_a) / max(rows_norm(exact_a), 1e-300),
        rows_norm(q - exact_q) / rows_norm(exact_q),
        rows_norm(p - a * p * a.T - q) / (rows_norm(a) * rows_norm(p) + rows_norm(q)),
    )


def worst_direction(network, hold):
    """max |vᵀ(Q − Q*)v| / vᵀQ*v over all v: what no large entry can hide."""
    _, covariance = transition(network, hold)
    _, exact = network.precise_transition(hold)
    inverse = mp.cholesky(exact) ** -1
    error = inverse * (precise(covariance) - exact) * inverse.T
    return float(max(abs(value) for value in mp.eigsy((error + error.T) / 2, eigvals_only=True)))


def rates(network):
    """Fastest |λ| and slowest |Re λ| of the drift."""
    values = mp.eig(network.precise_drift(), left=False, right=False)
    return float(max(abs(v) for v in values)), float(min(-mp.re(v) for v in values))


@st.composite
def networks(draw):
    """Frictions, inertias and stiffnesses over six decades; normal, non-normal, singular noise."""
    d = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    decades = 10.0 ** rng.uniform(-1.5, 1.5, size=(3, d))
    stiffness = random_spd(rng, d) * np.sqrt(np.outer(decades[0], decades[0]))
    friction = random_spd(rng, d) * np.sqrt(np.outer(decades[1], decades[1]))
    if draw(st.booleans()):
        friction = np.diag(friction.diagonal())
    inertia = decades[2] if draw(st.booleans()) else None
    return LinearNetwork(stiffness, friction, kT=10.0 ** rng.uniform(-3, 3), inertia=inertia)


@settings(max_examples=60)
@given(network=networks(), exponent=st.floats(-6, 6), slow=st.booleans())
def test_random_networks_over_any_hold(network, exponent, slow):
    """From 1e-6 times the fastest to 1e6 times the slowest relaxation.

    A's own condition is ‖F‖h: rounding F once, as any computation in doubles does, changes A by
    that many units. Where nothing is left of A, only P = A P Aᵀ + Q has a meaning.
    """
    fastest, slowest = rates(network)
    hold = 10.0**exponent / (slowest if slow else fastest)
    a, q, balance = errors(network, hold)
    assert balance < TOLERANCE
    assert q < TOLERANCE * max(1.0, 1e-3 * fastest / slowest)
    if slowest * hold < 20:
        assert a < TOLERANCE * max(1.0, fastest * hold)


@settings(max_examples=30)
@given(network=networks(), exponent=st.floats(-6, 3))
def test_two_holds_are_one_of_twice_the_length(network, exponent):
    """A_2h = A_h A_h and Q_2h = Q_h + A_h Q_h A_hᵀ, in units of the equilibrium widths."""
    fastest, _ = rates(network)
    hold = 10.0**exponent / fastest
    (decay, covariance), (decay_2, covariance_2) = (
        transition(network, h) for h in (hold, 2 * hold)
    )
    width = np.sqrt(rounded(network.precise_equilibrium()).diagonal())
    back = np.outer(1 / width, width), np.outer(1 / width, 1 / width)
    condition = TOLERANCE * max(1.0, fastest * hold)
    assert np.abs((decay @ decay - decay_2) * back[0]).max() < condition
    twice = covariance + decay @ covariance @ decay.T
    scale = np.abs(covariance_2 * back[1]).max()
    assert np.abs((twice - covariance_2) * back[1]).max() < condition * scale


HOLDS = [1e-6, 1e-3, 1.0, 1e3, 1e6]

# name: network, and the accuracy of Q in its worst direction over any of the holds
GRADED = {
    "frictions from 1 to 1e12": (
        LinearNetwork(random_spd(np.random.default_rng(1), 3), [1e12, 1.0, 1e6]),
        1e-12,
    ),
    "frictions from 1 to 1e20": (
        LinearNetwork(random_spd(np.random.default_rng(2), 3), [1.0, 1e20, 1e10]),
        1e-12,
    ),
    "masses of 1e-8": (
        LinearNetwork(
            random_spd(np.random.default_rng(3), 3),
            random_spd(np.random.default_rng(4), 3, 4.0),
            inertia=1e-8,
        ),
        1e-12,
    ),
    "masses of 1e-14": (LinearNetwork(COUPLED, [1.0, 2.0], inertia=1e-14), 1e-9),
    "critically damped": (LinearNetwork(1.0, 2.0, inertia=1.0), 1e-12),
    "quality factor 1e4": (LinearNetwork(COUPLED, 1e-4, inertia=1.0), 1e-10),
    "farads and henries": (
        LinearNetwork(
            np.linalg.inv([[1e-12, 2e-13], [2e-13, 1.5e-12]]),
            1e3,
            kT=4.14e-21,
            inertia=[1e-6, 2e-6],
        ),
        1e-9,
    ),
}


@pytest.mark.parametrize("relative_hold", HOLDS)
@pytest.mark.parametrize(("network", "accuracy"), GRADED.values(), ids=GRADED.keys())
def test_slow_directions_keep_their_digits_beside_fast_ones(network, accuracy, relative_hold):
    """Tolerances: rounding times the condition of the noise at unit diagonal, at most 1e6."""
    fastest, slowest = rates(network)
    for hold in (relative_hold / fastest, relative_hold / slowest):
        assert worst_direction(network, hold) < accuracy
        assert errors(network, hold)[2] < TOLERANCE


def test_ornstein_uhlenbeck():
    for hold in (1e-9, 0.3, 40.0):
        decay, covariance = transition(LinearNetwork(2.0, 5.0, kT=0.7), hold)
        assert decay.item() == pytest.approx(math.exp(-0.4 * hold), rel=1e-15)
        assert covariance.item() == pytest.approx(-0.35 * math.expm1(-0.8 * hold), rel=1e-15)


@pytest.mark.parametrize("hold", [1e-6, 0.5, 7.0])
def test_critically_damped_cell(hold):
    """R² = 4MK: A = e^{−t}[[1 + t, t], [−t, 1 − t]] at K = M = 1, a Jordan block."""
    decay, covariance = transition(LinearNetwork(1.0, 2.0, kT=3.0, inertia=1.0), hold)
    exact = math.exp(-hold) * np.array([[1 + hold, hold], [-hold, 1 - hold]])
    assert decay == pytest.approx(exact, rel=1e-13, abs=1e-16)
    assert covariance == pytest.approx(3 * (np.eye(2) - exact @ exact.T), abs=3 * 1e-15, rel=1e-13)


@pytest.mark.parametrize("damping", [0.1, 2.0, 30.0])
def test_a_hundred_coupled_cells(damping):
    """Equal cells: each mode of K is one cell of its own, whose motion has a closed form."""
    d, hold = 100, 0.7
    rng = np.random.default_rng(5)
    values, vectors = np.geomspace(0.1, 10, d), np.linalg.qr(rng.normal(size=(d, d)))[0]
    stiffness = (vectors * values) @ vectors.T
    network = LinearNetwork((stiffness + stiffness.T) / 2, damping, inertia=1.0)
    decay, _ = transition(network, hold)
    frequency = np.sqrt(values - damping**2 / 4 + 0j)
    fade = np.exp(-damping * hold / 2)
    cosine = (fade * np.cos(frequency * hold)).real
    sine = (fade * np.sin(frequency * hold) / frequency).real
    half = damping / 2
    modes = [[cosine + half * sine, sine], [-values * sine, cosine - half * sine]]
    exact = np.block([[(vectors * mode) @ vectors.T for mode in row] for row in modes])
    # A hundred terms a product, forty products in series: some 1e-13.
    assert np.abs(decay - exact).max() < 1e-12


SYSTEMS = {
    "non-normal": ([[-2.0, -1.5], [0.0, -1.0]], np.eye(2)),
    "Jordan block": (-np.eye(4) + np.diag([1.0] * 3, 1), np.diag([0, 0, 0, 1.0])),
    "steep Jordan block": (-np.eye(4) + np.diag([100.0] * 3, 1), np.diag([0, 0, 0, 1.0])),
    "transient growth of 1e6": ([[-1.0, 1e6], [0.0, -1.0]], np.diag([0.0, 1.0])),
    "a coordinate without noise": (np.diag([-1.0, -2.0]), np.diag([0.0, 1.0])),
    "rotation": ([[-0.1, 5.0], [-5.0, -0.1]], np.diag([1.0, 0.0])),
}


@pytest.mark.parametrize("hold", [*HOLDS, 0.1, 10.0])
@pytest.mark.parametrize(("drift", "diffusion"), SYSTEMS.values(), ids=SYSTEMS.keys())
def test_any_stable_linear_system(drift, diffusion, hold):
    drift = np.array(drift)
    stationary = stationary_by_elimination(drift, diffusion)
    exact_decay = mp.expm(precise(drift) * mp.mpf(hold), method="taylor")
    exact = stationary - exact_decay * stationary * exact_decay.T
    decay, covariance = (precise(m) for m in _core.linear_transition(drift, diffusion, hold))
    assert rows_norm(covariance - exact) < TOLERANCE * rows_norm(exact)
    balance = stationary - decay * stationary * decay.T - covariance
    size = rows_norm(decay) * rows_norm(stationary) + rows_norm(covariance)
    assert rows_norm(balance) < TOLERANCE * size
    assert rows_norm(precise(_core.stationary_covariance(drift, diffusion)) - stationary) < (
        TOLERANCE * rows_norm(stationary)
    )


def test_published_stationary_variances():
    """dx = −A x dt + dW with A = [[2, 1.5], [0, 1]]: 0.4375 and 0.5, exactly."""
    stationary = _core.stationary_covariance(np.array([[-2.0, -1.5], [0.0, -1.0]]), np.eye(2))
    assert stationary.diagonal() == pytest.approx([0.4375, 0.5], rel=1e-15)


def test_quadrature_of_the_noise():
    """Q = ∫₀ʰ e^{Fs} D e^{Fᵀs} ds by Gauss and Legendre, forty points: a second route to Q."""
    network = LinearNetwork(COUPLED, [[1.0, 0.3], [0.3, 0.5]], kT=1.3, inertia=[0.5, 2.0])
    interconnection, mobility = network.flow()
    drift = (interconnection - mobility) @ network.hessian()
    points, weights = np.polynomial.legendre.leggauss(40)
    hold = 1.7
    total = np.zeros((4, 4))
    for point, weight in zip(points, weights):
        kernel = scipy.linalg.expm(drift * hold * (point + 1) / 2)
        total += weight * hold / 2 * kernel @ (2 * network.kT * mobility) @ kernel.T
    assert transition(network, hold)[1] == pytest.approx(total, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("hold", [5e-324, 1e-300, 1e-160, 1e300, 1.7e308])
@pytest.mark.parametrize("inertia", [None, 1.0, 1e-6])
def test_the_shortest_and_longest_holds_there_are(inertia, hold):
    network = LinearNetwork(COUPLED, [3.0, 0.1], inertia=inertia)
    decay, covariance = transition(network, hold)
    start, end = np.eye(len(decay)), rounded(network.precise_equilibrium())
    if hold < 1:
        assert decay == pytest.approx(start, abs=1e-15)
        assert np.abs(covariance).max() < 1e-150
    else:
        assert not decay.any()
        assert covariance == pytest.approx(end, rel=1e-12, abs=1e-12 * end.max())


def test_friction_below_rounding_is_refused_not_mangled():
    """At a quality factor of 1e18, twice the rounding of a double outweighs the decay."""
    lossless = ktc.Network(stiffness=1.0, friction=1e-18, inertia=1.0)
    with pytest.raises(ValueError, match="friction is so weak that rounding outweighs it"):
        lossless.transition(1e18)


def test_unstable_drifts_have_no_stationary_covariance():
    with pytest.raises(ValueError, match="drift must be stable, but has an eigenvalue with real"):
        _core.stationary_covariance(np.array([[0.5, 0.0], [0.0, -1.0]]), np.eye(2))


NETWORKS = {
    "uncoupled": LinearNetwork(np.diag([1.0, 3.0]), [2.0, 0.5], kT=0.7, bias=[1.0, -2.0]),
    "coupled": LinearNetwork(COUPLED, [[1.0, 0.3], [0.3, 0.5]], kT=0.7, bias=[1.0, -2.0]),
    "with inertia": LinearNetwork(
        COUPLED, [[1.0, 0.3], [0.3, 0.5]], kT=0.7, bias=[1.0, -2.0], inertia=[0.5, 2.0]
    ),
    "light": LinearNetwork(COUPLED, [1.0, 0.5], kT=0.7, bias=[1.0, -2.0], inertia=1e-9),
}


def emulator(network, replicas, start, **options):
    description = ktc.Network(
        network.stiffness, network.friction, network.kT, network.bias, inertia=network.inertia
    )
    d, momentum = network.units, None if network.inertia is None else start[network.units :]
    return ktc.Emulator(
        description, replicas, seed=8, state=start[:d], momentum=momentum, first_step=0, **options
    )


def full_state(emu):
    parts = [emu.read()]
    if emu.network.inertia is not None:
        parts.append(emu.read_momentum())
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("hold", [1e-4, 0.5, 1e4])
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS.keys())
def test_noise_of_a_move_has_the_covariance_of_the_transition(network, hold):
    """No statistics: normals are known by address, so z′ − A z = B ξ can be solved for B.

    Rounding of the state itself, 1e-16 of a width, limits what the difference of two states shows
    of noise that is 1e-6 of it over the shortest hold.
    """
    n = 2 if network.inertia is None else 4
    widths = np.sqrt(rounded(network.precise_equilibrium()).diagonal())
    still = emulator(network, 16, np.zeros(n))
    still.run(hold)
    # All replicas start alike: z′ = common + B ξ.
    normals = np.stack([reference_noise.normals(8, HOLD, 0, element, 1) for element in range(n)])
    columns = np.vstack([normals, np.ones(16)])
    found, *_ = np.linalg.lstsq(columns.T, full_state(still) / widths, rcond=None)
    factor, common = found[:n].T, found[n] * widths
    exact_decay, exact_covariance = network.precise_transition(hold)
    covariance = rounded(exact_covariance) / np.outer(widths, widths)
    assert factor @ factor.T == pytest.approx(covariance, abs=1e-12 * covariance.max())
    rest = np.zeros(n)
    rest[:2] = np.linalg.solve(network.stiffness, network.bias)
    assert common / widths == pytest.approx(
        (rest - rounded(exact_decay) @ rest) / widths, abs=1e-12 * np.abs(rest / widths).max()
    )


@pytest.mark.parametrize("hold", [0.3, 1e4])
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS.keys())
def test_samples_of_a_move(network, hold):
    """100 000 replicas from one point: whitened by the exact law they are standard normals.

    At most 4 means and 10 covariances at 5 standard errors, and 4 Kolmogorov–Smirnov tests: false
    alarms below 1.1e-5.
    """
    n = 2 if network.inertia is None else 4
    widths = np.sqrt(rounded(network.precise_equilibrium()).diagonal())
    start = np.array([3.0, -2.0, 1.0, 2.0])[:n] * widths
    replicas = 100_000
    emu = emulator(network, replicas, start)
    emu.run(hold)
    decay, covariance = network.precise_transition(hold)
    rest = np.zeros(n)
    rest[:2] = np.linalg.solve(network.stiffness, network.bias)
    mean = rest + rounded(decay) @ (start - rest)
    inverse = rounded(mp.cholesky(covariance) ** -1)
    white = (full_state(emu) - mean) @ inverse.T
    assert np.abs(white.mean(axis=0)).max() < 5 / math.sqrt(replicas)
    spread = 5 * np.sqrt((1 + np.eye(n)) / replicas)
    assert (np.abs(white.T @ white / replicas - np.eye(n)) < spread).all()
    for column in white.T:
        assert scipy.stats.kstest(column, "norm").pvalue > 5.7e-7
