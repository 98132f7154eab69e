"""Topologies of couplings: their edges against brute force, and what they refuse."""

import itertools

import numpy as np
import pytest

import ktc
from ktc import Topology
from refusal import refused


def test_all_to_all_has_every_pair():
    for cells in (1, 2, 7):
        topology = Topology.all_to_all(cells)
        assert topology.edges == tuple(itertools.combinations(range(cells), 2))
        assert topology.complete


@pytest.mark.parametrize("cells", [3, 4, 9])
def test_a_ring_joins_neighbours(cells):
    expected = {tuple(sorted((i, (i + 1) % cells))) for i in range(cells)}
    topology = Topology.ring(cells)
    assert set(topology.edges) == expected and len(topology.edges) == cells
    assert topology.complete is (cells == 3)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 5), (4, 1), (3, 4)])
def test_a_grid_joins_cells_at_distance_one(rows, columns):
    places = list(itertools.product(range(rows), range(columns)))
    expected = [
        (i, j)
        for (i, a), (j, b) in itertools.combinations(enumerate(places), 2)
        if abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1
    ]
    topology = Topology.grid(rows, columns)
    assert list(topology.edges) == expected
    assert topology.cells == rows * columns


def test_places_are_the_edges_both_ways():
    topology = Topology.of_edges(4, [(2, 0), (1, 3)])
    assert topology.edges == ((0, 2), (1, 3))
    assert np.argwhere(topology.places).tolist() == [[0, 2], [1, 3], [2, 0], [3, 1]]
    assert not Topology.of_edges(3, []).places.any()
    assert Topology.of_edges(4, [(3, 1), [0, 2]]) == topology


BAD = [
    (lambda: Topology.ring(2), ValueError, ["cells", "at least 3", "2"]),
    (lambda: Topology.ring(4.0), TypeError, ["cells", "whole number", "4.0"]),
    (lambda: Topology.grid(0, 3), ValueError, ["rows", "at least 1", "0"]),
    (lambda: Topology.grid(3, -1), ValueError, ["columns", "-1"]),
    (lambda: Topology.all_to_all(0), ValueError, ["cells", "0"]),
    (
        lambda: Topology.of_edges(3, [(0, 1), (2, 2)]),
        ValueError,
        ["edges[1]", "two cells", "(2, 2)"],
    ),
    (lambda: Topology.of_edges(3, [(0, 3)]), ValueError, ["edges[0]", "at most 2", "3"]),
    (lambda: Topology.of_edges(3, [(-1, 1)]), ValueError, ["edges[0]", "at least 0", "-1"]),
    (lambda: Topology.of_edges(3, [(0, 1), (1, 0)]), ValueError, ["edges", "(0, 1)", "twice"]),
    (lambda: Topology.of_edges(3, [(0, 1, 2)]), ValueError, ["edges[0]", "pair", "(0, 1, 2)"]),
    (lambda: Topology.of_edges(3, [7]), ValueError, ["edges[0]", "pair", "7"]),
    (lambda: Topology.of_edges(3, [(0.0, 1)]), TypeError, ["edges[0]", "whole number", "0.0"]),
]


@pytest.mark.parametrize(("make", "error", "parts"), BAD)
def test_bad_input(make, error, parts):
    with refused(error, *parts):
        make()


def board(**changes):
    return ktc.Board(
        **{"cells": 4, "resistance": 1e6, "capacitance": 1e-12, "temperature": 300.0, **changes}
    )


def test_a_board_refuses_couplings_that_its_topology_lacks():
    """Each way of programming names the pair."""
    ring = board(topology=Topology.ring(4))
    matrix = np.diag([1e12] * 4)
    matrix[0, 2] = matrix[2, 0] = 1e11
    parts = ["cells 0 and 2", "ring topology", "[1, 3]"]
    with refused(ValueError, "stiffness", *parts):
        board(topology=Topology.ring(4), stiffness=matrix)
    with refused(ValueError, "stiffness", *parts):
        ring.program(stiffness=matrix)
    with refused(ValueError, "couplings", *parts):
        ring.program(couplings={(2, 0): 1e11})
    with refused(ValueError, "couplings", *parts):
        ring.stiffness_of({(0, 2): 1e11})
    allowed = np.diag([1e12] * 4)
    allowed[0, 3] = allowed[3, 0] = 1e11
    assert ring.program(stiffness=allowed).couplings == {(0, 3): 1e11}


@pytest.mark.parametrize("imperfections", [None, ktc.Imperfections(coupling_tolerance=0.1)])
def test_an_emulator_keeps_to_the_topology_of_its_board(imperfections):
    ring = board(topology=Topology.ring(4), imperfections=imperfections)
    emulator = ring.emulator(replicas=10, seed=1)
    matrix = np.diag([1e12] * 4)
    matrix[1, 3] = matrix[3, 1] = 1e11
    before = emulator.read()
    with refused(ValueError, "stiffness couples cells 1 and 3", "[0, 2]"):
        emulator.set(stiffness=matrix)
    drive = ktc.Protocol([1e-6] * 3, {"stiffness": [np.diag([1e12] * 4)] * 2 + [matrix]})
    with refused(ValueError, "tick 2: stiffness couples cells 1 and 3"):
        emulator.play(drive)
    with refused(ValueError, "tick 2: stiffness couples cells 1 and 3"):
        ring.check(drive)
    with refused(ValueError, "final update: stiffness couples cells 1 and 3"):
        emulator.play(ktc.Protocol([1e-6], {}, final={"stiffness": matrix}))
    assert (emulator.read() == before).all() and emulator.time == 0
    assert emulator.controls == ring.network.controls


def test_an_emulator_without_these_limits_is_refused():
    with refused(ValueError, "network must have no limits", "ring", "emulator(...)"):
        ktc.Emulator(board(topology=Topology.ring(4)))


@pytest.mark.parametrize(
    ("topology", "error", "parts"),
    [
        (Topology.ring(5), ValueError, ["topology", "4 cells", "5"]),
        ("ring", TypeError, ["topology", "ktc.Topology", "str"]),
    ],
)
def test_a_topology_must_fit_its_board(topology, error, parts):
    with refused(error, *parts):
        board(topology=topology)
