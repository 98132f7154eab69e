"""ktc: an emulator of thermodynamic hardware, with an energy ledger that closes.

Boards of noisy resistors and capacitors with programmable couplings, run as exact Langevin
dynamics; energy-based models learned on them at the least dissipation, and the joules read out.
"""

# isort: off
from ktc import openblas as _openblas  # noqa: F401  # loads the core, before anything else does

# isort: on
from ktc import lattices, plot, presets, schedules, spectra, theory
from ktc.board import Board
from ktc.board_emulator import BoardEmulator
from ktc.circuit import Circuit
from ktc.config import show_config
from ktc.convergence import Convergence
from ktc.emulator import Emulator
from ktc.encoding import Encoding
from ktc.estimate import Estimate
from ktc.fit import Fit
from ktc.imperfections import Imperfections, LimitError
from ktc.joint_fit import JointFit
from ktc.learner import learn
from ktc.learning.metric_settings import Metrics
from ktc.network import Network
from ktc.planner import Plan, plan
from ktc.protocol import Protocol
from ktc.run import Run
from ktc.statistics import Statistics
from ktc.storage import VERSION as __version__
from ktc.topology import Topology
from ktc.tuning import Tuned, best_rate

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
