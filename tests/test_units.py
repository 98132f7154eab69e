"""What describes a device, and its units: no symbols where they are the user's, SI on a board."""

import pytest

import ktc
from ktc._base.units import CONSISTENT, SI
from ktc._theory.geometry import Geometry
from refusal import refused


def test_every_description_knows_its_network_scale_and_symbols():
    network = ktc.Network(1.0, 1.0)
    board = ktc.Board(cells=1, resistance=1e6, capacitance=1e-12, temperature=300.0)
    assert network.network is network
    assert network.scale.tolist() == [1.0]
    assert network.symbols == CONSISTENT
    assert board.symbols == SI
    for description in (network, board):
        emulator = ktc.Emulator(description, replicas=1, seed=1)
        assert emulator.network == description.network
        assert emulator.symbols == description.symbols
        assert emulator.scale.tolist() == description.scale.tolist()


BOARD = ktc.Board(cells=1, resistance=1e6, capacitance=1e-12, temperature=300.0)


@pytest.mark.parametrize("made_of", [ktc.Network(1.0, 1.0), BOARD], ids=["Network", "Board"])
@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (ktc.Emulator, "network"),
        (ktc.theory.equilibrium, "device"),
        (ktc.theory.free_energy, "device"),
        (lambda device: ktc.theory.free_energy_change(device.network, device), "after"),
        (lambda device: ktc.theory.free_energy_change(device, device.network), "before"),
        (lambda device: ktc.theory.bias_free_energy(device, [[0.0]]), "device"),
        (lambda device: ktc.theory.log_likelihood(device, [[0.0]]), "device"),
        (ktc.theory.fisher_matrix, "device"),
        (ktc.theory.friction_tensor, "device"),
        (lambda device: ktc.theory.least_excess_work(device, 1.0, 1.0), "device"),
        (lambda device: ktc.theory.optimal_drive(device, 1.0, 1.0, 2), "device"),
        (lambda device: ktc.theory.least_stiffness_excess_work(device, 1.0, 1.0), "device"),
        (lambda device: ktc.theory.optimal_stiffness_drive(device, 1.0, 1.0, 2), "device"),
        (lambda device: ktc.spectra.spectral_density(device, 1.0), "device"),
        (lambda device: ktc.spectra.band_covariance(device, 1.0, 2.0), "device"),
        (Geometry.of, "device"),
    ],
)
def test_a_running_device_is_no_description(call, argument, made_of):
    """Its controls may have moved on from those of its network, which would answer for them."""
    emulator = ktc.Emulator(made_of, replicas=1, seed=1)
    with refused(TypeError, f"{argument} must be", "a running Emulator", "with_controls"):
        call(emulator)


def test_what_describes_nothing_is_refused():
    run = ktc.Emulator(BOARD, replicas=2, seed=1).play(ktc.Protocol([1e-6], {"bias": [1e-6]}))
    for thing in ("x", run, SI):
        with refused(
            TypeError, "device must be a ktc.Network or a ktc.Board", type(thing).__name__
        ):
            ktc.theory.equilibrium(thing)
