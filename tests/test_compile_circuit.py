"""Random circuits as compiled, against nodal analysis and the limit of small capacitances."""

from __future__ import annotations

import numpy as np
import scipy.sparse

import ktc
from circuit_moments import Linear
from ktc._circuits.branch import CircuitError
from random_circuits import circuit_of_decades, sound_circuits
from reference_circuit import BOLTZMANN, Nodal, branches_of

# What rounding may leave: impedances of these circuits span some ten decades.
ROUNDING = 1e-6


def reached(found):
    """Indices of nodes that resistors, capacitors or voltage sources join to ground."""
    pairs = [(b.plus, b.minus) for b in found.branches if b.kind in "RCV"]
    part = components(["0", *found.nodes], pairs)
    return [k for k, node in enumerate(found.nodes) if part[node] == part["0"]]


def test_response_of_random_circuits_to_their_sources_is_that_of_nodal_analysis():
    """All nodes, those without capacitor too, at rest and at three frequencies a source."""
    for found, net, draw in sound_circuits(circuit_of_decades, 2, 200):
        nodal, linear = Nodal(branches_of(found)), Linear(net)
        count = len(net.nodes)
        held = reached(found)
        assert net.nodes == tuple(nodal.nodes)
        gradient = net.stiffness @ linear.rest() - net.bias
        equation = net.equation
        at_rest = linear.voltages @ gradient + equation.nodes_of_sources @ equation.values
        # Compared on the scale of a millivolt where sources of volts and milliamperes leave zero.
        operating = nodal.operating_point()[:count]
        scale = max(np.abs(operating).max(), 1e-2)
        np.testing.assert_allclose(at_rest, operating, rtol=0, atol=ROUNDING * scale)
        for place, name in enumerate(equation.sources):
            source = next(b for b in nodal.branches if b[0] == name)
            bias = equation.bias_of[:, place]
            push = linear.push(
                {
                    "bias": bias,
                    "emf": equation.emf_of[:, place],
                    "current": equation.current_of[:, place],
                }
            )
            for frequency in 10 ** draw.uniform(2, 8, 3):
                motion = 2j * np.pi * frequency * np.eye(net.units) - linear.drift
                gradient = net.stiffness @ np.linalg.solve(motion, push) - bias
                ours = linear.voltages @ gradient + equation.nodes_of_sources[:, place]
                theirs = nodal.response(source, frequency)[:count]
                scale = max(np.abs(theirs).max(), 1e-3)
                # Between inductors a current that varies is a voltage too, L dI/dt, of no hold.
                kept = held if source[0].startswith("I") else range(count)
                np.testing.assert_allclose(ours[kept], theirs[kept], rtol=0, atol=ROUNDING * scale)


def test_noise_of_random_circuits_is_that_of_nodal_analysis():
    """One-sided densities of all voltages that capacitors hold, and of all inductor currents."""
    compared = 0
    for found, net, draw in sound_circuits(circuit_of_decades, 3, 200):
        nodal, linear = Nodal(branches_of(found)), Linear(net)
        rows = {f"q({node})": place for place, node in enumerate(nodal.nodes)}
        held = [k for k, name in enumerate(net.coordinates) if name in rows]
        read = np.vstack([np.eye(net.units)[held], net.equation.inductors_of_gradient])
        places = [rows[net.coordinates[k]] for k in held]
        names = [b[0] for b in nodal.extra]
        places += [len(nodal.nodes) + names.index(name) for name in net.equation.inductors]
        for frequency in 10 ** draw.uniform(2, 8, 3):
            motion = 2j * np.pi * frequency * np.eye(net.units) - linear.drift
            transfer = read @ net.stiffness @ np.linalg.solve(motion, linear.noise)
            ours = 2 * (np.abs(transfer) ** 2).sum(axis=1)
            theirs = nodal.noise(frequency)[places]
            np.testing.assert_allclose(
                ours, theirs, rtol=ROUNDING, atol=1e-12 * theirs.max(initial=0)
            )
            compared += len(places)
    assert compared > 600


def components(items, pairs):
    """Label of every item's connected component."""
    place = {item: k for k, item in enumerate(items)}
    graph = np.zeros((len(items), len(items)))
    for one, other in pairs:
        graph[place[one], place[other]] = 1
    _, labels = scipy.sparse.csgraph.connected_components(graph, directed=False)
    return {item: int(labels[place[item]]) for item in items}


def meeting(found):
    """Label of every resistor, the same where resistors meet at what no capacitor holds."""
    held = components(
        ["0", *found.nodes], [(b.plus, b.minus) for b in found.branches if b.kind in "CV"]
    )
    ends = [
        (b.name, held[node])
        for b in found.branches
        if b.kind == "R"
        for node in (b.plus, b.minus)
        if held[node] != held["0"]
    ]
    resistors = [b.name for b in found.branches if b.kind == "R"]
    return components([*resistors, *held.values()], ends)


def test_heat_of_random_circuits_is_the_limit_of_small_parasitic_capacitances():
    """With a capacitor at every node no resistor shares its heat; summed, ε → 0 is the shared one.

    Every power is linear in ε for small ε, so that 2 P(ε/2) − P(ε) is second order: some (ε/C)²
    with ε = 1 pF and C from 10 pF, up to 1e-2 in the worst of these circuits and 1e-5 in most.
    """
    errors, flows = [], []
    for found, net, draw in sound_circuits(circuit_of_decades, 4, 150):
        bare = [n for n in found.nodes if f"q({n})" not in net.coordinates]
        if not bare:
            continue
        kelvin = float(draw.uniform(50, 400))
        warm = [ktc.Circuit(kelvin), ktc.Circuit(kelvin), ktc.Circuit(kelvin)]
        label, temperatures = meeting(found), {}
        for b in found.branches:
            own = None
            if b.kind == "R":
                own = temperatures.setdefault(label[b.name], float(draw.uniform(50, 400)))
            for each in warm:
                each.add(b.name, b.plus, b.minus, b.value, kelvin=own)
        for each, size in zip(warm[1:], (1e-12, 0.5e-12)):
            for node in bare:
                each.add(f"Cx{node}", node, 0, size)
        try:
            nets = [each.compile() for each in warm]
        except CircuitError:  # a capacitor between inductors, which nothing damps
            continue
        net = nets[0]
        heat, joule, source = Linear(net).powers()
        limit = []
        for each in warm[1:]:
            apart = Linear(each.compile()).powers()
            shared = [
                {name: part[k] for k, name in enumerate(each.compile().accounts)}
                for part in apart[:2]
            ]
            sums = [[sum(p[r] for r in a.split("+")) for a in net.accounts] for p in shared]
            limit.append(sums[0])
            # Capacitors do not change what flows at rest.
            np.testing.assert_allclose(
                sums[1], joule, rtol=1e-6, atol=1e-9 * max(joule.max(), 1e-6)
            )
        extrapolated = 2 * np.array(limit[1]) - np.array(limit[0])
        scale = BOLTZMANN * 400 * np.abs(np.linalg.eigvals(net.drift)).max()
        errors.append(np.abs(heat - extrapolated).max() / scale)
        flows.append(np.abs(heat).max() / scale)
        # Sources feed what resistors heat, and heat between baths only changes place.
        assert abs(joule.sum() - source) <= 1e-9 * max(joule.sum(), 1e-9)
        assert abs(heat.sum()) <= 1e-9 * scale
    assert len(errors) > 60 and sum(flow > 1e-3 for flow in flows) > 15
    assert np.median(errors) < 1e-5 and np.max(errors) < 1e-2
