"""Free energies of quartic units, and what theory refuses to say about networks it does not cover.

References: integrals at thirty digits (mpmath), and derivatives of F, which are averages.
"""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

import ktc
from ktc import theory
from ktc._model.elements import CurrentSource, NoiseSource, Resistor
from reference_quartic import Unit
from refusal import refused

UNITS = [
    # k, b, κ, kT
    (1.0, 0.0, 1.0, 1.0),
    (0.0, 0.0, 1.0, 1.0),
    (-1.0, 0.0, 1.0, 1.0),
    (-2.0, 0.3, 1.0, 0.2),
    (-1.0, 1e-6, 1.0, 1e-6),
    (1.0, 3.0, 1e-9, 1.0),
    (1.0, 1e4, 1e-3, 1.0),
    (-1.0, 0.3849, 1.0, 1e-3),
    (-50.0, -2.0, 0.5, 1.0),
    (2e12, 1.0, 1e36, 4e-21),
]


def integral(k, b, kappa, kT):
    """−kT ln ∫ exp(−V/kT) dx at thirty digits, cut at the minima and widths about them."""
    with mp.workdps(30):
        k, b, kappa, kT = (mp.mpf(value) for value in (k, b, kappa, kT))

        def v(x):
            return (k * x * x / 2 - b * x + kappa * x**4 / 4) / kT

        length = (kT / kappa) ** mp.mpf("0.25")
        roots = np.roots([1.0, 0.0, float(k * length**2 / kT), float(-b * length / kT)])
        rests = [float(r.real) * length for r in roots if abs(r.imag) < 1e-6 * (1 + abs(r))]
        least = min(v(x) for x in rests)
        cuts = set()
        for x in rests:
            width = 1 / mp.sqrt(abs(3 * kappa * x * x + k) / kT + 1 / length**2)
            cuts |= {x + f * width for f in (-60, -20, -8, -4, -2, -1, 0, 1, 2, 4, 8, 20, 60)}
        total = mp.quad(lambda x: mp.exp(least - v(x)), sorted(cuts))
        return float(kT * (least - mp.log(total)))


@pytest.mark.parametrize(("k", "b", "kappa", "kT"), UNITS)
def test_quadrature_of_one_unit(k, b, kappa, kT):
    """F to 1e-13 kT and its own rounding: soft, tilted, and with wells 2.5e5 kT deep."""
    unit = ktc.Network(k, 1.0, kT=kT, bias=b, quartic=kappa)
    expected = integral(k, b, kappa, kT)
    assert abs(theory.free_energy(unit) - expected) < 1e-13 * kT + 4e-15 * abs(expected)


def test_free_energy_of_several_units_adds_up():
    """Quartic units by themselves beside a coupled Gaussian part, momenta included."""
    stiffness = np.diag([-1.0, 2.0, 1.0, 0.5])
    stiffness[1, 2] = stiffness[2, 1] = 0.7
    bias, quartic, inertia = [0.1, 0.2, -0.3, 0.4], [1.0, 0.0, 0.0, 2.0], [1.0, 2.0, 3.0, 4.0]
    network = ktc.Network(stiffness, 1.0, 0.6, bias=bias, quartic=quartic, inertia=inertia)
    linear = ktc.Network(stiffness[1:3, 1:3], 1.0, 0.6, bias=bias[1:3])
    expected = theory.free_energy(linear) + integral(-1.0, 0.1, 1.0, 0.6)
    expected += integral(0.5, 0.4, 2.0, 0.6)
    expected -= 0.3 * np.sum(np.log(2 * np.pi * 0.6 * np.array(inertia)))
    assert theory.free_energy(network) == pytest.approx(expected, abs=1e-12)


def test_derivatives_are_averages():
    """∂F/∂b = −⟨x⟩, ∂F/∂k = ½⟨x²⟩, ∂F/∂κ = ¼⟨x⁴⟩, by central differences to 1e-7."""
    values = {"stiffness": -1.0, "bias": 0.2, "quartic": 0.8}
    unit = Unit(-1.0, 0.8, bias=0.2, kT=0.4)
    averages = {
        "bias": -unit.average(lambda x: x),
        "stiffness": 0.5 * unit.average(lambda x: x**2),
        "quartic": 0.25 * unit.average(lambda x: x**4),
    }
    for name, expected in averages.items():
        ends = [
            ktc.Network(friction=1.0, kT=0.4, **{**values, name: values[name] + h})
            for h in (-1e-4, 1e-4)
        ]
        slope = theory.free_energy_change(*ends) / 2e-4
        assert slope == pytest.approx(expected, abs=1e-7)


def test_a_quartic_term_that_vanishes_is_the_closed_form():
    """κ → 0 joins the quadrature to the closed form; so does switching it off."""
    linear = ktc.Network(2.0, 1.0, kT=0.5, bias=0.3)
    for kappa in (1e-12, 1e-9):
        quartic = ktc.Network(2.0, 1.0, kT=0.5, bias=0.3, quartic=kappa)
        first_order = 0.25 * kappa * (3 * 0.25**2 + 6 * 0.25 * 0.15**2 + 0.15**4)
        change = theory.free_energy_change(linear, quartic)
        assert change == pytest.approx(first_order, abs=1e-14, rel=1e-3)
        assert theory.free_energy_change(quartic, linear) == -change


def test_stiffnesses_apart_by_more_than_the_digits_of_doubles():
    """½kT ln(det K′/det K), where eigenvalues of K′ below 1e-16 of the largest have no digits."""
    soft = ktc.Network([[2.0, 1e-20], [1e-20, 1e-30]], 1.0)
    found = theory.free_energy_change(ktc.Network(np.eye(2), 1.0), soft)
    assert found == pytest.approx(0.5 * np.log(2e-30 - 1e-40), rel=1e-14)


def test_run_names_its_method():
    """``Run.free_energy_change`` is by quadrature with quartic units at either end, else closed."""
    network = ktc.Network(np.diag([1.0, 2.0]), 1.0, kT=0.5, quartic=[1.0, 0.0])
    emulator = ktc.Emulator(network, replicas=10, seed=1)
    run = emulator.play(ktc.Protocol.ramp(1.0, 4, quartic=([1.0, 0.0], [0.0, 3.0])))
    expected = (
        integral(2.0, 0.0, 3.0, 0.5) - integral(1.0, 0.0, 1.0, 0.5)
        - theory.free_energy(ktc.Network(2.0, 1.0, kT=0.5))
        + theory.free_energy(ktc.Network(1.0, 1.0, kT=0.5))
    )  # fmt: skip
    assert run.free_energy_change.mean == pytest.approx(expected, abs=1e-12)
    assert run.free_energy_change.method == "quadrature"
    assert run.free_energy_change.stderr == 0
    assert run.excess_work.mean == pytest.approx(run.work.mean - expected, abs=1e-12)
    plain = ktc.Emulator(ktc.Network(1.0, 1.0), replicas=10, seed=1, resolve_heat=True)
    ramp = ktc.Protocol.ramp(1.0, 4, bias=(0.0, 1.0))
    assert plain.play(ramp).free_energy_change.method == "closed form"


COUPLED = ktc.Network([[1.0, 0.5], [0.5, 1.0]], 1.0, quartic=[1.0, 0.0])


def test_coupled_quartic_units_have_no_free_energy_here():
    """Neither closed form nor quadrature: an error that names the units and what to do."""
    with refused(ValueError, "quartic unit 0", "coupled to unit 1", "free_energy_difference"):
        theory.free_energy(COUPLED)
    linear = COUPLED.with_controls(COUPLED.controls.updated(quartic=0.0))
    for ends in ((COUPLED, linear), (linear, COUPLED)):
        with refused(ValueError, "quartic unit 0", "coupled"):
            theory.free_energy_change(*ends)


def driven(**options):
    resistors = [Resistor([1.0], 1.0, "a", emf=options.pop("emf", 0.0))]
    return ktc.Network.of_elements(np.eye(1), resistors, options.pop("kT", 1.0), **options)


OUTSIDE = {
    "quartic": (ktc.Network(1.0, 1.0, quartic=1.0), "quartic"),
    "several temperatures": (ktc.Network(np.eye(1), 1.0, kT=[1.0]), None),
    "EMF": (driven(emf=1.0), "sources"),
    "current": (driven(sources=[CurrentSource([1.0], 0.5)]), "sources"),
    "noise": (driven(noises=[NoiseSource([1.0], 0.5)]), "noise generators"),
    "two temperatures": (ktc.Network(np.eye(2), 1.0, kT=[1.0, 2.0]), "one temperature"),
}
FUNCTIONS = {
    "equilibrium": theory.equilibrium,
    "bias_free_energy": lambda net: theory.bias_free_energy(net, np.zeros((1, net.units))),
    "log_likelihood": lambda net: theory.log_likelihood(net, np.zeros((3, net.units))),
    "fisher_matrix": theory.fisher_matrix,
    "friction_tensor": theory.friction_tensor,
    "least_excess_work": lambda net: theory.least_excess_work(net, 1.0, 1.0),
    "optimal_drive": lambda net: theory.optimal_drive(net, 1.0, 1.0, 10),
    "least_stiffness_excess_work": lambda net: theory.least_stiffness_excess_work(net, 2.0, 1.0),
    "optimal_stiffness_drive": lambda net: theory.optimal_stiffness_drive(net, 2.0, 1.0, 10),
    "free_energy": theory.free_energy,
    "free_energy_change": lambda net: theory.free_energy_change(net, net),
}


OF_ONE_QUARTIC_UNIT = [
    FUNCTIONS[name]
    for name in ("fisher_matrix", "friction_tensor", "free_energy", "free_energy_change")
]


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS.keys())
@pytest.mark.parametrize(("network", "reason"), OUTSIDE.values(), ids=OUTSIDE.keys())
def test_theory_refuses_what_it_does_not_cover(network, reason, function):
    """No function of Gaussian equilibrium returns a number for a network that has none."""
    covered = reason is None
    covered = covered or (reason == "quartic" and function in OF_ONE_QUARTIC_UNIT)
    if covered:
        function(network)
    else:
        with refused(ValueError, reason):
            function(network)


def test_learning_refuses_them_at_the_start():
    """``learn`` needs F and ζ, and says so before anything moves."""
    schedule = ktc.schedules.MinimalDissipation(duration=1.0)
    for network, reason in OUTSIDE.values():
        if reason in (None, "quartic"):
            continue
        state = {"state": 0.0} if reason == "sources" else {}
        emulator = ktc.Emulator(network, replicas=10, seed=3, **state)
        for names in ("bias", ("bias", "diagonal")):
            with refused(ValueError, reason):
                ktc.learn(
                    emulator, np.zeros((2, network.units)), schedule, parameters=names, ticks=5
                )
        assert emulator.time == 0


def test_relaxation_times_of_quartic_networks_are_refused():
    """They are no sum of exponentials; the drift is there, of the quadratic part, as it says."""
    with refused(ValueError, "relaxation_times", "quartic"):
        _ = ktc.Network(1.0, 1.0, quartic=1.0).relaxation_times
    assert ktc.Network(1.0, 1.0, quartic=1.0).drift == -1.0
