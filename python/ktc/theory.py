"""What is known about a network without running it, and what is measured on its replicas.

Every function takes a description (a Network or a Board) and works at its own controls; pass
``device.program(...)`` or ``network.with_controls(...)`` for others. A running emulator is refused
(TypeError) but where replicas are what is asked for: its network is as it started. H = ½ xᵀKx −
bᵀx + ¼ Σ κx⁴. What the form at hand does not cover raises, and names what does: several
temperatures, circuits that sources or noise generators drive, coupled quartic units.
"""

from ktc._emulation.free_energy_ladder import free_energy_difference
from ktc._learning.planning.expected_learning import Costs, ExpectedLearning, expected_learning
from ktc._measure.sampled_metrics import fisher_estimate, friction_estimate, metric_estimates
from ktc._model.parameters import LEARNABLE, Parameters
from ktc._theory.expected import Expected, expected
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
from ktc._theory.learning_costs import constant_rate_excess_work, continuous_excess_work
from ktc._theory.least_work import (
    least_excess_work,
    least_stiffness_excess_work,
    optimal_drive,
    optimal_stiffness_drive,
)
from ktc._theory.linear import linear_transition, stationary_covariance
from ktc._theory.matrix_estimate import MatrixEstimate
from ktc._theory.metrics import fisher_matrix, friction_tensor
from ktc._theory.open_loop import OptimizedDrive, optimized_drive
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
