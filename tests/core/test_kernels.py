"""Kernels of levels that round a product and a sum once give the same bits, others close ones.

Each level is really taken. Why two kinds: docs/decisions/fused-operations.md.
"""

import numpy as np
import pytest

import ktc
from core_testing import testing
from ktc import _core

LEVELS = _core.instruction_sets()
FUSED = {"v3", "v4"}


@pytest.fixture(autouse=True)
def _best_again():
    yield
    testing.use_kernels(LEVELS[-1])


def run(level):
    testing.use_kernels(level)
    assert _core.instruction_set() == level
    normals = testing.normals(3, testing.Purpose.hold, 7, 5, 2**40 + 1)
    drive = ktc.Protocol.sample(2.0, 40, {"bias": 3.0}, bias=lambda t: t)
    for units in (1, 2, 5, 17):
        stiffness = np.linspace(1.0, 3.0, units) * np.eye(units)
        for net in (
            ktc.Network(stiffness, 1.0),
            ktc.Network(stiffness, 1.0, quartic=0.5),
            ktc.Network(stiffness + 0.1, 1.0, quartic=0.5),
        ):
            emulator = ktc.Emulator(net, replicas=37, seed=units, first_replica=11)
            emulator.play(drive)
            books = emulator.ledger
            normals = np.concatenate(
                [normals, emulator.read().ravel(), books.work, books.heat, books.supply]
            )
    return normals


def test_levels_that_fuse_have_the_same_bits():
    results = [run(level) for level in LEVELS if level in FUSED]
    assert all((result == results[0]).all() for result in results)


def test_other_levels_agree_to_rounding():
    """Forty holds, some ten roundings each of numbers up to 10, and energies up to 100."""
    results = [run(level) for level in LEVELS]
    assert all(np.allclose(result, results[-1], rtol=1e-13, atol=1e-13) for result in results)


PAIR = np.array([[2.0, 0.5], [0.5, 1.0]])
LATTICE = ktc.lattices.grid(3, 4, own=1.0, coupling=0.5)
WAYS = {
    "modes": ktc.Network(PAIR, 1.0),
    "dense": ktc.Network(PAIR, 1.0, inertia=[1.0, 0.5]),
    "at once": ktc.Network(PAIR, 1.0, quartic=0.5),
    "alone": ktc.Network(np.diag([2.0, 1.0]), 1.0, quartic=0.5),
    "split": ktc.Network(PAIR, 1.0, kT=[1.0, 2.0]),
    "split, quartic and inertia": ktc.Network(PAIR, 1.0, quartic=0.5, inertia=1.0),
    "sparse": ktc.Network(LATTICE, 1.0),
    "more columns than are summed at once": ktc.Network(
        np.eye(515) + 0.01, 1.0, quartic=np.linspace(0.1, 0.2, 515)
    ),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_moving_is_alike_on_all_levels(way, dtype):
    """From a given state, so that no library draws it; a float's share of a path has some 2e-7."""
    network = WAYS[way]
    units = network.units
    ticks = 40 if units < 100 else 3
    dt = None if network.moves_exactly and way != "sparse" else 0.05
    start = np.random.default_rng(8).standard_normal((37, units))
    drive = ktc.Protocol.sample(0.05 * ticks, ticks, {"bias": 3.0}, bias=lambda t: t)
    results = []
    for level in LEVELS:
        testing.use_kernels(level)
        options = {"seed": 4, "first_replica": 11, "state": start, "dtype": dtype, "dt": dt}
        emulator = ktc.Emulator(network, replicas=37, **options)
        emulator.play(drive)
        books = emulator.ledger
        parts = (emulator.read().ravel(), books.work, books.heat, books.supply)
        results.append(np.concatenate(parts))
    fused = [result for level, result in zip(LEVELS, results) if level in FUSED]
    assert all((result == fused[0]).all() for result in fused)
    tolerance = (1e-12 if dtype == "float64" else 1e-4) * abs(results[-1]).max()
    assert all(np.allclose(result, results[-1], rtol=0, atol=tolerance) for result in results)


def test_the_best_level_is_in_use_and_said():
    assert _core.instruction_set() == LEVELS[-1]
    assert ktc.show_config()["kernels"] == LEVELS[-1]


def test_another_level_is_refused():
    with pytest.raises(ValueError, match="instruction_set must be one of .*, but is v9"):
        testing.use_kernels("v9")
    assert _core.instruction_set() == LEVELS[-1]


GROUPS = {
    "double": (testing.Group, np.float64, 16),
    "single": (testing.SingleGroup, np.float32, 32),
}


def equilibrium(kind, units, groups=1, seed=5):
    """Standard normals as states of units with λ = kT = 1 about zero: groups, units, replicas."""
    normals = testing.normals if kind == "double" else testing.single_normals
    purpose = testing.Purpose.equilibrium
    return np.array(
        [[normals(seed, purpose, g, i, 0) for i in range(units)] for g in range(groups)]
    )


def ticks_of(kind, units, count, hold=0.02, speed=3.0):
    """Tables of `count` ticks of a drag at constant speed, the forces rounded to the kind."""
    real = GROUPS[kind][1]
    rates = np.linspace(1.0, 2.0, units)
    force = real(speed * hold * np.arange(1, count + 1)[:, None] * rates)
    change = np.diff(force, axis=0, prepend=real(0)).astype(real)
    rows = np.ones((count, 1))
    decay, growth = np.exp(-rates * hold), np.expm1(-rates * hold)
    width = np.sqrt(-np.expm1(-2 * rates * hold))
    return [force, change, *(real(rows * part) for part in (decay, growth, width))]


def played(kind, state, tables, group=0, step=0, calls=1):
    """A group after its ticks, played in one or in several calls."""
    of = GROUPS[kind][0](state.copy())
    for part in np.array_split(np.arange(len(tables[0])), calls):
        of.play(9, group, step + int(part[0]), *(np.ascontiguousarray(t[part]) for t in tables))
    return of


def state_of(kind, of, tables):
    """The state after the ticks; in single precision a group holds its deviation from the force."""
    return np.float64(of.state) + (kind == "single") * np.float64(tables[0][-1])[:, None]


def reference(kind, state, tables, step=0):
    """The same in plain double precision: state, work, heat and supply, one formula each."""
    normals = testing.normals if kind == "double" else testing.single_normals
    x = state.astype(float)
    work = heat = supply = 0.0
    for k, rows in enumerate(zip(*tables)):
        force, change, decay, _, width = (np.asarray(row, dtype=float)[:, None] for row in rows)
        work = work - np.sum(change * x, axis=0)
        noise = [normals(9, testing.Purpose.hold, 0, i, step + k) for i in range(len(x))]
        moved = force + decay * (x - force) + width * np.array(noise, dtype=float)
        heat = heat - np.sum(0.5 * (moved - force) ** 2 - 0.5 * (x - force) ** 2, axis=0)
        supply = supply + np.sum(force * (moved - x), axis=0)
        x = moved
    return x, work, heat, supply


@pytest.mark.parametrize("hold", [0.02, 1.5])
@pytest.mark.parametrize("units", [1, 2, 3, 5, 7, 15, 16, 17])
@pytest.mark.parametrize("kind", GROUPS)
def test_modal_moves_follow_their_equation(kind, units, hold):
    """37 ticks from step 5 on, short and long holds, against plain NumPy.

    Noise is made sixteen rows at a time: of several ticks where units are few, or of some units.
    """
    state, tables = equilibrium(kind, units)[0], ticks_of(kind, units, 37, hold)
    of = played(kind, state, tables, step=5)
    x, work, heat, supply = reference(kind, state, tables, step=5)
    size = np.max(np.abs(tables[0])) * 37 * np.finfo(GROUPS[kind][1]).eps
    np.testing.assert_allclose(state_of(kind, of, tables), x, atol=size)
    for found, exact in ((of.work, work), (of.heat, heat), (of.supply, supply)):
        np.testing.assert_allclose(found, exact, atol=30 * size * units * (1 + np.abs(x).max()))


@pytest.mark.parametrize("units", [1, 3])
@pytest.mark.parametrize(("kind", "bound"), [("double", 1e-15), ("single", 5e-7)])
def test_modal_books_close(kind, bound, units):
    """ΔH = work − heat for states as they are stored, in parts of all that was turned over."""
    state, tables = equilibrium(kind, units)[0], ticks_of(kind, units, 4000)
    of = played(kind, state, tables)
    force, after = np.float64(tables[0][-1])[:, None], state_of(kind, of, tables)
    before = np.float64(state)
    change = np.sum(0.5 * after**2 - force * after - 0.5 * before**2, axis=0)
    turned = np.array(of.turnover) + np.sum(0.5 * after**2 + np.abs(force * after), axis=0)
    error = np.abs(change - (np.array(of.work) - np.array(of.heat))) / turned
    assert error.max() < bound


@pytest.mark.parametrize("units", [1, 3])
@pytest.mark.parametrize("kind", GROUPS)
def test_books_do_not_depend_on_where_they_are_put_away(kind, units):
    """Calls that end where tiles of sixteen steps end give the same bits as one call."""
    state, tables = equilibrium(kind, units)[0], ticks_of(kind, units, 128)
    one, eight = (played(kind, state, tables, step=32, calls=calls) for calls in (1, 8))
    assert (one.state == eight.state).all()
    for name in ("work", "heat", "supply", "turnover"):
        assert getattr(one, name) == getattr(eight, name)


@pytest.mark.parametrize("kind", GROUPS)
def test_work_of_a_dragged_unit(kind):
    """Mean and variance of Σ −Δβ x from the covariance e^−|s − t|; two comparisons at 5 errors."""
    tables = ticks_of(kind, 1, 200, hold=0.01)
    change, force = np.float64(tables[1][:, 0]), np.float64(tables[0][:, 0])
    mean = np.zeros(200)
    for k in range(199):
        mean[k + 1] = force[k] + np.exp(-0.01) * (mean[k] - force[k])
    lags = np.abs(np.subtract.outer(np.arange(200), np.arange(200)))
    variance = change @ np.exp(-0.01 * lags) @ change
    states = equilibrium(kind, 1, groups=400)
    work = np.ravel([played(kind, s, tables, group=g).work for g, s in enumerate(states)])
    assert np.mean(work) == pytest.approx(-change @ mean, abs=5 * np.sqrt(variance / work.size))
    assert np.var(work) == pytest.approx(variance, rel=5 * np.sqrt(2 / work.size))


@pytest.mark.parametrize("kind", GROUPS)
def test_groups_have_the_same_bits_at_levels_that_fuse(kind):
    state, tables = equilibrium(kind, 5)[0], ticks_of(kind, 5, 40)
    tables[2][20:], tables[3][20:] = tables[2][20:] * 0.1, -0.9  # long holds, too
    results = []
    for level in LEVELS:
        testing.use_kernels(level)
        of = played(kind, state, tables)
        results.append(np.concatenate([np.ravel(of.state), of.work, of.heat, of.supply]))
    fused = [result for level, result in zip(LEVELS, results) if level in FUSED]
    assert all((result == fused[0]).all() for result in fused)
    tolerance = 1e4 * np.finfo(GROUPS[kind][1]).eps
    assert all(np.allclose(r, results[-1], rtol=tolerance, atol=tolerance) for r in results)


def test_tables_of_another_size_are_refused():
    with pytest.raises(ValueError, match="units by 32 replicas"):
        testing.SingleGroup(np.zeros((1, 16), dtype=np.float32))
    group, tables = testing.Group(np.zeros((2, 16))), ticks_of("double", 1, 3)
    with pytest.raises(ValueError, match="a row for each tick, with all units"):
        group.play(1, 0, 0, *tables)
