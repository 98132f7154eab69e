"""Symbols of units: empty where they are the user's, SI on a board."""

import ktc
from ktc.units import CONSISTENT, SI


def test_labels_name_the_unit_where_there_is_one():
    assert SI.label("bias", "bias") == "bias [V]"
    assert SI.label("stiffness", "stiffness") == "stiffness [1/F]"
    assert SI.label("work", "energy") == "work [J]"
    assert CONSISTENT.label("work", "energy") == "work"


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
