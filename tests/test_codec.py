"""Records and files of any kind: what is saved comes back equal, or is refused with a reason."""

import dataclasses
import json
import pickle

import numpy as np
import pytest
import scipy.sparse

import ktc
from ktc._base import files
from ktc._base.codec import from_record, register, same, to_record
from ktc._learning.history import History
from ktc._model.description import Described
from refusal import refused

K = np.array([[2.0, 0.5], [0.5, 1.0]])


@dataclasses.dataclass
class Box:
    """Holds anything."""

    content: object


register(Box)


def circuit():
    return ktc.Circuit.from_netlist(
        "R1 a 0 10meg kelvin=88\nC1 a 0 680p\nR2 b 0 10meg kelvin=296\nC2 b 0 420p\nC3 a b 100p"
    ).compile()


def elements():
    resistors = [ktc.Resistor([1, 0], 1.0, "R1", emf=0.5), ktc.Resistor([0, 1], 0.3, "R2")]
    return ktc.Network.of_elements(
        [[1, 0], [0, 2]],
        resistors,
        [1, 2],
        bias=[0.1, 0.2],
        interconnection=[[0, 1], [-1, 0]],
        sources=[ktc.CurrentSource([1, 1], 0.7)],
        noises=[ktc.NoiseSource([1, 0], 0.1), ktc.NoiseSource([0, 1], 0.2, bandwidth=0.3)],
    )


def board(**options):
    return ktc.Board(4, [1e6, 2e6, 1e6, 1e6], 1e-12, 300.0, bias=1e-5, **options)


STORED = {
    "network": lambda: ktc.Network(K, K, kT=0.5, bias=[1.0, 2.0]),
    "double well": lambda: ktc.Network(-1.0, 2.0, quartic=0.3),
    "inertia": lambda: ktc.Network(K, [1.0, 2.0], inertia=[1.0, 3.0], kT=[0.5, 1.0]),
    "sparse": lambda: ktc.Network(ktc.lattices.ring(5), 1.0, bias=2.0),
    "elements": elements,
    "circuit": circuit,
    "protocol": lambda: ktc.Protocol([1.0, 2.0], {"bias": [1.0, 2.0]}, {"kT": 3.0}),
    "encoding": lambda: ktc.Encoding([1e-3, 2e-3], offset=8.0, scale=[4.0, 5.0]),
    "board": lambda: board(imperfections=ktc.Imperfections(offset=1e-6, seed=3)),
    "stiffness of a board": lambda: board(stiffness=1e12 * (np.eye(4) + 0.1)),
    "couplings": lambda: board(
        coupling="capacitive", topology=ktc.Topology.ring(4), couplings=1e-12
    ),
}


def drawing():
    netlist = "R1 A 0 1k kelvin=4\nC1 a 0 1n ic=2\nI1 0 a 1n noise=1e-24 bandwidth=10k\n.tran 1n 1u"
    return ktc.Circuit.from_netlist(netlist)


def statistics():
    wanted = ktc.Statistics(covariance=True, histogram=[-1.0, 0.0, 1.0], autocorrelation=2)
    emulator = ktc.Emulator(ktc.Network(K, 1.0), replicas=10, seed=1)
    return emulator.play(ktc.Protocol([0.1] * 5, {}), statistics=wanted).statistics


STORED |= {
    "circuit as drawn": drawing,
    "statistics": statistics,
    "metrics": lambda: ktc.Metrics("measured", replicas=500, shrinkage=0.5),
}


@pytest.mark.parametrize("name", STORED)
def test_any_kind_comes_back_equal(name, tmp_path):
    value = STORED[name]()
    value.save(tmp_path / "value")
    for again in (
        ktc.load(tmp_path / "value"),
        type(value).load(tmp_path / "value"),
        from_record(to_record(value)),
        pickle.loads(pickle.dumps(value)),
    ):
        assert type(again) is type(value)
        assert same(again, value)
    assert list(tmp_path.iterdir()) == [tmp_path / "value"]


@pytest.mark.parametrize(
    "value",
    [
        ktc.schedules.MinimalDissipation(2.0, matrix=False),
        ktc.schedules.ContinuousMinimalDissipation(2.0, [1.0, 2.0]),
        ktc.schedules.NaturalGradient(2.0, 0.3),
        ktc.schedules.Constant(2.0, 0.1, weights={"bias": 2.0}),
        ktc.schedules.Exponential(2.0, 0.3, 0.1),
        ktc.schedules.Cosine(2.0, 0.3),
        ktc.schedules.Adam(2.0, 0.1, beta1=0.5),
        ktc.Units("V", "V", "1/F", "J", "s"),
        ktc.Topology.grid(2, 3),
        ktc.Imperfections(dac_bits=8, dac_range=1.0),
        History(*np.arange(39.0).reshape(13, 3)),
        Described(ktc.Network(K, 1.0), np.ones(2), ktc.Units()),
        ktc.Estimate.of_samples([1.0, 2.0, 4.0], unit="J", kT=2.0),
        ktc.Estimate.exact(1.5, variance=0.5),
        ktc.Estimate(1.0, float("inf"), method="a single sample"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_results_are_made_of_comes_back_equal(value, tmp_path):
    files.save(tmp_path / "value", value)
    again = ktc.load(tmp_path / "value")
    assert type(again) is type(value)
    assert same(again, value)


def test_a_circuit_comes_back_with_all_that_it_was_read_with(tmp_path):
    circuit = drawing()
    circuit.save(tmp_path / "circuit.npz")
    again = ktc.load(tmp_path / "circuit.npz")
    assert again == circuit and str(again) == str(circuit)
    assert again.skipped == circuit.skipped == (".tran 1n 1u",)
    assert again.nodes == ("A",)
    np.testing.assert_array_equal(again.initial_state(), circuit.initial_state())
    again.add("R2", "a", 0, 50.0)
    assert again.compile() != circuit.compile()


def test_plain_values_come_back_as_they_were(tmp_path):
    plain = {
        "none": None,
        "numbers": [True, 3, 2**70, 0.1, float("inf"), float("-inf")],
        "pair": (1, ("two", [3.0])),
        "empty": [(), [], {}],
        "arrays": (np.arange(3), {"inner": np.zeros((2, 0))}, [np.float32(0.5)]),
        "text": "größer\n0",
    }
    estimate = Box(plain)
    files.save(tmp_path / "value", estimate)
    with np.load(tmp_path / "value") as archive:
        header = json.loads(str(archive["header"]))
        assert set(archive.files) == {"header", "content/arrays/0", "content/arrays/1/inner"}
    assert header["arrays"] == ["content/arrays/0", "content/arrays/1/inner"]
    again = ktc.load(tmp_path / "value").content
    expected = {**plain, "arrays": (*plain["arrays"][:2], [0.5])}
    assert same(again, expected)
    assert isinstance(again["pair"][1], tuple)


def test_nan_comes_back(tmp_path):
    files.save(tmp_path / "value", ktc.Estimate(float("nan"), 1.0, method="none"))
    assert np.isnan(ktc.load(tmp_path / "value").mean)


def test_a_loaded_circuit_knows_its_nodes(tmp_path):
    made = circuit().with_controls(bias=1e-15)
    made.save(tmp_path / "circuit.npz")
    again = ktc.CompiledCircuit.load(tmp_path / "circuit.npz")
    assert again.nodes == made.nodes
    assert again == made
    assert isinstance(ktc.Network.load(tmp_path / "circuit.npz"), ktc.CompiledCircuit)


def test_what_has_no_kind_is_refused_before_anything_is_written(tmp_path):
    class Mine(ktc.Network):
        """A subclass that no file could bring back."""

    @dataclasses.dataclass
    class Other:
        part: object

    plan = Box(None)
    for part, named in ((Mine(1.0, 1.0), "Mine"), (Other(1), "Other"), ({1}, "set")):
        plan.content = {"part": part}
        with refused(TypeError, "content/part cannot be saved", named, "objects of ktc"):
            files.save(tmp_path / "value", plan)
    plan.content = {1: 2.0}
    with refused(TypeError, "content cannot be saved", "1 is no name of an entry"):
        files.save(tmp_path / "value", plan)
    plan.content = np.array([object()])
    with refused(TypeError, "content cannot be saved"):
        files.save(tmp_path / "value", plan)
    plan.content = {"a/b": np.zeros(1), "a": {"b": np.ones(1)}}
    with refused(ValueError, "the same entry 'content/a/b'"):
        files.save(tmp_path / "value", plan)
    assert not list(tmp_path.iterdir())


def edited(path, edit, arrays=None):
    """The same file with an edited header, and other arrays."""
    with np.load(path) as archive:
        entries = {**archive, **(arrays or {})}
    header = json.loads(str(entries.pop("header")))
    edit(header)
    np.savez(path, header=np.array(json.dumps(header)), **entries)


@pytest.fixture
def path(tmp_path):
    ktc.Network(K, 1.0, bias=[1.0, 2.0]).save(tmp_path / "network.npz")
    return tmp_path / "network.npz"


def test_another_kind_names_what_the_file_holds(path):
    with refused(ValueError, str(path), "kind 'Network', not 'Protocol'", "ktc.load(path)"):
        ktc.Protocol.load(path)


def test_another_format_names_the_version_that_reads_it(path):
    edited(path, lambda header: header.update(format=files.FORMAT + 1, version="9.0"))
    with refused(
        ValueError, str(path), f"format {files.FORMAT + 1}", f"reads format {files.FORMAT}",
        "load it with ktc 9.0",
    ):  # fmt: skip
        ktc.load(path)


def test_a_kind_of_a_later_version_is_named(path):
    edited(path, lambda header: (header["record"].update(kind="Dial"), header.update(version="9")))
    with refused(ValueError, str(path), "'Dial'", "does not know", "needs ktc 9"):
        ktc.load(path)


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        ("stiffness", -np.eye(2), "stiffness must be positive definite"),
        ("bias", np.ones(3), "bias must be a scalar or of shape"),
        ("bias", np.array(["a", "b"]), "bias must be real numbers"),
        ("friction", -np.ones(2), "friction must be positive"),
    ],
)
def test_an_edited_array(path, name, value, cause):
    edited(path, lambda header: None, {name: value})
    with refused(
        ValueError, str(path), "is corrupt or truncated", "Network: ", cause,
        "regenerate it or restore a backup",
    ):  # fmt: skip
        ktc.load(path)


@pytest.mark.parametrize("change", [{"kT": "warm"}, {"kT": None}, {"kT": -1.0}, {"friend": 1}])
def test_an_edited_record(path, change):
    edited(path, lambda header: header["record"].update(change))
    with refused(ValueError, str(path), "is corrupt or truncated", "Network: "):
        ktc.load(path)


def test_a_field_or_an_entry_that_is_missing(path):
    edited(path, lambda header: header["record"].pop("friction"))
    with refused(ValueError, str(path), "friction"):
        ktc.load(path)
    edited(path, lambda header: header["arrays"].remove("bias"))
    with refused(ValueError, str(path), "its entries are not those that were saved"):
        ktc.load(path)


def test_a_nested_entry_is_named(tmp_path):
    path = tmp_path / "described.npz"
    files.save(path, Described(ktc.Network(K, 1.0), np.ones(2), ktc.Units()))
    edited(path, lambda header: header["record"]["network"].update(kT=0.0))
    with refused(ValueError, str(path), "(network: ValueError: kT must be positive"):
        ktc.load(path)


def test_indices_of_sparse_couplings_are_checked(tmp_path):
    path = tmp_path / "sparse.npz"
    ktc.Network(ktc.lattices.ring(5), 1.0).save(path)
    with np.load(path) as archive:
        indices = archive["stiffness/indices"].copy()
    indices[3] = 10**6
    edited(path, lambda header: None, {"stiffness/indices": indices})
    with refused(ValueError, str(path), "stiffness: ValueError"):
        ktc.load(path)


def test_a_bit_that_flipped_names_its_entry(path):
    content = bytearray(path.read_bytes())
    content[content.index(K.tobytes())] ^= 1
    path.write_bytes(content)
    with refused(ValueError, str(path), "is corrupt or truncated", "stiffness"):
        ktc.load(path)


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.3, 0.5, 0.9, 0.99, 0.9999])
def test_a_truncated_file(path, kept):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with refused(ValueError, str(path), "is corrupt or truncated", "restore a backup"):
        ktc.load(path)


def test_equality_of_controls_and_sparse_matrices():
    sparse = ktc.Network(scipy.sparse.csr_array(K), 1.0)
    assert sparse.controls == ktc.Network(scipy.sparse.csr_array(K), 1.0).controls
    assert sparse.controls != sparse.with_controls(stiffness=scipy.sparse.csr_array(2 * K)).controls
    assert sparse != ktc.Network(K, 1.0)
    assert ktc.Network(K, 1.0).controls != ktc.Network(K, 1.0, kT=2.0).controls


def test_emulators_runs_and_fits_are_kinds_too(tmp_path):
    board = ktc.Board(2, 1e6, 1e-12, 300.0, imperfections=ktc.Imperfections(offset=1e-6))
    network = ktc.Network(K, 1.0)
    for emulator in (
        ktc.Emulator(network, replicas=5, seed=1),
        ktc.Emulator(network, replicas=np.inf),
        ktc.Emulator(ktc.Network(ktc.lattices.ring(5), 1.0), replicas=5, seed=1),
        board.emulator(replicas=5, seed=1),
    ):
        emulator.run(1e-6)
        emulator.save(tmp_path / "emulator.npz")
        again = ktc.load(tmp_path / "emulator.npz")
        assert type(again) is type(emulator)
        for each in (emulator, again):
            each.run(1e-6)
        assert (again.moments().mean == emulator.moments().mean).all()
        assert (again.moments().covariance == emulator.moments().covariance).all()
        assert (again.ledger.heat == emulator.ledger.heat).all()
    run = ktc.Emulator(network, replicas=5, seed=1).play(ktc.Protocol([1.0], {"bias": [1.0]}))
    fit = ktc.learn(network, [1.0, 2.0], ktc.schedules.Constant(1.0, rate=0.1), replicas=5, seed=1)
    for result in (run, fit):
        result.save(tmp_path / "result.npz")
        again = ktc.load(tmp_path / "result.npz")
        assert type(again) is type(result)
        assert again.version == ktc.__version__
        assert (again.work.samples == result.work.samples).all()
        with refused(ValueError, f"kind '{type(result).__name__}', not 'Emulator'", "ktc.load"):
            ktc.Emulator.load(tmp_path / "result.npz")


def test_a_format_of_a_development_version_of_this_number_is_not_blamed_on_it(path):
    edited(path, lambda header: header.update(format=files.FORMAT - 1))
    with refused(ValueError, str(path), "a development version wrote it", "run again"):
        ktc.load(path)


def test_an_archive_of_another_program_is_named_as_such(path):
    np.savez(path, a=1)
    with refused(ValueError, str(path), "no header, as every file that ktc saved has"):
        ktc.load(path)


def test_moments_are_pickled_by_their_values():
    network = ktc.Network(K, 1.0)
    for replicas in (10, np.inf):
        moments = ktc.Emulator(network, replicas=replicas).moments()
        again = pickle.loads(pickle.dumps(moments))
        assert np.array_equal(again.mean, moments.mean)
        assert np.array_equal(again.covariance, moments.covariance)


def test_results_of_sparse_networks_are_pickled_after_they_were_read():
    network = ktc.Network(ktc.lattices.ring(6, own=1.0, coupling=0.2), friction=1.0)
    schedule = ktc.schedules.MinimalDissipation(duration=1.0)
    fit = ktc.learn(network, np.ones(6), schedule, replicas=10, ticks=3, seed=1)
    bound = fit.bound
    assert pickle.loads(pickle.dumps(fit)).bound == bound
    assert same(pickle.loads(pickle.dumps(network.controls)), network.controls)
    run = ktc.Emulator(network, replicas=3, seed=1).play(ktc.Protocol([0.1], {"bias": [1.0]}))
    assert pickle.loads(pickle.dumps(run)).work.mean == run.work.mean
