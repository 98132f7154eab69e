"""Saved files: whole or refused, of this format or refused, never half written."""

import io
import json
import zipfile
from copy import copy

import numpy as np
import pytest
from numpy.lib import format as npy

import ktc
from ktc._base import files
from ktc._base.codec import RecordError, from_record, to_record
from refusal import refused


@pytest.fixture
def emulator():
    made = ktc.Emulator(ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0), replicas=10, seed=1)
    made.run(1.0)
    return made


@pytest.fixture
def path(emulator, tmp_path):
    emulator.save(tmp_path / "emulator.npz")
    return tmp_path / "emulator.npz"


def rewritten(path, **changes):
    """The same file with other entries of its header."""
    with np.load(path) as archive:
        arrays = dict(archive)
    header = {**json.loads(str(arrays.pop("header"))), **changes}
    np.savez(path, header=np.array(json.dumps(header)), **arrays)


def test_files_keep_the_name_they_are_given(emulator, tmp_path):
    for name in ("run", "run.ktc", "run.npz"):
        emulator.save(tmp_path / name)
        assert (ktc.Emulator.load(str(tmp_path / name)).read() == emulator.read()).all()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run", "run.ktc", "run.npz"]


def header_of(path):
    with np.load(path) as archive:
        return json.loads(str(archive["header"]))


def test_header_says_what_made_it(path):
    header = header_of(path)
    assert header["version"] == ktc.__version__
    assert header["format"] == files.FORMAT
    assert header["record"]["options"]["seed"] == 1


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npz"):
        ktc.Emulator.load(tmp_path / "nowhere.npz")


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.3, 0.5, 0.9, 0.99, 0.9999])
def test_a_truncated_file(path, kept):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with refused(ValueError, str(path), "is corrupt or truncated", "restore a backup"):
        ktc.Emulator.load(path)


def test_a_damaged_file(emulator, path):
    """One wrong bit of a number: the checksum of its array tells."""
    whole = bytearray(path.read_bytes())
    for name in ("state", "ledger", "stiffness"):
        damaged = bytearray(whole)
        damaged[whole.index(emulator._frontend.engine.snapshot()[name].tobytes())] ^= 1
        path.write_bytes(damaged)
        with refused(ValueError, str(path), "is corrupt or truncated"):
            ktc.Emulator.load(path)


@pytest.mark.parametrize("content", [b"voltage,current\n1,2\n", b"\x93NUMPY", b"PK\x03\x04 no"])
def test_a_file_of_something_else(tmp_path, content):
    path = tmp_path / "other.npz"
    path.write_bytes(content)
    with refused(ValueError, str(path), "is corrupt or truncated"):
        ktc.Emulator.load(path)


def test_arrays_of_something_else(tmp_path):
    np.savez(tmp_path / "arrays.npz", x=np.ones(3))
    np.save(tmp_path / "array.npy", np.ones(3))
    for name in ("arrays.npz", "array.npy"):
        with refused(ValueError, name, "is corrupt or truncated"):
            ktc.Emulator.load(tmp_path / name)


def test_another_version(path):
    rewritten(path, format=files.FORMAT + 1, version="9.0")
    with refused(
        ValueError,
        str(path),
        f"format {files.FORMAT + 1}",
        "ktc 9.0",
        "load it with ktc 9.0",
    ):
        ktc.Emulator.load(path)


def test_an_emulator_of_another_minor_version(path):
    """Results of one seed may change there, so that it would not go on as it was."""
    major, minor, *_ = ktc.__version__.split(".")
    rewritten(path, version=f"{major}.{minor}.99")
    ktc.Emulator.load(path)
    for other in (f"{major}.{int(minor) + 1}.0", f"{int(major) + 1}.{minor}.0"):
        rewritten(path, version=other)
        with refused(ValueError, str(path), f"ktc {other}", f"ktc {ktc.__version__}", "same bits"):
            ktc.Emulator.load(path)


def test_the_emulator_of_a_board_of_another_minor_version(tmp_path):
    spec = ktc.Imperfections(offset=1e-6)
    path = tmp_path / "board.npz"
    ktc.Board(1, 1e6, 1e-12, 300.0, imperfections=spec).emulator(2, 1).save(path)
    rewritten(path, version="99.0.0")
    with refused(ValueError, str(path), "ktc 99.0.0", "same bits"):
        ktc.Emulator.load(path)


def test_a_run_and_a_fit_are_of_any_version(emulator, tmp_path):
    run = emulator.play(ktc.Protocol([1.0], {"bias": [1.0]}))
    schedule = ktc.schedules.Constant(1.0, rate=0.1)
    fit = ktc.learn(emulator.network, [1.0, 2.0], schedule, replicas=5, ticks=2, seed=1)
    for result in (run, fit):
        result.save(tmp_path / "result.npz")
        record = {**header_of(tmp_path / "result.npz").get("record", {}), "version": "99.0.0"}
        rewritten(tmp_path / "result.npz", version="99.0.0", record=record)
        again = type(result).load(tmp_path / "result.npz")
        assert again.version == "99.0.0"
        assert (again.work.samples == result.work.samples).all()


def test_a_folder(tmp_path):
    for kind in (ktc.Emulator, ktc.Run, ktc.Fit):
        with refused(ValueError, f"{tmp_path} is a folder", "file in it"):
            kind.load(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"options": {"replicas": "ten"}},
        {"options": {"replicas": 1000}},
        {"options": {"replicas": None}},
        {"options": {"seed": -1}},
        {"options": {"dt": [1]}},
        {"description": "V"},
        {"description": {"kind": "Network", "stiffness": 1.0}},
        {"kind": ["Emulator"]},
    ],
    ids=str,
)
def test_an_edited_record(path, changes):
    record = header_of(path)["record"]
    for name, value in changes.items():
        edited = {**record[name], **value} if name == "options" else value
        rewritten(path, record={**record, name: edited})
    with refused(ValueError, str(path)):
        ktc.Emulator.load(path)


def test_an_edited_header(path):
    rewritten(path, arrays=3)
    with refused(ValueError, str(path)):
        ktc.Emulator.load(path)


@pytest.mark.parametrize("missing", ["record", "format", "version", "arrays"])
def test_a_header_that_lacks_something(path, missing):
    with np.load(path) as archive:
        arrays = dict(archive)
    header = json.loads(str(arrays.pop("header")))
    for edited in ({k: v for k, v in header.items() if k != missing}, list(header)):
        np.savez(path, header=np.array(json.dumps(edited)), **arrays)
        with refused(ValueError, str(path), "is corrupt or truncated"):
            ktc.Emulator.load(path)


@pytest.mark.parametrize("missing", ["kind", "description", "options", "state"])
def test_a_record_that_lacks_something(path, missing):
    record = header_of(path)["record"]
    rewritten(path, record={k: v for k, v in record.items() if k != missing})
    with refused(ValueError, str(path), "is corrupt or truncated"):
        ktc.Emulator.load(path)


def test_a_wrong_number_of_threads_is_not_the_fault_of_the_file(path):
    with refused(ValueError, "threads must be at least 1, but is 0"):
        ktc.Emulator.load(path, threads=0)


def test_another_kind(path):
    with refused(ValueError, str(path), "holds an object of kind 'Emulator', not 'Run'"):
        ktc.Run.load(path)


@pytest.mark.parametrize(
    "missing", ["description/stiffness", "state/engine/state", "state/held/bias", "header"]
)
def test_a_file_that_lacks_something(path, missing):
    with np.load(path) as archive:
        arrays = dict(archive)
    del arrays[missing]
    np.savez(path, **arrays)
    with refused(ValueError, str(path)):
        ktc.Emulator.load(path)


def test_a_state_of_another_size(path):
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["state/engine/state"] = arrays["state/engine/state"][:-1]
    np.savez(path, **arrays)
    with refused(ValueError, "another size"):
        ktc.Emulator.load(path)


def edited(path, name, change):
    """The same file with one array changed."""
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays[name] = change(arrays[name])
    np.savez(path, **arrays)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["description/stiffness", "state/engine/state", "state/held/bias"])
def test_an_array_that_is_not_finite(path, name, wrong):
    edited(path, name, lambda array: np.full_like(array, wrong))
    with refused(ValueError, str(path), name.split("/")[-1], "NaN or infinite"):
        ktc.Emulator.load(path)


@pytest.mark.parametrize("dtype", ["complex128", "datetime64[s]", "V8", "S4"])
def test_an_array_of_another_kind_of_numbers(path, dtype):
    edited(path, "state/engine/state", lambda array: np.zeros(array.shape, dtype))
    with refused(ValueError, str(path), "state/engine/state", "dtype", "does not save"):
        ktc.Emulator.load(path)


def test_infinite_numbers_that_were_saved():
    """Only arrays that had them when they were saved may have them."""
    saved = to_record({"x": np.array([1.0, np.inf]), "y": np.ones(2)})
    assert from_record(saved)["x"][1] == np.inf
    with refused(RecordError, "y: NaN or infinite"):
        from_record(saved._replace(arrays={**saved.arrays, "y": np.array([np.nan])}))


def header_claiming(path, name, **claims):
    """Edit the header of an array in place of its entry, as its data stay."""
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    content = io.BytesIO(entries[f"{name}.npy"])
    assert npy.read_magic(content) == (1, 0)
    shape, order, dtype = npy.read_array_header_1_0(content)
    header = {"descr": dtype.str, "fortran_order": order, "shape": shape} | claims
    made = io.BytesIO()
    npy.write_array_header_1_0(made, header)
    entries[f"{name}.npy"] = made.getvalue() + content.read()
    with zipfile.ZipFile(path, "w") as archive:
        for filename, data in entries.items():
            archive.writestr(filename, data)


@pytest.mark.parametrize("shape", [(2**40,), (2**63, 2**63), (2**70,), (-4,), (0,), (3, 2**33)])
def test_a_shape_that_does_not_fit_its_entry(path, shape):
    header_claiming(path, "state/engine/state", shape=shape)
    with refused(ValueError, str(path), "state/engine/state", "claims shape"):
        ktc.Emulator.load(path)


@pytest.mark.parametrize("replicas", [11 * 64, 2**33, 2**62, 2**80])
def test_more_replicas_than_were_saved(path, replicas):
    options = header_of(path)["record"]["options"] | {"replicas": replicas}
    rewritten(path, record={**header_of(path)["record"], "options": options})
    with refused(ValueError, str(path), "replicas"):
        ktc.Emulator.load(path)


def test_a_file_that_inflates(path):
    """Compressed entries could ask for a thousand times the memory of the file."""
    with np.load(path) as archive:
        np.savez_compressed(path, **dict(archive))
    with refused(ValueError, str(path), "compressed"):
        ktc.Emulator.load(path)


def test_entries_that_share_their_data(path):
    """Overlapping entries would claim the same bytes many times."""
    with zipfile.ZipFile(path, "a") as archive:
        for twin in range(1000):
            entry = copy(archive.infolist()[0])
            entry.filename = f"twin{twin}.npy"
            archive.filelist.append(entry)
            archive.NameToInfo[entry.filename] = entry
        archive._didModify = True
    with refused(ValueError, str(path), "claim more than"):
        ktc.Emulator.load(path)


def test_a_json_header_of_any_depth(path):
    rewritten(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["header"] = np.array("[" * 100_000)
    np.savez(path, **arrays)
    with refused(ValueError, str(path), "is corrupt or truncated"):
        ktc.Emulator.load(path)


def test_a_failed_save_leaves_the_old_file(emulator, path, monkeypatch):
    whole = path.read_bytes()

    def full(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(files, "write_archive", full)
    with pytest.raises(OSError, match="no space left"):
        emulator.save(path)
    assert path.read_bytes() == whole


def test_a_folder_that_is_not_there(emulator, tmp_path):
    with pytest.raises(FileNotFoundError):
        emulator.save(tmp_path / "no" / "emulator.npz")


def changed_record(path, place, value):
    """The same file with one entry of its record changed."""
    record = header_of(path)["record"]
    *folders, last = place.split("/")
    holder = record
    for name in folders:
        holder = holder[int(name)] if isinstance(holder, list) else holder[name]
    holder[last] = value
    rewritten(path, record=record)


SAMPLES = [[1.0, 2.0], [2.0, 1.0], [0.5, 0.0]]
LINEAR = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Files of a run, a fit, an exact ensemble, a board, and a circuit."""
    folder = tmp_path_factory.mktemp("results")
    drive = ktc.Protocol([0.5, 0.5], {"bias": [1.0, 2.0]})
    schedule = ktc.schedules.Adam(1.0, 0.1)
    spec = ktc.Imperfections(offset=1e-6, settling_time=1e-7)
    board = ktc.Board(2, 1e6, 1e-12, 300.0, imperfections=spec)
    circuit = ktc.Circuit.from_netlist("V1 in 0 1\nR1 in a 1k\nC1 a 0 1n")
    made = {
        "run": ktc.Emulator(LINEAR, 3, seed=1).play(drive, record="state"),
        "fit": ktc.learn(LINEAR, SAMPLES, schedule, replicas=4, ticks=3, seed=1),
        "exact": ktc.Emulator(LINEAR, float("inf")),
        "board": board.emulator(3, seed=1),
        "circuit": circuit.compile(),
    }
    for name, value in made.items():
        value.save(folder / f"{name}.npz")
    return folder


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("run", "_variances", "x"),
        ("run", "initial_controls", [1]),
        ("run", "symbols", None),
        ("run", "seed", 1.5),
        ("fit", "schedule", 0),
        ("fit", "readings", 0.5),
        ("fit", "hidden", 0),
        ("fit", "data_mean", -1e300),
        ("fit", "history/noise_work", -1),
        ("fit", "readings/heat", {"a": 1}),
        ("fit", "start/scale", 3),
        ("exact", "state/engine/spread_linear", 1.0),
        ("exact", "state/held", None),
        ("board", "state/updated", "x"),
        ("board", "state/read", float("inf")),
        ("circuit", "equation/resistors", None),
    ],
)
def test_an_entry_of_another_type(results, tmp_path, name, place, value):
    path = tmp_path / f"{name}.npz"
    path.write_bytes((results / path.name).read_bytes())
    ktc.load(path)
    changed_record(path, place, value)
    with refused(ValueError, str(path)):
        ktc.load(path)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("run", "_samples/work/samples"),
        ("fit", "readings/work"),
        ("fit", "readings/final_forces"),
        ("fit", "history/time"),
        ("fit", "history/theta"),
        ("fit", "history/path_free_energy"),
        ("fit", "data_forces"),
        ("fit", "start/scale"),
        ("exact", "state/engine/spread_variance"),
        ("exact", "state/engine/mean"),
        ("board", "state/target/bias"),
        ("board", "state/output/emf"),
        ("circuit", "equation/nodes_of_sources"),
        ("circuit", "equation/values"),
    ],
)
@pytest.mark.parametrize("shape", [(0, 3), (7,), (1, 1)])
def test_an_array_of_another_shape(results, tmp_path, name, place, shape):
    path = tmp_path / f"{name}.npz"
    path.write_bytes((results / path.name).read_bytes())
    edited(path, place, lambda array: np.ones(shape))
    with refused(ValueError, str(path)):
        ktc.load(path)
