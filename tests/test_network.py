"""The network: what it says about itself, and what it refuses to be."""

import copy
import pickle

import numpy as np
import pytest

import ktc
from ktc._base.codec import from_record, to_record
from reference import LinearNetwork, random_spd
from refusal import refused

K = np.array([[2.0, 0.5], [0.5, 1.0]])
R = np.array([[1.0, 0.2], [0.2, 3.0]])


def test_scalars_are_the_same_for_all_units():
    network = ktc.Network(K, friction=3.0, kT=0.5, bias=2.0, inertia=4.0)
    assert network.units == 2
    assert network.friction.tolist() == [[3.0, 0.0], [0.0, 3.0]]
    assert network.bias.tolist() == [2.0, 2.0]
    assert network.inertia.tolist() == [4.0, 4.0]
    assert network == ktc.Network(K, [3.0, 3.0], 0.5, [2.0, 2.0], inertia=[4.0, 4.0])


def test_a_scalar_stiffness_is_one_unit():
    network = ktc.Network(stiffness=2.0, friction=1.0)
    assert (network.units, network.stiffness.shape, network.kT) == (1, (1, 1), 1.0)
    assert network.bias.tolist() == [0.0]
    assert network.inertia is None


@pytest.mark.parametrize("inertia", [None, [0.5, 2.0]])
def test_drift_is_that_of_the_equation(inertia):
    """F = (J − G) ∇²H, written out independently; rounding of one product."""
    interconnection, mobility = (reference := LinearNetwork(K, R, inertia=inertia)).flow()
    exact = (interconnection - mobility) @ reference.hessian()
    assert ktc.Network(K, R, inertia=inertia).drift == pytest.approx(exact, rel=1e-14, abs=1e-14)


def test_relaxation_times():
    """R C of uncoupled cells; of an overdamped cell with inertia, 2M/(R ∓ √(R² − 4MK))."""
    assert ktc.Network(np.diag([1.0, 4.0]), [3.0, 2.0]).relaxation_times == pytest.approx(
        [0.5, 3.0]
    )
    root = np.sqrt(5.0**2 - 4 * 2.0 * 3.0)
    times = ktc.Network(3.0, 5.0, inertia=2.0).relaxation_times
    assert times == pytest.approx([4 / (5 + root), 4 / (5 - root)], rel=1e-12)


def test_relaxation_times_of_ringing_cells_are_those_of_their_envelope():
    """|Re λ| = R/2M for both of a pair."""
    assert ktc.Network(9.0, 0.5, inertia=2.0).relaxation_times == pytest.approx([8.0, 8.0])


@pytest.mark.parametrize("inertia", [None, [0.5, 2.0]])
def test_transition_carries_the_bias(inertia):
    """c = (1 − A) z*, and the equilibrium N(z*, P) is what a hold leaves alone."""
    network = ktc.Network(K, R, kT=0.7, bias=[1.0, -3.0], inertia=inertia)
    reference = LinearNetwork(K, R, kT=0.7, bias=[1.0, -3.0], inertia=inertia)
    a, c, q = network.transition(0.8)
    n = len(c)
    mean, covariance = reference.relaxed(np.full(n, 2.0), np.zeros((n, n)), 0.8)
    # The reference integrates to 1e-10.
    assert a @ np.full(n, 2.0) + c == pytest.approx(mean, rel=1e-8, abs=1e-8)
    assert q == pytest.approx(covariance, rel=1e-8, abs=1e-8)


def test_arrays_are_its_own_and_closed_for_writing():
    stiffness, bias = K.copy(), np.array([1.0, 2.0])
    network = ktc.Network(stiffness, R, bias=bias, inertia=[1.0, 1.0])
    stiffness[0, 0] = bias[0] = 99.0
    assert network.stiffness[0, 0] == 2.0
    assert network.bias[0] == 1.0
    for array in (network.stiffness, network.bias, network.friction, network.inertia):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0


def test_asymmetry_of_rounding_is_taken_out():
    tilted = K.copy()
    tilted[0, 1] *= 1 + 1e-15
    stiffness = ktc.Network(tilted, R).stiffness
    assert (stiffness == stiffness.T).all()


def test_units_of_any_size_are_taken():
    """Farads beside henries: definiteness is judged at unit diagonal."""
    size = np.array([1e-15, 1.0, 1e15])
    stiffness = random_spd(np.random.default_rng(1), 3) * np.outer(size, size)
    network = ktc.Network((stiffness + stiffness.T) / 2, friction=size**2, kT=4e-21)
    assert (network.transition(1.0).Q.diagonal() > 0).all()


def test_equality_and_hash():
    one = ktc.Network(K, R)
    assert one == ktc.Network(K, R)
    assert hash(one) == hash(ktc.Network(K, R))
    for other in (
        ktc.Network(2 * K, R),
        ktc.Network(K, 2 * R),
        ktc.Network(K, R, kT=2.0),
        ktc.Network(K, R, bias=1.0),
        ktc.Network(K, R, inertia=1.0),
        "network",
    ):
        assert one != other


def test_it_is_rebuilt_from_its_dictionary():
    network = ktc.Network(K, R, kT=0.3, bias=[1.0, 2.0], inertia=[3.0, 4.0])
    assert from_record(to_record(network)) == network
    changed = network.controls.updated(kT=2.0, bias=0.0)
    assert network.with_controls(changed).controls == changed
    assert network.with_controls(changed).inertia.tolist() == [3.0, 4.0]


def test_one_temperature_may_be_given_for_each_unit():
    assert ktc.Network(K, R, kT=[0.5, 0.5]).kT == 0.5


GOOD = {"stiffness": K, "friction": R}
BAD = [
    # changed arguments, error, what its message must say
    ({"stiffness": [1.0, 2.0]}, ValueError, ["stiffness", "square", "(2,)"]),
    ({"stiffness": np.ones((2, 3))}, ValueError, ["stiffness", "square", "(2, 3)"]),
    ({"stiffness": np.empty((0, 0))}, ValueError, ["stiffness", "(0, 0)"]),
    ({"stiffness": [[1.0, 0.5], [0.4, 1.0]]}, ValueError, ["stiffness[0, 1] = 0.5", "0.4", "pass"]),
    ({"stiffness": [[1.0, 2.0], [2.0, 1.0]]}, ValueError, ["stiffness", "-1", "quartic", "add"]),
    ({"stiffness": [[1.0, 1.0], [1.0, 1.0]]}, ValueError, ["stiffness", "positive definite"]),
    ({"stiffness": [[0.0, 0.0], [0.0, 1.0]]}, ValueError, ["stiffness", "positive definite"]),
    ({"stiffness": -1.0, "friction": 1.0}, ValueError, ["stiffness", "-1", "quartic"]),
    ({"stiffness": [[np.nan, 0.0], [0.0, 1.0]]}, ValueError, ["stiffness", "nan", "(0, 0)"]),
    ({"stiffness": [[1.0, np.inf], [np.inf, 1.0]]}, ValueError, ["stiffness", "inf", "(0, 1)"]),
    ({"stiffness": "stiff"}, TypeError, ["stiffness", "'stiff'", "str"]),
    ({"stiffness": [[1.0], [1.0, 2.0]]}, TypeError, ["stiffness", "list"]),
    ({"stiffness": K * 1j}, TypeError, ["stiffness", "real"]),
    ({"stiffness": None}, TypeError, ["stiffness", "None"]),
    ({"friction": 0.0}, ValueError, ["friction", "positive", "0.0", "unit 0"]),
    ({"friction": [1.0, -2.0]}, ValueError, ["friction", "-2.0", "unit 1"]),
    ({"friction": [1.0, 2.0, 3.0]}, ValueError, ["friction", "(2,)", "(3,)"]),
    ({"friction": np.eye(3)}, ValueError, ["friction", "(2, 2)", "(3, 3)"]),
    ({"friction": np.ones((1, 2, 2))}, ValueError, ["friction", "(1, 2, 2)"]),
    ({"friction": [[1.0, 2.0], [2.0, 1.0]]}, ValueError, ["friction", "-1", "feeds energy"]),
    ({"friction": [[1.0, 0.3], [0.2, 1.0]]}, ValueError, ["friction[0, 1] = 0.3", "0.2"]),
    ({"friction": [1.0, np.nan]}, ValueError, ["friction", "nan", "(1,)"]),
    ({"friction": None}, TypeError, ["friction", "None"]),
    ({"kT": 0.0}, ValueError, ["kT", "positive", "0.0"]),
    ({"kT": -1.5}, ValueError, ["kT", "-1.5"]),
    ({"kT": np.inf}, ValueError, ["kT", "inf"]),
    ({"kT": [1.0, 2.0, 3.0]}, ValueError, ["kT", "one number", "several temperatures"]),
    ({"kT": np.ones((2, 2))}, ValueError, ["kT", "(2, 2)"]),
    ({"kT": "hot"}, TypeError, ["kT", "'hot'"]),
    ({"kT": None}, TypeError, ["kT", "None"]),
    ({"bias": [1.0, 2.0, 3.0]}, ValueError, ["bias", "(2,)", "(3,)"]),
    ({"bias": [1.0, np.nan]}, ValueError, ["bias", "nan", "(1,)"]),
    ({"bias": ["a", "b"]}, TypeError, ["bias", "'a'"]),
    ({"quartic": 1.0}, ValueError, ["quartic", "1.", "friction a scalar"]),
    ({"quartic": [1.0, -2.0]}, ValueError, ["quartic", "-2.0", "unit 1"]),
    ({"inertia": 0.0}, ValueError, ["inertia", "0.0", "unit 0"]),
    ({"inertia": [1.0]}, ValueError, ["inertia", "(2,)", "(1,)"]),
    ({"inertia": [1.0, np.inf]}, ValueError, ["inertia", "inf", "(1,)"]),
    ({"mass": 1.0}, TypeError, ["mass"]),
]


@pytest.mark.parametrize(("changes", "error", "parts"), BAD)
def test_bad_input(changes, error, parts):
    with refused(error, *parts):
        ktc.Network(**{**GOOD, **changes})


@pytest.mark.parametrize(
    ("hold", "error", "parts"),
    [
        (0.0, ValueError, ["hold", "positive", "0.0"]),
        (-1.0, ValueError, ["hold", "-1.0"]),
        (np.nan, ValueError, ["hold", "nan"]),
        ([1.0, 2.0], ValueError, ["hold", "(2,)"]),
        ("long", TypeError, ["hold", "'long'"]),
    ],
)
def test_bad_holds(hold, error, parts):
    with refused(error, *parts):
        ktc.Network(**GOOD).transition(hold)


def test_masked_entries_are_refused():
    """A mask says that the number under it means nothing."""
    whole = np.ma.array([1.0, 2.0], mask=[False, False])
    assert ktc.Network(np.eye(2), whole).friction.tolist() == [[1.0, 0.0], [0.0, 2.0]]
    with refused(ValueError, "friction must have no masked entries, but has 1", "filled(...)"):
        ktc.Network(np.eye(2), np.ma.array([1.0, 2.0], mask=[False, True]))


def test_stiffness_may_span_all_doubles():
    """Without a warning, which the tests make an error; a cell a decade is checked like others."""
    net = ktc.Network(np.diag([1e308, 1e-308]), 1.0)
    assert net.stiffness.tolist() == [[1e308, 0.0], [0.0, 1e-308]]
    with refused(ValueError, "stiffness must be symmetric"):
        ktc.Network([[1e308, 1.1], [1.0, 1e-308]], 1.0)


def test_it_is_pickled_and_copied():
    circuit = ktc.Circuit.from_netlist("V1 a 0 1\nR1 a b 1k\nL1 b c 1m\nC1 c 0 1n").compile()
    tuned = circuit.with_controls(circuit.controls.updated(stiffness=2 * circuit.stiffness))
    net = ktc.Network([[2.0, 0.5], [0.5, 1.0]], 1.0, kT=[1.0, 2.0], bias=[1.0, 3.0], inertia=2.0)
    for one in (net, circuit, tuned):
        for again in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one)):
            assert type(again) is type(one)
            assert again == one
            assert not again.stiffness.flags.writeable
    assert pickle.loads(pickle.dumps(circuit)).coordinates == circuit.coordinates


def test_other_controls_by_name():
    network = ktc.Network(K, 1.0, bias=[0.1, 0.2])
    other = network.with_controls(bias=[1.0, 2.0], stiffness=2 * np.array(K))
    assert other == ktc.Network(2 * np.array(K), 1.0, bias=[1.0, 2.0])
    assert network.with_controls(other.controls, kT=0.5) == other.with_controls(kT=0.5)
    assert network.with_controls() == network


def test_controls_that_a_network_refuses():
    network = ktc.Network(K, 1.0)
    with refused(ValueError, "stiffness must be positive definite"):
        network.with_controls(stiffness=-np.eye(2))
    with refused(TypeError, "unknown control 'force'"):
        network.with_controls(force=1.0)
    with refused(TypeError, "controls must be ktc.Controls, but is list", "with_controls(bias="):
        network.with_controls([0.1])
    with refused(ValueError, "the sizes of this network", "(2, 2, 2, 0)", "have (1, 1, 1, 0)"):
        network.with_controls(ktc.Network(1.0, 1.0).controls)
