"""What a run reports: its books rebuilt from recorded states, its free energies, its files.

"4σ" means that one comparison fails by chance with probability 6.3e-5; every seed is fixed.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from ktc import Board, Emulator, Network, Protocol, Run, theory
from reference_drive import Reference, bias_drive

K2 = np.array([[2.0, 0.6], [0.6, 1.0]])
K2_FINAL = np.array([[3.0, -0.4], [-0.4, 1.6]])
B2 = np.array([0.4, -0.3])


def both_driven():
    """Bias and couplings over uneven holds, with jumps at both ends."""
    share = np.array([0.2, 0.5, 0.6, 0.9])
    return Protocol(
        [0.1, 0.4, 0.05, 0.3],
        {
            "bias": np.outer(share, [1.0, 2.0]),
            "stiffness": K2 + share[:, None, None] * (K2_FINAL - K2),
        },
        final={"bias": [1.5, 1.5], "stiffness": K2_FINAL},
    )


def energy(state, bias, stiffness):
    return 0.5 * np.einsum("ni,ij,nj->n", state, stiffness, state) - state @ bias


# --- Books ---------------------------------------------------------------------------------------


def test_books_from_recorded_states():
    """Work, heat and supply of every replica from H = ½xᵀKx − bᵀx at the recorded states."""
    network = Network(K2, 1.0, kT=0.7, bias=B2)
    emulator = Emulator(network, replicas=60, seed=91)
    protocol = both_driven()
    states = [emulator.read()]
    run = emulator.play(protocol, record="state")
    states += list(run.series["state"])

    work, heat, supply = np.zeros((3, 60))
    old = (B2, K2)
    new = list(zip(protocol.controls["bias"], protocol.controls["stiffness"]))
    for tick, setting in enumerate([*new, (protocol.final["bias"], K2_FINAL)]):
        work += energy(states[tick], *setting) - energy(states[tick], *old)
        if tick < len(new):
            heat -= energy(states[tick + 1], *setting) - energy(states[tick], *setting)
            supply += (states[tick + 1] - states[tick]) @ setting[0]
        old = setting
    for estimate, expected in ((run.work, work), (run.heat, heat), (run.supply, supply)):
        np.testing.assert_allclose(estimate.samples, expected, rtol=1e-11, atol=1e-12)
    first_law = energy(states[-1], *old) - energy(states[0], B2, K2)
    np.testing.assert_allclose(work - heat, first_law, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("inertia", [None, [0.5, 2.0]], ids=["overdamped", "inertia"])
def test_supply_is_the_book_of_the_stored_energy(inertia):
    """ΔH₀ = supply − heat per replica under a bias drive, H₀ = ½xᵀKx (+ ½pᵀM⁻¹p)."""
    network = Network(K2, 1.0, kT=0.7, bias=B2, inertia=inertia)
    emulator = Emulator(network, replicas=60, seed=92)

    def stored():
        value = energy(emulator.read(), np.zeros(2), K2)
        if inertia is not None:
            value += 0.5 * np.sum(emulator.read_momentum() ** 2 / inertia, axis=1)
        return value

    before = stored()
    drive = Protocol.sample(1.0, 12, bias=lambda t: [2 * t, 1 - t], final={"bias": 3.0})
    run = emulator.play(drive)
    np.testing.assert_allclose(
        stored() - before, run.supply.samples - run.heat.samples, rtol=1e-11, atol=1e-12
    )


def test_every_run_opens_its_own_accounts():
    """The emulator goes on from where it stands; its ledger keeps both runs."""
    network = Network(K2, 1.0, kT=0.7)
    emulator = Emulator(network, replicas=60, seed=93)
    first = emulator.play(Protocol.sample(1.0, 5, bias=lambda t: t))
    second = emulator.play(Protocol.sample(1.0, 5, bias=lambda t: 1 - t))
    assert emulator.time == pytest.approx(2.0, rel=1e-14)
    np.testing.assert_array_equal(second.initial_controls.bias, first.final_controls.bias)
    total = first.work.samples + second.work.samples
    np.testing.assert_allclose(emulator.ledger.work, total, rtol=1e-11, atol=1e-12)
    assert second.free_energy_change.mean == pytest.approx(
        theory.free_energy(network.with_controls(second.final_controls))
        - theory.free_energy(network.with_controls(second.initial_controls)),
        rel=1e-12,
    )


def test_the_manual_of_a_run():
    """The calls of the manual: estimates with mean, stderr and, where they exist, samples."""
    emulator = Emulator(Network(1.0, 1.0), replicas=10_000, seed=7)
    drive = Protocol.sample(
        duration=1.0, ticks=100, bias=lambda t: 5 * (t + 1) / 3, final={"bias": 5.0}
    )
    run = emulator.play(drive, record=None)
    for estimate in (run.work, run.heat, run.excess_work):
        assert estimate.samples.shape == (10_000,)
        assert 0 < estimate.stderr < 0.1
    assert run.free_energy_change.mean == -12.5
    assert run.free_energy_change.stderr == 0.0
    assert run.free_energy_change.method == "closed form"
    with pytest.raises(ValueError, match="no samples"):
        _ = run.free_energy_change.samples
    assert run.seed == 7
    assert run.duration == pytest.approx(1.0, rel=1e-14)
    np.testing.assert_array_equal(run.excess_work.samples, run.work.samples + 12.5)
    exact = bias_drive(
        Reference(1.0, 1.0),
        np.zeros(1),
        drive.holds,
        drive.controls["bias"][:, None],
        np.full(1, 5),
    )
    assert abs(run.excess_work.mean - exact.excess_work) < 4 * run.excess_work.stderr
    assert "work" in repr(run)


def test_replay_from_the_recorded_seed():
    """seed=None draws one; with it the run can be had again, bit for bit."""
    drive = Protocol.sample(1.0, 5, bias=lambda t: t)
    run = Emulator(Network(1.0, 1.0), replicas=30, seed=None).play(drive)
    again = Emulator(Network(1.0, 1.0), replicas=30, seed=run.seed).play(drive)
    np.testing.assert_array_equal(run.work.samples, again.work.samples)
    np.testing.assert_array_equal(run.heat.samples, again.heat.samples)


# --- Free energy and excess ----------------------------------------------------------------------


def test_excess_work_of_a_stiffness_drive():
    """A jump 1 → 3 costs ½(3 − 1)kT/1 = kT; ΔF = ½ kT ln 3. At 4σ."""
    kT = 0.6
    emulator = Emulator(Network(1.0, 1.0, kT), replicas=20_000, seed=94)
    run = emulator.play(Protocol([0.7], {"stiffness": [3.0]}))
    assert run.free_energy_change.mean == pytest.approx(0.5 * kT * np.log(3), rel=1e-13)
    expected = kT - 0.5 * kT * np.log(3)
    assert abs(run.excess_work.mean - expected) < 4 * run.excess_work.stderr
    assert run.excess_work.in_kT.mean == pytest.approx(run.excess_work.mean / kT, rel=1e-14)


def test_excess_work_keeps_its_digits_beside_large_free_energies():
    """The same drive about a bias of 10⁸, where F is 10¹⁶ kT: each replica's excess to 1e-6.

    States near 10⁸ are rounded to 1.5e-8, and 20 ticks move them by less than a unit each.
    """
    far = 1e8
    shapes = {"near": 0.0, "far": far}
    excess = {}
    for name, offset in shapes.items():
        emulator = Emulator(Network(1.0, 1.0, bias=offset), replicas=50, seed=95)
        drive = Protocol.sample(
            1.0, 20, bias=lambda t, b=offset: b + 1 + t, final={"bias": offset + 2.0}
        )
        excess[name] = emulator.play(drive).excess_work
    np.testing.assert_allclose(excess["far"].samples, excess["near"].samples, atol=1e-6, rtol=0)
    assert abs(excess["far"].mean - excess["near"].mean) < 1e-6


def test_slow_drives_dissipate_next_to_nothing():
    """ΔF = −11250 kT in 10⁴ relaxation times; excess 150²/(T + 2) = 2.25 kT, at 4σ of 64 replicas.

    The held drive is half a relaxation time coarse, which the moment equations have too.
    """
    network, start, ticks = Network(1.0, 1.0), np.zeros(1), 20_000
    drive = theory.optimal_drive(network, 150.0, 1e4, ticks)
    exact = bias_drive(
        Reference(1.0, 1.0), start, drive.holds, drive.controls["bias"], drive.final["bias"]
    )
    run = Emulator(network, replicas=64, seed=96).play(drive)
    assert run.free_energy_change.mean == -11250.0
    assert exact.excess_work == pytest.approx(150**2 / 10_002, rel=0.05)
    assert abs(run.excess_work.mean - exact.excess_work) < 4 * np.sqrt(exact.work_variance / 64)


@pytest.mark.parametrize(
    ("controls", "final"),
    [({"kT": [1.0, 2.0]}, None), ({"kT": [2.0, 1.0]}, None), ({}, {"kT": 2.0})],
    ids=["at the end", "in between", "final update"],
)
def test_driven_temperature_has_no_free_energy(controls, final):
    emulator = Emulator(Network(1.0, 1.0, kT=1.0), replicas=30, seed=97)
    run = emulator.play(Protocol([0.5, 0.5], {"bias": [1.0, 2.0], **controls}, final))
    for name in ("free_energy_change", "excess_work"):
        with pytest.raises(ValueError, match="kT changed during this run"):
            getattr(run, name)
    for estimate in (run.work, run.heat, run.supply):
        assert np.isfinite(estimate.mean)
        with pytest.raises(ValueError, match="kT was not one constant"):
            _ = estimate.in_kT
    assert "work" in repr(run)


def test_a_constant_temperature_waveform_is_one_temperature():
    emulator = Emulator(Network(1.0, 1.0, kT=3.0), replicas=30, seed=98)
    emulator.set(kT=0.5)
    run = emulator.play(Protocol([0.5, 0.5], {"bias": [1.0, 2.0], "kT": [0.5, 0.5]}))
    assert run.free_energy_change.mean == -2.0
    assert run.work.in_kT.mean == pytest.approx(2 * run.work.mean, rel=1e-14)


def test_ticks_of_temperature_are_not_resistors():
    """Two ticks at kT = 1 and 2 drive two resistors that start at 1 and 2."""
    emulator = Emulator(Network(np.eye(2), 1.0, kT=[1.0, 2.0]), replicas=30, seed=98)
    held = [1.0, 2.0]
    for waveform, message in ((held, "kT changed"), ([held, held], "needs one temperature")):
        run = emulator.copy().play(Protocol([0.5, 0.5], {"kT": waveform}))
        with pytest.raises(ValueError, match=message):
            _ = run.free_energy_change


def test_free_energy_of_many_units():
    """300 coupled units: ΔF against the reference's log determinants."""
    generator = np.random.default_rng(99)
    half = generator.normal(size=(300, 300)) / 20
    stiffness = np.eye(300) + half @ half.T
    bias = generator.normal(size=300)
    emulator = Emulator(Network(stiffness, 1.0, kT=0.4), replicas=2, seed=99)
    run = emulator.play(Protocol([0.1], {"bias": [bias], "stiffness": [1.7 * stiffness]}))
    reference = Reference(stiffness, 1.0, 0.4)
    exact = reference.free_energy(bias, 1.7 * stiffness)
    exact -= reference.free_energy(np.zeros(300), stiffness)
    assert run.free_energy_change.mean == pytest.approx(exact, rel=1e-12)


# --- Boards --------------------------------------------------------------------------------------


@pytest.fixture
def board():
    return Board(2, [1e6, 2e6], [1e-12, 2e-12], 300.0)


def test_a_run_on_a_board_is_in_si(board):
    """Volts in, joules out: ½ΣCv² and charges C v pulled through the bias, per replica."""
    volts = np.array([1e-4, -5e-5])
    emulator = board.emulator(replicas=40, seed=101)
    before = emulator.read()
    run = emulator.play(Protocol([1e-6], {"bias": [volts]}, {"bias": 0.0}), record="state")
    assert run.work.unit == run.heat.unit == run.free_energy_change.unit == "J"
    assert (run.symbols.state, run.symbols.time) == ("V", "s")
    charge_moved = (run.series["state"][0] - before) * board.capacitance
    np.testing.assert_allclose(
        run.work.samples, charge_moved @ volts, rtol=1e-10, atol=1e-12 * board.kT
    )
    np.testing.assert_allclose(
        run.supply.samples, charge_moved @ volts, rtol=1e-10, atol=1e-12 * board.kT
    )
    assert run.free_energy_change.mean == 0.0
    pulled = board.emulator(replicas=4, seed=1).play(Protocol([1e-6], {"bias": [volts]}))
    assert pulled.free_energy_change.mean == pytest.approx(
        -0.5 * np.sum(board.capacitance * volts**2), rel=1e-13
    )
    assert pulled.work.in_kT.mean == pytest.approx(pulled.work.mean / (1.380649e-23 * 300))


# --- Files ---------------------------------------------------------------------------------------


def example_run(board=None):
    device = board or Network(K2, 1.0, kT=0.7, bias=B2, inertia=[0.5, 1.0])
    emulator = Emulator(device, replicas=20, seed=2**64 - 1)
    tick = 1e-6 if board else 0.3
    drive = Protocol.sample(
        6 * tick,
        6,
        bias=lambda t: [t / tick * 1e-5, 0.0],
        stiffness=lambda t: device.network.stiffness * (1 + 0.1 * t / tick),
        final={"bias": 1e-5},
    )
    return emulator.play(drive, record=["state", "mean", "work"], every=2)


@pytest.mark.parametrize("on_board", [False, True], ids=["network", "board"])
def test_saved_and_loaded(tmp_path, board, on_board):
    run = example_run(board if on_board else None)
    path = tmp_path / "run.ktc"
    run.save(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.ktc"]
    back = Run.load(str(path))
    for name in ("work", "heat", "supply", "free_energy_change", "excess_work"):
        before, after = getattr(run, name), getattr(back, name)
        assert (before.mean, before.stderr) == (after.mean, after.stderr)
        assert (before.unit, before.method) == (after.unit, after.method)
        assert before.in_kT.mean == after.in_kT.mean
    np.testing.assert_array_equal(run.work.samples, back.work.samples)
    assert (back.seed, back.version) == (2**64 - 1, run.version)
    assert back.symbols == run.symbols
    assert back.network == run.network
    assert back.initial_controls == run.initial_controls
    assert back.final_controls == run.final_controls
    np.testing.assert_array_equal(run.times, back.times)
    assert list(back.series) == list(run.series)
    for name, values in run.series.items():
        np.testing.assert_array_equal(values, back.series[name])
    np.testing.assert_array_equal(run.protocol.holds, back.protocol.holds)
    for ours, theirs in (
        (run.protocol.controls, back.protocol.controls),
        (run.protocol.final, back.protocol.final),
    ):
        assert list(ours) == list(theirs)
        for name, values in ours.items():
            np.testing.assert_array_equal(values, theirs[name])
    np.testing.assert_array_equal(
        run.spectrum(segments=1).density, back.spectrum(segments=1).density
    )
    # A loaded protocol can be played again, to the same bits.
    device = board if on_board else run.network
    again = Emulator(device, replicas=20, seed=back.seed).play(back.protocol)
    np.testing.assert_array_equal(again.work.samples, run.work.samples)


def test_a_driven_temperature_survives_the_file(tmp_path):
    emulator = Emulator(Network(1.0, 1.0), replicas=4, seed=1)
    emulator.play(Protocol([1.0], {"kT": [2.0]}, {"kT": 1.0})).save(tmp_path / "run")
    back = Run.load(tmp_path / "run")
    with pytest.raises(ValueError, match="kT changed during this run"):
        _ = back.excess_work


def test_truncated_files(tmp_path):
    path, part = tmp_path / "run.ktc", tmp_path / "part.ktc"
    example_run().save(path)
    whole = path.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        part.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"part\.ktc is corrupt or truncated"):
            Run.load(part)


def test_every_damaged_directory_is_a_value_error(tmp_path):
    """Any byte of the archive's directory: refused by name, or harmless (times, attributes)."""
    path = tmp_path / "run.ktc"
    run = example_run()
    run.save(path)
    whole = path.read_bytes()
    refused = 0
    for place in range(whole.index(b"PK\x01\x02"), len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            back = Run.load(path)
        except ValueError as error:
            assert "is corrupt or truncated" in str(error)  # noqa: PT017
            refused += 1
        else:
            np.testing.assert_array_equal(back.work.samples, run.work.samples)
    assert refused > 50


def test_damaged_bytes_are_noticed(tmp_path):
    """A flipped byte of the samples breaks the archive's checksum."""
    path = tmp_path / "run.ktc"
    run = example_run()
    run.save(path)
    whole = bytearray(path.read_bytes())
    place = whole.find(run.heat.samples.tobytes())
    assert place > 0
    whole[place + 5] ^= 0xFF
    path.write_bytes(whole)
    with pytest.raises(ValueError, match="is corrupt or truncated"):
        Run.load(path)


def rewritten(path, **changes):
    """The same file with other entries in its header."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = json.loads(str(arrays.pop("header")))
    with open(path, "wb") as file:
        np.savez(file, header=np.array(json.dumps({**header, **changes})), **arrays)


def test_files_of_another_kind_or_version(tmp_path):
    path = tmp_path / "run.ktc"
    example_run().save(path)
    rewritten(path, format=999)
    with pytest.raises(ValueError, match=r"has format 999, which ktc .* wrote, but ktc .* reads"):
        Run.load(path)
    Emulator(Network(1.0, 1.0), replicas=2, seed=1).save(path)
    with pytest.raises(ValueError, match="holds an object of kind 'Emulator'"):
        Run.load(path)
    text = tmp_path / "notes.txt"
    text.write_text("no archive")
    with pytest.raises(ValueError, match=r"notes\.txt is corrupt or truncated"):
        Run.load(text)
    with pytest.raises(FileNotFoundError):
        Run.load(tmp_path / "nowhere.ktc")


def test_saving_replaces_only_by_a_whole_file(tmp_path):
    """A save that fails leaves the file that was there, and nothing half written beside it."""
    path = tmp_path / "run.ktc"
    example_run().save(path)
    before = path.read_bytes()
    broken = example_run()
    broken.series["state"] = object()
    with pytest.raises(TypeError, match="series/state cannot be saved"):
        broken.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    example_run().save(path)
    assert Run.load(path).seed == 2**64 - 1
