"""ktc: an emulator of thermodynamic hardware, with an energy ledger that closes.

Boards of noisy resistors and capacitors with programmable couplings, run as exact Langevin
dynamics; energy-based models learned on them at the least dissipation, and the joules read out.
"""

# isort: off
from ktc._base import load_core as _load_core  # noqa: F401  # before anything else loads the core

# isort: on
from ktc import lattices, plot, potentials, presets, schedules, spectra, theory
from ktc._base.estimate import Estimate
from ktc._base.files import VERSION as __version__
from ktc._base.files import load
from ktc._base.resources import show_config
from ktc._base.units import Units
from ktc._boards.board import Board
from ktc._boards.encoding import Encoding
from ktc._boards.real_board import RealBoard
from ktc._boards.topology import Topology
from ktc._circuits.analysis_results import MeanPath, NoiseSpectrum, OperatingPoint, SmallSignal
from ktc._circuits.branch import Branch, CircuitError, Coupling
from ktc._circuits.circuit import Circuit
from ktc._circuits.compiled_circuit import CompiledCircuit
from ktc._circuits.equation import CircuitEquation
from ktc._circuits.waveform import Waveform
from ktc._emulation.emulator import Emulator
from ktc._emulation.ledger import Ledger
from ktc._emulation.run import Run
from ktc._emulation.run_statistics import RunStatistics, Spectrum
from ktc._emulation.source_meter import SourceMeter
from ktc._emulation.statistics import Statistics
from ktc._learning.checkpoint import resume
from ktc._learning.fit import Fit
from ktc._learning.history import History, Readings, UpdateRecord
from ktc._learning.learn import learn
from ktc._learning.metrics.settings import CalibrationReport, Metrics
from ktc._learning.planning.best_rate import Tuned, best_rate
from ktc._learning.planning.planner import Plan, plan
from ktc._measure.convergence import Convergence, convergence
from ktc._model.controls import Controls
from ktc._model.description import Described, Description
from ktc._model.device import (
    Describes,
    Device,
    DeviceFactory,
    DeviceLedger,
    DeviceMoments,
    EnsembleLedger,
    HasImperfections,
    HasShortestTick,
    Programmable,
    RealisesControls,
    Rests,
    Seeded,
    Settles,
)
from ktc._model.directions import HasDirections, NamedDirections
from ktc._model.elements import ActiveFlow, CurrentSource, Elements, NoiseSource, Resistor
from ktc._model.imperfections import Converter, Imperfections, LimitError
from ktc._model.moments import Moments
from ktc._model.network import Network
from ktc._model.protocol import Protocol
from ktc._model.sparse_stiffness import SparseStiffness
from ktc._model.transition import Transition
from ktc._tasks.infer import infer
from ktc._tasks.inference import Inference

__all__ = [
    "ActiveFlow",
    "Board",
    "Branch",
    "CalibrationReport",
    "Circuit",
    "CircuitEquation",
    "CircuitError",
    "CompiledCircuit",
    "Controls",
    "Convergence",
    "Converter",
    "Coupling",
    "CurrentSource",
    "Described",
    "Describes",
    "Description",
    "Device",
    "DeviceFactory",
    "DeviceLedger",
    "DeviceMoments",
    "Elements",
    "Emulator",
    "Encoding",
    "EnsembleLedger",
    "Estimate",
    "Fit",
    "HasDirections",
    "HasImperfections",
    "HasShortestTick",
    "History",
    "Imperfections",
    "Inference",
    "Ledger",
    "LimitError",
    "MeanPath",
    "Metrics",
    "Moments",
    "NamedDirections",
    "Network",
    "NoiseSource",
    "NoiseSpectrum",
    "OperatingPoint",
    "Plan",
    "Programmable",
    "Protocol",
    "Readings",
    "RealBoard",
    "RealisesControls",
    "Resistor",
    "Rests",
    "Run",
    "RunStatistics",
    "Seeded",
    "Settles",
    "SmallSignal",
    "SourceMeter",
    "SparseStiffness",
    "Spectrum",
    "Statistics",
    "Topology",
    "Transition",
    "Tuned",
    "Units",
    "UpdateRecord",
    "Waveform",
    "__version__",
    "best_rate",
    "convergence",
    "infer",
    "lattices",
    "learn",
    "load",
    "plan",
    "plot",
    "potentials",
    "presets",
    "resume",
    "schedules",
    "show_config",
    "spectra",
    "theory",
]


def __dir__() -> list[str]:
    return __all__


# Tracebacks name errors as users catch them. Other classes keep their own module, in which
# inspect.getsource and typing.get_type_hints look.
for _error in (CircuitError, LimitError):
    _error.__module__ = __name__
