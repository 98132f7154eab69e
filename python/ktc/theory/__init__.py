"""What is known about a network without running it, and what is measured on its replicas.

Every function takes a description (a Network or a Board) and works at its own controls; pass
``device.program(...)`` or ``network.with_controls(...)`` for others. A running emulator is refused
(TypeError) but where replicas are what is asked for: its network is as it started. H = ½ xᵀKx −
bᵀx + ¼ Σ κx⁴. What the form at hand does not cover raises, and names what does: several
temperatures, circuits that sources or noise generators drive, coupled quartic units.
"""

from ktc.free_energies import free_energy, free_energy_change
from ktc.theory.gaussian import (
    PARAMETERS,
    Gaussian,
    bias_free_energy,
    equilibrium,
    gaussian,
    log_likelihood,
    parameter_map,
)
from ktc.theory.least_work import (
    least_excess_work,
    least_stiffness_excess_work,
    optimal_drive,
    optimal_stiffness_drive,
)
from ktc.theory.linear import linear_transition, stationary_covariance
from ktc.theory.metrics import fisher_matrix, friction_tensor
from ktc.theory.parameters import LEARNABLE, Parameters

__all__ = [
    "LEARNABLE",
    "PARAMETERS",
    "Gaussian",
    "Parameters",
    "bias_free_energy",
    "equilibrium",
    "fisher_matrix",
    "free_energy",
    "free_energy_change",
    "friction_tensor",
    "gaussian",
    "least_excess_work",
    "least_stiffness_excess_work",
    "linear_transition",
    "log_likelihood",
    "optimal_drive",
    "optimal_stiffness_drive",
    "parameter_map",
    "stationary_covariance",
]
