"""Free energy differences of any two settings of a network, sampled at settings between them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ktc._base.error_sources import Draws, ErrorSources, Number, Row
from ktc._base.estimate import Estimate
from ktc._base.lazy_samples import LazySamples
from ktc._base.validation import Array, choice, count, random_seed
from ktc._engines.factory import equilibrium_samples
from ktc._model.controls import Controls
from ktc._model.description import Description, network_of
from ktc._model.network import Network
from ktc._model.potentials.on_site import ROW
from ktc._theory.free_energies import at_equilibrium, kinetic_change, refuse_unlike
from ktc._theory.free_energy_estimates import acceptance

# Neighbours that overlap less get a setting between them: at a third, one more ensemble pays.
WANTED_OVERLAP = 0.35
MOST_ENSEMBLES = 512
METHODS = ("bennett", "integration")
#: Numbers of the random streams that belong to these estimates.
_STREAM = 0x6B746346


def free_energy_difference(
    before: Description,
    after: Description,
    method: str = "bennett",
    replicas: int = 2000,
    seed: int | None = None,
    threads: int | None = None,
) -> Estimate:
    """F(after) − F(before) of one device at two settings, with an error bar, for any potential.

    Every ensemble is drawn from exp(−H/kT)/Z itself, independently, at settings on the straight
    line H_λ = (1 − λ)H + λH′.

    - "bennett": the acceptance ratio between neighbours. Settings are halved until neighbours
      overlap by a third; an ensemble serves both of its neighbours, and the error bar knows it.
    - "integration": ∫₀¹ ⟨H′ − H⟩_λ dλ by Clenshaw and Curtis's rule of nine settings. The rule of
      every second setting checks it: what they differ by beyond noise enters the error bar.

    Args:
        before, after: descriptions at their own controls: same units, same kT.
        method: "bennett" or "integration".
        replicas: samples of each ensemble.
        seed: of all ensembles.
        threads: at most this many; None takes the cores this process may use.

    Raises:
        ValueError: another method, unlike devices, a parameter of potentials that differs and in
            which the energy is not linear, several temperatures, sources or noise
            generators, or settings so far apart that 512 ensembles do not connect them.

    Source: Bennett (1976), J. Comput. Phys. 22, 245; Kirkwood (1935), J. Chem. Phys. 3, 300;
    Clenshaw, Curtis (1960), Numer. Math. 2, 197.

    Example:
        >>> import ktc
        >>> pair = [ktc.Network([[0.0, c], [c, 0.0]], 1.0, quartic=1.0) for c in (0.0, -1.0)]
        >>> found = ktc.theory.free_energy_difference(*pair, seed=1)
        >>> bool(abs(found.mean + 0.2441) < 5 * found.stderr < 0.15)  # by quadrature of the plane
        True
    """
    old, new = network_of(before, "before"), network_of(after, "after")
    choice("method", method, METHODS)
    refuse_unlike(old, new)
    _refuse_other_potentials(old.controls, new.controls)
    at_equilibrium(before, "before")
    at_equilibrium(after, "after")
    seeds = np.random.SeedSequence([random_seed(seed), _STREAM])
    number = count("replicas", replicas, least=20)
    old.controls.on_site.require_linear_change(old.controls.potential, new.controls.potential)
    path = _Path(old, new, number, seeds, threads)
    value, sources, how = (_bennett if method == "bennett" else _integration)(path)
    value += kinetic_change(old, new)
    unit, kT = before.symbols.energy, old.common_kT
    return Estimate(value, sources.stderr, method=how, unit=unit, kT=kT)._of(sources)


@dataclass(frozen=True, eq=False)
class _Path:
    """Equilibrium ensembles along the straight line between two settings, drawn once each."""

    old: Network
    new: Network
    replicas: int
    seeds: np.random.SeedSequence
    threads: int | None
    slopes: dict[float, Array] = field(default_factory=dict)
    draws: dict[float, Draws] = field(default_factory=dict)

    def slope(self, position: float) -> Array:
        """∂H/∂λ = H′ − H of every replica of the ensemble at λ, shape (replicas,)."""
        if position not in self.slopes:
            if len(self.slopes) == MOST_ENSEMBLES:
                raise ValueError(
                    f"before and after are so far apart that {MOST_ENSEMBLES} ensembles between "
                    "them do not overlap; go there in parts"
                )
            first, last = self.old.controls, self.new.controls
            network = self.old.with_controls(_between(first, last, position))
            seed = int(self.seeds.spawn(1)[0].generate_state(1, np.uint64)[0])
            x = equilibrium_samples(network, self.replicas, seed, self.threads)
            change = (last.stiffness - first.stiffness) / 2
            slope = np.einsum("ni,ij,nj->n", x, change, x, optimize=True)
            slope -= x @ (last.bias - first.bias)
            slope += 0.25 * (x**4 @ (last.quartic - first.quartic))
            if first.on_site:
                slope += last.on_site.energy(last.potential, x)
                slope -= first.on_site.energy(first.potential, x)
            self.slopes[position] = slope
            self.draws[position] = Draws(seed, self.replicas, network.units)
        return self.slopes[position]

    def row(self, position: float, deviations: Array) -> Row:
        """Deviations of zero mean, of which the mean over an ensemble enters the result."""
        error = float(np.std(deviations) / np.sqrt(len(deviations)))
        return Row(self.draws[position], LazySamples.of(deviations), error)


def _refuse_other_potentials(first: Controls, last: Controls) -> None:
    """Refuse potentials of other kinds or other tables (ValueError)."""
    kinds = [controls.on_site.kinds for controls in (first, last)]
    tables = [controls.on_site.tables for controls in (first, last)]
    alike = kinds[0] == kinds[1] and all(
        np.array_equal(one, other)
        for pair in zip(*tables, strict=True)
        for one, other in zip(*pair, strict=True)
    )
    if not alike:
        raise ValueError(
            "after must have the kinds and tables of potentials of before; pass one device at two "
            "settings of its controls"
        )


def _between(first: Controls, last: Controls, position: float) -> Controls:
    settings = {}
    for name in ("bias", "stiffness", "quartic", *([ROW] if first.on_site else [])):
        one, other = getattr(first, name), getattr(last, name)
        settings[name] = one + position * (other - one) if position < 1 else other
    return first.updated(**settings)


def _bennett(path: _Path) -> tuple[float, ErrorSources, str]:
    """The sum over neighbours, settings halved where they overlap too little."""
    settings = [0.0, 1.0]
    carried: dict[float, Array] = {0.0: np.zeros(1)}
    total, stage = 0.0, 0
    while stage < len(settings) - 1:
        low, high = settings[stage], settings[stage + 1]
        width = high - low
        found = acceptance(width * path.slope(low), -width * path.slope(high), path.old.common_kT)
        if found.overlap < WANTED_OVERLAP:
            settings.insert(stage + 1, low + 0.5 * width)
            continue
        total += found.change
        carried[low] = carried[low] + found.forward
        carried[high] = found.reverse
        stage += 1
    rows = [path.row(x, len(part) * (part - part.mean())) for x, part in carried.items()]
    how = f"Bennett acceptance ratio, {len(settings)} ensembles"
    return total, ErrorSources(rows), how


def _integration(path: _Path) -> tuple[float, ErrorSources, str]:
    """∫⟨∂H/∂λ⟩dλ by nested rules of nine and five settings."""
    means, variances, difference = {}, {}, {}
    fine, coarse = _clenshaw_curtis(8), _clenshaw_curtis(4)
    for position, weight in fine.items():
        slope = path.slope(position)
        means[position] = float(np.mean(slope))
        variances[position] = float(np.var(slope, ddof=1)) / len(slope)
        difference[position] = weight - coarse.get(position, 0.0)
    value, apart = (sum(rule[x] * means[x] for x in rule) for rule in (fine, difference))
    doubt = apart**2 - sum(difference[x] ** 2 * variances[x] for x in fine)
    rows = [path.row(x, fine[x] * (path.slope(x) - means[x])) for x in fine]
    rest = [Number(object(), float(np.sqrt(doubt)))] if doubt > 0 else []
    return value, ErrorSources(rows, rest), "thermodynamic integration, 9 ensembles"


def _clenshaw_curtis(intervals: int) -> dict[float, float]:
    """Nodes in [0, 1] and weights of the rule that integrates Chebyshev's interpolant."""
    order = np.arange(intervals + 1)
    moments = np.zeros(intervals + 1)
    moments[::2] = 2 / (1.0 - order[::2] ** 2)
    # Chebyshev polynomials at the nodes are cosines; weights solve their moment equations.
    values = np.cos(np.outer(order, order) * np.pi / intervals)
    weights = np.linalg.solve(values, moments)
    nodes = 0.5 * (1 - np.cos(order * np.pi / intervals))
    return dict(zip(np.round(nodes, 15).tolist(), (0.5 * weights).tolist(), strict=True))
