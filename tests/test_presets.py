"""Ready-made hardware against the figures that are known of it.

Statistical tests allow 4 standard errors: false alarms 6e-5 each, at a fixed seed.
"""

import numpy as np
import pytest
from scipy.integrate import quad

import ktc
from ktc import presets, spectra

BOLTZMANN = 1.380649e-23


def test_breadboard_in_its_band():
    """The model's published figures, which are rounded to four digits."""
    circuit = presets.breadboard2()
    net = circuit.compile()
    volts = net.stiffness
    covariance = volts @ spectra.band_covariance(net, 200.0, 50e3) @ volts
    rms = np.sqrt(np.diagonal(covariance))
    assert rms == pytest.approx([0.6058e-3, 0.5391e-3], rel=2e-4)
    assert covariance[0, 1] / np.prod(rms) == pytest.approx(0.3532, abs=1e-4)
    assert net.relaxation_times == pytest.approx([41.6e-6, 92.0e-6], rel=1e-3)
    assert circuit.nodes == ("1", "2")


def test_breadboard_as_it_runs():
    """The emulator's voltages, all frequencies, against Lyapunov's equation of the two nodes."""
    ohms = {1: 4690.0, 2: 4680.0, 3: 6830.0, 4: 9900.0}
    conductance = np.array(
        [
            [1 / ohms[1] + 1 / ohms[3], -1 / ohms[3]],
            [-1 / ohms[3], 1 / ohms[2] + 1 / ohms[3] + 1 / ohms[4]],
        ]
    )
    farads = np.array([23.50e-9, 23.51e-9])
    drift = -conductance / farads[:, None]
    current = 0.5 * (14.38e-9 * np.array([1125 / ohms[1], 1130 / ohms[2]])) ** 2
    thermal = 2 * BOLTZMANN * 297 * conductance
    rate = (np.diag(current) + thermal) / np.outer(farads, farads)
    system = np.kron(drift, np.eye(2)) + np.kron(np.eye(2), drift)
    expected = np.linalg.solve(system, -rate.ravel()).reshape(2, 2)
    circuit = presets.breadboard2()
    emulator = ktc.Emulator(circuit.compile(), replicas=20_000, seed=1)
    emulator.run(200e-6)
    found = np.cov(circuit.voltages(emulator).T)
    # Standard errors of variances and of the covariance of normal samples; steps of a tenth of the
    # fastest time leave 1e-3, below a third of these.
    spread = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / 20_000)
    assert (np.abs(found - expected) < 4 * spread).all()
    assert emulator.ledger.imbalance() < 1e-12


def maxwell(own, couplings):
    return np.diag(own + couplings.sum(axis=0)) - couplings


def switched(seed):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.uniform(0, 2e-10, (8, 8)) * (rng.random((8, 8)) < 0.5), 1)
    return upper + upper.T


def test_stochastic_processing_unit_has_the_inverse_capacitance_matrix():
    """Cov v = κ₀R C⁻¹ exactly in the stationary state from which it starts."""
    couplings = switched(1)
    circuit = presets.spu8(
        resistance=1e3, inductance=1e-3, capacitance=1e-9, noise=1e-24, couplings=couplings
    )
    net = circuit.compile()
    emulator = ktc.Emulator(net, replicas=40_000, seed=2)
    expected = 1e-21 * np.linalg.inv(maxwell(1e-9, couplings))
    spread = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / 40_000)
    found = np.cov(circuit.voltages(emulator).T)
    assert (np.abs(found - expected) < 4 * spread).all()


@pytest.mark.parametrize("spread", [0.01, 0.05])
def test_spread_of_the_resistors_biases_it(spread):
    """A spread of 1 % / 5 % in R biases the covariance by about as much, in Frobenius norm."""
    couplings = switched(2)
    ohms = 1e3 * (1 + spread * np.random.default_rng(3).normal(size=8))
    net = presets.spu8(
        resistance=ohms, inductance=1e-3, capacitance=1e-9, noise=1e-24, couplings=couplings
    ).compile()
    covariance = spectra.band_covariance(net, 1e1, 1e10)
    charges = [name.startswith("q") for name in net.coordinates]
    volts = net.stiffness[np.ix_(charges, charges)]
    found = volts @ covariance[np.ix_(charges, charges)] @ volts
    expected = 1e-21 * np.linalg.inv(maxwell(1e-9, couplings))
    bias = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    assert 0.4 * spread < bias < 1.5 * spread


def test_heat_flows_from_hot_to_cold():
    """Mean power k_B C²(T₂ − T₁)/(XY) into the cold resistor: 5.584e-21 W."""
    net = presets.two_temperature_rc().compile()
    emulator = ktc.Emulator(net, replicas=20_000, seed=4, resolve_heat=True)
    emulator.run(0.05)
    power = emulator.ledger.heat_per_resistor / 0.05
    mean, stderr = power.mean(axis=0), power.std(axis=0) / np.sqrt(len(power))
    assert abs(mean[0] - 5.584e-21) < 4 * stderr[0]
    assert abs(mean[1] + 5.584e-21) < 4 * stderr[1]
    assert emulator.ledger.imbalance() < 1e-12


def test_wells_are_filled_in_proportion():
    net = presets.double_well(barrier=8.0, minimum=2.0, kT=1.2, tilt=0.3)
    assert net.stiffness[0, 0] ** 2 / (4 * net.quartic[0]) == pytest.approx(8.0)

    def weight(x):
        return np.exp(-(8.0 * ((x / 2) ** 4 - 2 * (x / 2) ** 2) - 0.3 * x) / 1.2)

    left, right = quad(weight, -8, 0)[0], quad(weight, 0, 8)[0]
    share = right / (left + right)
    emulator = ktc.Emulator(net, replicas=100_000, seed=5)
    found = (emulator.read() > 0).mean()
    assert abs(found - share) < 4 * np.sqrt(share * (1 - share) / 100_000)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: presets.double_well(barrier=0.0), "barrier must be positive, but is 0.0"),
        (lambda: presets.trap(stiffness=-1.0), "stiffness must be positive"),
        (lambda: presets.two_temperature_rc(capacitance=(1e-9, -1e-9)), "capacitance"),
        (lambda: presets.two_temperature_rc(coupling=0.0), "C3"),
        (lambda: spu(resistance=[1.0] * 7), r"resistance must be a scalar or of shape \(8,\)"),
        (lambda: spu(noise=0.0), "noise must be positive"),
        (lambda: spu(couplings=np.ones((8, 8))), "zero diagonal"),
        (lambda: spu(couplings=-switched(1)), "couplings must not be negative"),
    ],
)
def test_bad_input(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def spu(**changes):
    values = {"resistance": 1e3, "inductance": 1e-3, "capacitance": 1e-9, "noise": 1e-24}
    return presets.spu8(**{**values, **changes})
