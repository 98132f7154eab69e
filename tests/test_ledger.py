"""The energy books: every account against its own formula on recorded states, and the first law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ktc
from reference import LinearNetwork, random_spd
from refusal import refused

RNG = np.random.default_rng(1)
COUPLED, DENSE = random_spd(RNG, 3), random_spd(RNG, 3, 4.0)
DESCRIPTIONS = {
    "uncoupled": {"stiffness": np.diag([1.0, 2.0, 5.0]), "friction": [1.0, 3.0, 0.2]},
    "coupled": {"stiffness": COUPLED, "friction": DENSE},
    "with inertia": {"stiffness": COUPLED, "friction": DENSE, "inertia": [1.0, 0.5, 2.0]},
}
every_network = pytest.mark.parametrize(
    "description", DESCRIPTIONS.values(), ids=DESCRIPTIONS.keys()
)


def phase(emulator):
    """x and p, the latter None without inertia."""
    momentum = None if emulator.network.inertia is None else emulator.read_momentum()
    return emulator.read(), momentum


def network_at(emulator):
    """The reference's network at the present controls."""
    controls, network = emulator.controls, emulator.network
    return LinearNetwork(
        controls.stiffness, network.friction, controls.kT, controls.bias, network.inertia
    )


def updates(rng, ticks):
    """Random controls, some of them alone, some together, some repeated."""
    for tick in range(ticks):
        changes = {}
        if tick % 2:
            changes["bias"] = rng.normal(size=3)
        if tick % 3 == 1:
            changes["stiffness"] = random_spd(rng, 3, 6.0)
        if tick % 5 == 2:
            changes["kT"] = rng.uniform(0.3, 3.0)
        yield changes


@every_network
def test_every_account_by_its_own_formula(description):
    """Work H(x; θ′) − H(x; θ), heat −ΔH of a hold, supply b·Δx, summed here from states.

    Energies of some 10 are summed over 40 ticks: rounding leaves 1e-13 of that.
    """
    emulator = ktc.Emulator(ktc.Network(**description, kT=0.7), replicas=33, seed=2)
    rng = np.random.default_rng(3)
    start = network_at(emulator).energy(*phase(emulator))
    work, heat, supply = np.zeros((3, 33))
    for changes in updates(rng, 40):
        before, z = network_at(emulator), phase(emulator)
        emulator.set(**changes)
        after = network_at(emulator)
        assert phase(emulator)[0] == pytest.approx(z[0], rel=1e-12, abs=1e-12)
        work += after.energy(*z) - before.energy(*z)
        emulator.run(rng.uniform(0.01, 2.0))
        moved = phase(emulator)
        heat -= after.energy(*moved) - after.energy(*z)
        supply += (moved[0] - z[0]) @ after.bias
    books = emulator.ledger
    assert books.work == pytest.approx(work, rel=1e-12, abs=1e-11)
    assert books.heat == pytest.approx(heat, rel=1e-12, abs=1e-11)
    assert books.supply == pytest.approx(supply, rel=1e-12, abs=1e-11)
    change = network_at(emulator).energy(*phase(emulator)) - start
    assert books.energy_change == pytest.approx(change, rel=1e-12, abs=1e-11)
    assert books.energy_change == pytest.approx(books.work - books.heat, rel=1e-12, abs=1e-11)


@pytest.mark.parametrize(
    "driven", [["bias"], ["stiffness"], ["kT"], ["bias", "kT"], ["bias", "stiffness", "kT"]]
)
@every_network
def test_a_protocol_books_what_its_updates_and_holds_do(description, driven):
    """What a play prepares once for many ticks must be theirs: states bit for bit, books to the
    rounding of sums that a play enters every sixteen steps.

    Holds and controls change at some of the ticks, together and apart.
    """
    emulator = ktc.Emulator(ktc.Network(**description, kT=0.7), replicas=70, seed=4)
    twin, rng, ticks = emulator.copy(), np.random.default_rng(5), 36
    holds = np.tile([0.1, 0.1, 0.1, 0.4], ticks // 4)
    values = {
        "bias": rng.normal(size=(ticks // 2, 3)).repeat(2, axis=0),
        "stiffness": np.array([random_spd(rng, 3) for _ in range(ticks // 3)]).repeat(3, axis=0),
        "kT": rng.uniform(0.5, 2.0, ticks // 2).repeat(2),
    }
    controls = {name: values[name] for name in driven}
    emulator.play(ktc.Protocol(holds, controls, final={"bias": 1.0}))
    for tick, hold in enumerate(holds):
        twin.set(**{name: values[tick] for name, values in controls.items()})
        twin.run(hold)
    twin.set(bias=1.0)
    for account in ("work", "heat", "supply", "energy_change"):
        np.testing.assert_allclose(
            getattr(emulator.ledger, account), getattr(twin.ledger, account), rtol=1e-12, atol=1e-12
        )
    assert (emulator.read() == twin.read()).all()
    assert emulator.controls == twin.controls
    assert emulator.time == twin.time


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_first_law_over_a_million_ticks(name):
    """Bias changes at every tick; stiffness and kT at each five hundredth.

    A post is rounded to 1e-16 of itself. Plain sums of a million posts would lose six more digits
    of the energy that is left: compensated ones keep it to 1e-9 beside a heat of thousands.
    """
    network = ktc.Network(**DESCRIPTIONS[name], kT=0.7)
    emulator = ktc.Emulator(network, replicas=2, seed=6)
    rng, start = np.random.default_rng(7), emulator.energy()
    for part in range(2_000):
        emulator.set(stiffness=(1 + 0.5 * np.sin(part)) * network.stiffness, kT=rng.uniform(0.5, 2))
        emulator.play(ktc.Protocol(np.full(500, 0.05), {"bias": rng.normal(size=(500, 3))}))
    books = emulator.ledger
    assert emulator.time == pytest.approx(50_000.0, rel=1e-15)
    assert books.imbalance() <= 1e-12
    assert books.heat.min() > 1e3
    assert emulator.energy() - start == pytest.approx(books.work - books.heat, abs=1e-9)


def test_first_law_in_joules():
    """The same on a board, whose energies are 1e-21 and whose charges are 1e-16."""
    board = ktc.Board(cells=3, resistance=1e6, capacitance=1e-12, temperature=300.0)
    emulator = board.emulator(replicas=100, seed=8)
    for step in range(200):
        emulator.set(bias=1e-4 * np.sin(step), stiffness=board.stiffness * (1 + 0.3 * np.cos(step)))
        emulator.run(2e-7)
    assert 0 < emulator.ledger.imbalance() <= 1e-12
    assert emulator.ledger.work.mean() > board.kT


@pytest.mark.tampered
def test_an_imbalance_can_be_seen():
    """Books of one state beside another state do not close: the check is no tautology."""
    emulator = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=4, seed=9)
    emulator.set(bias=2.0)
    emulator.run(1.0)
    saved = emulator._frontend.engine.snapshot()
    saved["state"] = saved["state"] + 1e-6
    emulator._frontend.engine.restore(saved)
    assert emulator.ledger.imbalance() > 1e-8


@every_network
def test_supply_is_the_book_of_the_stored_energy(description):
    """H₀ = H + bᵀx: ΔH₀ = supply − heat where only the bias is driven, whatever work that does."""
    emulator = ktc.Emulator(ktc.Network(**description), replicas=20, seed=10)
    free = LinearNetwork(**description)
    start = free.energy(*phase(emulator))
    for step in range(30):
        emulator.set(bias=[np.sin(step), 1.0, -step / 10])
        emulator.run(0.3)
    books = emulator.ledger
    change = free.energy(*phase(emulator)) - start
    assert change == pytest.approx(books.supply - books.heat, rel=1e-11, abs=1e-11)
    assert np.abs(books.supply - books.work).min() > 1e-3


def test_temperature_does_no_work():
    emulator = ktc.Emulator(ktc.Network(1.0, 1.0, bias=1.0), replicas=100, seed=11)
    state = emulator.read()
    emulator.set(kT=5.0)
    assert not emulator.ledger.work.any()
    assert (emulator.read() == state).all()


@every_network
def test_setting_what_holds_already_changes_no_bit(description):
    emulator = ktc.Emulator(ktc.Network(**description, bias=1.0), replicas=10, seed=12)
    twin = emulator.copy()
    emulator.set(bias=1.0, stiffness=description["stiffness"], kT=1.0)
    assert not emulator.ledger.work.any()
    assert (emulator.read() == twin.read()).all()


def test_opposite_updates_cancel_to_rounding():
    """There and back at a held state does no net work, but both ways are turnover."""
    emulator = ktc.Emulator(ktc.Network(COUPLED, DENSE), replicas=50, seed=13)
    emulator.set(bias=[3.0, 0.0, 1.0], stiffness=2 * COUPLED)
    assert np.abs(emulator.ledger.work).min() > 1e-3
    emulator.set(bias=0.0, stiffness=COUPLED)
    assert np.abs(emulator.ledger.work).max() < 1e-13 * 50
    assert emulator.ledger.imbalance() < 1e-14


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32),
    decades=st.lists(st.floats(-6, 6), min_size=4, max_size=4),
    inertial=st.booleans(),
)
def test_books_close_in_any_units(seed, decades, inertial):
    """Rounding of products of d + 1 terms, relative to the turnover; scales over twelve decades."""
    rng = np.random.default_rng(seed)
    stiff, rub, heavy, hot = 10.0 ** np.array(decades)
    stiffness, friction = stiff * random_spd(rng, 3), rub * random_spd(rng, 3)
    network = ktc.Network(stiffness, friction, kT=hot, inertia=heavy if inertial else None)
    emulator = ktc.Emulator(network, replicas=5, seed=seed)
    width, time = np.sqrt(hot * stiff), np.sort(network.relaxation_times)
    for step in range(10):
        emulator.set(
            bias=width * rng.normal(size=3), stiffness=stiffness * rng.uniform(0.2, 5), kT=hot
        )
        emulator.run(time[step % len(time)] * 10 ** rng.uniform(-3, 2))
    assert emulator.ledger.imbalance() <= 1e-12


def test_new_books_start_at_zero():
    emulator = ktc.Emulator(ktc.Network(COUPLED, DENSE), replicas=5, seed=14)
    emulator.set(bias=1.0)
    emulator.run(1.0)
    state, time = emulator.read(), emulator.time
    emulator.ledger.reset()
    for account in ("work", "heat", "supply", "energy_change"):
        assert getattr(emulator.ledger, account).tolist() == [0.0] * 5
    assert emulator.ledger.imbalance() == 0.0
    assert (emulator.read() == state).all()
    assert emulator.time == time


def test_a_ledger_once_taken_stays_that_of_its_emulator():
    emulator = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=3, seed=15)
    books = emulator.ledger
    emulator.set(bias=1.0)
    assert books.work.any()
    emulator.reset()
    assert not books.work.any()
    emulator.set(bias=2.0)
    assert (books.work == emulator.ledger.work).all()


def test_accounts_that_these_networks_do_not_have():
    books = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=3, seed=16).ledger
    for account in (books.source, books.injected, books.shadow):
        assert account.tolist() == [0.0] * 3
    with refused(ValueError, "heat_per_resistor", "resolve_heat", "records only total heat"):
        _ = books.heat_per_resistor


def test_what_would_overflow_is_refused_before_it_is_booked():
    """A bias or a state whose energies a double holds, but whose product's it does not."""
    emulator = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=4, seed=1)
    with refused(ValueError, "bias", "overflows"):
        emulator.set(bias=1.2e154)
    emulator.set(bias=9e149)
    emulator.run(100.0)
    emulator.set(bias=-9e149)
    assert np.isfinite(emulator.ledger.work).all()
    assert emulator.ledger.imbalance() < 1e-12
    for state in (1e200, 2e150):
        with refused(ValueError, "state", "overflows"):
            emulator.write(state)
        with refused(ValueError, "state", "overflows"):
            ktc.Emulator(ktc.Network(1.0, 1.0), replicas=4, seed=1, state=state)
    assert np.isfinite(emulator.energy()).all()
