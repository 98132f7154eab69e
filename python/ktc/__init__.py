"""ktc: an emulator of thermodynamic hardware, with an energy ledger that closes.

Boards of noisy resistors and capacitors with programmable couplings, run as exact Langevin
dynamics; energy-based models learned on them at the least dissipation, and the joules read out.
"""

# isort: off
from ktc import openblas as _openblas  # noqa: F401  # loads the core, before anything else does

# isort: on
from ktc import lattices, plot, presets, schedules, spectra, theory
from ktc.boards.board import Board
from ktc.boards.board_emulator import BoardEmulator
from ktc.boards.imperfections import Imperfections, LimitError
from ktc.circuits.circuit import Circuit
from ktc.circuits.topology import Topology
from ktc.config import show_config
from ktc.convergence import Convergence
from ktc.emulation.emulator import Emulator
from ktc.emulation.run import Run
from ktc.emulation.statistics import Statistics
from ktc.encoding import Encoding
from ktc.estimate import Estimate
from ktc.learning.fit import Fit
from ktc.learning.joint_fit import JointFit
from ktc.learning.learner import learn
from ktc.learning.metric_settings import Metrics
from ktc.learning.planner import Plan, plan
from ktc.learning.tuning import Tuned, best_rate
from ktc.network import Network
from ktc.protocol import Protocol
from ktc.storage import VERSION as __version__

__all__ = [
    "Board",
    "BoardEmulator",
    "Circuit",
    "Convergence",
    "Emulator",
    "Encoding",
    "Estimate",
    "Fit",
    "Imperfections",
    "JointFit",
    "LimitError",
    "Metrics",
    "Network",
    "Plan",
    "Protocol",
    "Run",
    "Statistics",
    "Topology",
    "Tuned",
    "__version__",
    "best_rate",
    "lattices",
    "learn",
    "plan",
    "plot",
    "presets",
    "schedules",
    "show_config",
    "spectra",
    "theory",
]
