"""Books that keep some accounts only: the same numbers, errors for the others, and less memory."""

import subprocess
import sys

import numpy as np
import pytest

import ktc
from refusal import refused

K2 = np.array([[2.0, 0.6], [0.6, 1.0]])
EXACT = ("work", "heat", "supply")
ITEMISED = ("source", "injected", "shadow", "entropy_flow", "heat_per_resistor")


def emulator_of(kind, **options):
    options = {"replicas": 70, "seed": 51, **options}
    if kind == "rc":
        return ktc.Emulator(ktc.Network(K2, [1.0, 0.5]), **options)
    if kind == "single":
        return ktc.Emulator(ktc.Network(K2, [1.0, 0.5]), dtype="float32", **options)
    if kind == "inertia":
        return ktc.Emulator(ktc.Network(K2, [1.0, 0.5], inertia=[0.4, 0.9]), **options)
    if kind == "quartic":
        return ktc.Emulator(ktc.Network(K2, [1.0, 0.5], quartic=[0.1, 0.2]), **options)
    resolve = kind == "several temperatures"
    warm = ktc.Network(K2, [1.0, 0.5], kT=[1.0, 2.0])
    return ktc.Emulator(warm, resolve_heat=resolve, **options)


KINDS = ["rc", "single", "inertia", "quartic"]
KINDS += ["several temperatures", "several temperatures, exact"]


def drive():
    bias = np.linspace(0, 2, 9)[:, None] * [1.0, -1.0]
    return ktc.Protocol(np.full(9, 0.2), {"bias": bias}, final={"bias": 0.0})


def names_of(kind):
    own = {"several temperatures": ITEMISED, "several temperatures, exact": ("source",)}
    return EXACT + own.get(kind, ())


@pytest.mark.parametrize("kind", KINDS)
def test_accounts_that_are_kept_are_the_same_bits(kind):
    """Each by itself, and pairs: the state and the kept accounts are those of full books."""
    full = emulator_of(kind)
    run = full.play(drive())
    state, amounts = full.read(), full.ledger.amounts()
    assert tuple(amounts) == names_of(kind)
    wishes = [(name,) for name in names_of(kind)] + [("work", "supply"), ("heat", "work"), ()]
    for wish in wishes:
        device = emulator_of(kind, accounts=wish)
        kept = device.play(drive())
        np.testing.assert_array_equal(device.read(), state)
        assert tuple(device.ledger.amounts()) == wish
        for name in wish:
            np.testing.assert_array_equal(device.ledger.amounts()[name], amounts[name])
            if name in EXACT:
                np.testing.assert_array_equal(
                    getattr(kept, name).samples, getattr(run, name).samples
                )
        np.testing.assert_array_equal(device.ledger.energy_change, full.ledger.energy_change)
        for name in set(names_of(kind)) - set(wish):
            mend = f"accounts={(*wish, name)!r}"
            with refused(ValueError, name, "does not keep", mend):
                getattr(device.ledger, name)
            with refused(ValueError, name, "does not keep", mend):
                getattr(kept, name)
        assert "Run" in repr(kept)


def test_the_first_law_needs_work_and_heat():
    whole = emulator_of("rc", accounts=("work", "heat"))
    whole.play(drive())
    assert whole.ledger.imbalance() < 1e-12
    with refused(ValueError, "imbalance()", "heat", "accounts=('work', 'heat')"):
        emulator_of("rc", accounts="work").ledger.imbalance()
    with refused(ValueError, "imbalance()", "shadow"):
        emulator_of(
            "several temperatures", accounts=("work", "heat", "source", "injected")
        ).ledger.imbalance()


def test_one_name_is_enough_and_wrong_ones_are_refused():
    assert emulator_of("rc", accounts="work").accounts == ("work",)
    assert emulator_of("rc").accounts is None
    with refused(TypeError, "unknown account 'entropy'", "'entropy_flow'"):
        emulator_of("rc", accounts=("work", "entropy"))
    with refused(ValueError, "'entropy_flow'", "resolve_heat=True"):
        emulator_of("rc", accounts="entropy_flow")
    assert emulator_of("rc", accounts="heat_per_resistor").resolve_heat
    assert not emulator_of("rc", accounts="shadow").ledger.shadow.any()


def test_records_of_accounts_that_are_not_kept():
    device = emulator_of("rc", accounts="work")
    run = device.play(drive(), record=["work", "energy"])
    whole = emulator_of("rc").play(drive(), record=["work", "heat"])
    np.testing.assert_array_equal(run.series["work"], whole.series["work"])
    time = device.time
    with refused(ValueError, "record of heat", "accounts=('work', 'heat')"):
        device.play(drive(), record="heat")
    assert device.time == time


@pytest.mark.parametrize("wish", [None, ("work",), ()])
def test_saved_and_loaded(tmp_path, wish):
    device = emulator_of("rc", accounts=wish)
    run = device.play(drive())
    device.save(tmp_path / "emulator")
    run.save(tmp_path / "run")
    twin, again = ktc.Emulator.load(tmp_path / "emulator"), ktc.Run.load(tmp_path / "run")
    assert twin.accounts == again.accounts == wish
    device.play(drive())
    twin.play(drive())
    np.testing.assert_array_equal(twin.read(), device.read())
    if wish != ():
        np.testing.assert_array_equal(twin.ledger.work, device.ledger.work)
        np.testing.assert_array_equal(again.work.samples, run.work.samples)
    copied = device.copy()
    assert copied.accounts == wish
    device.reset()
    assert device.accounts == wish


def test_a_real_board_keeps_what_it_is_asked_for():
    spec = ktc.Imperfections(settling_time=2e-7, seed=3)
    board = ktc.Board(2, 1e6, 1e-12, 300.0, imperfections=spec)
    device = board.emulator(replicas=5, seed=2, accounts="work")
    device.set(bias=1e-4)
    device.run(1e-6)
    assert device.accounts == ("work",)
    assert device.ledger.work.shape == (5,)
    with refused(ValueError, "heat", "accounts=('work', 'heat')"):
        device.ledger.heat  # noqa: B018


MEMORY = """
import resource
import numpy as np
import ktc

emulator = ktc.Emulator(
    ktc.Network(stiffness=1.0, friction=1.0), replicas=10**7, seed=1, accounts="work"
)
run = emulator.play(ktc.Protocol(np.full(100, 0.05), {"bias": np.linspace(0, 5, 100)}))
assert emulator.moments().covariance.shape == (1, 1)
assert emulator.ledger.work.shape == run.work.samples.shape == (10**7,)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss counts kilobytes")
def test_ten_million_replicas(tmp_path):
    """State, work and opening energy are 28 bytes a replica; below 700 MiB, all told."""
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 700
