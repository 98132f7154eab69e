"""Theory: closed forms, quadratures, bounds and estimates of H = ½ xᵀKx − bᵀx + ¼ Σ κx⁴.

Functions take a description, a Network or a Board, and use its own controls; pass
``network.with_controls(...)`` or ``board.program(...)`` for other controls. A running emulator
raises TypeError, because its controls may differ from those of its network; only estimates from
replicas take one. A network beyond the validity of a function raises ValueError, with the name of
a function that covers it: several temperatures, circuits driven by sources or noise generators,
coupled quartic units.

Symbols:
    F: Fisher matrix Cov(∂_θH)/kT, which is kT times the Fisher information matrix.
    ζ: friction tensor of the parameters; R: friction matrix of the network.
    KL: Kullback–Leibler divergence.
    𝒲, 𝓛: Wasserstein distance, thermodynamic length.

Example:
    >>> import ktc
    >>> net = ktc.Network(stiffness=[[2.0, 0.5], [0.5, 1.0]], friction=1.0)
    >>> ktc.theory.friction_tensor(net, "center")
    array([[1., 0.],
           [0., 1.]])
"""

from ktc._emulation.free_energy_ladder import free_energy_difference
from ktc._learning.planning.expected_learning import Costs, ExpectedLearning, expected_learning
from ktc._measure.sampled_metrics import fisher_estimate, friction_estimate, metric_estimates
from ktc._model.parameters import LEARNABLE, Parameters
from ktc._theory.figures_of_merit import (
    deficiency,
    divergence,
    energy_delay_deficiency,
    landauer,
    time_to_accuracy,
    time_to_equilibrium,
)
from ktc._theory.free_energies import free_energy, free_energy_change
from ktc._theory.free_energy_estimates import bennett, jarzynski
from ktc._theory.gaussian import (
    PARAMETERS,
    Gaussian,
    bias_free_energy,
    equilibrium,
    gaussian,
    log_likelihood,
    parameter_map,
)
from ktc._theory.least_work import (
    constant_rate_excess_work,
    continuous_excess_work,
    least_excess_work,
    least_stiffness_excess_work,
    optimal_drive,
    optimal_stiffness_drive,
)
from ktc._theory.linear import linear_transition, stationary_covariance
from ktc._theory.matrix_estimate import MatrixEstimate
from ktc._theory.metrics import fisher_matrix, friction_tensor
from ktc._theory.open_loop import Expected, OptimizedDrive, expected, optimized_drive
from ktc._theory.slow_driving import geodesic_drive, thermodynamic_length
from ktc._theory.wasserstein import least_dissipation, wasserstein_bound, wasserstein_distance

__all__ = [
    "LEARNABLE",
    "PARAMETERS",
    "Costs",
    "Expected",
    "ExpectedLearning",
    "Gaussian",
    "MatrixEstimate",
    "OptimizedDrive",
    "Parameters",
    "bennett",
    "bias_free_energy",
    "constant_rate_excess_work",
    "continuous_excess_work",
    "deficiency",
    "divergence",
    "energy_delay_deficiency",
    "equilibrium",
    "expected",
    "expected_learning",
    "fisher_estimate",
    "fisher_matrix",
    "free_energy",
    "free_energy_change",
    "free_energy_difference",
    "friction_estimate",
    "friction_tensor",
    "gaussian",
    "geodesic_drive",
    "jarzynski",
    "landauer",
    "least_dissipation",
    "least_excess_work",
    "least_stiffness_excess_work",
    "linear_transition",
    "log_likelihood",
    "metric_estimates",
    "optimal_drive",
    "optimal_stiffness_drive",
    "optimized_drive",
    "parameter_map",
    "stationary_covariance",
    "thermodynamic_length",
    "time_to_accuracy",
    "time_to_equilibrium",
    "wasserstein_bound",
    "wasserstein_distance",
]


def __dir__() -> list[str]:
    return __all__
