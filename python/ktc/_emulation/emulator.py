"""The emulator: an engine and a frontend, operated by the calls that a device has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from ktc._base.codec import Saved, kind_named, register, require_alike
from ktc._base.files import FilePath, Storable, load_as
from ktc._base.resources import thread_count
from ktc._base.single_thread import SingleThreaded, one_thread
from ktc._base.validation import Array, count
from ktc._circuits.circuit import Circuit
from ktc._emulation.emulator_properties import EmulatorProperties
from ktc._emulation.frontend import Frontend, Hardware
from ktc._emulation.ideal_frontend import IdealFrontend
from ktc._emulation.recorder import Recording
from ktc._emulation.run import Run
from ktc._emulation.statistics import Statistics
from ktc._engines.ensemble_options import EnsembleOptions
from ktc._engines.factory import density_engine
from ktc._model.description import Described, Description, network_of
from ktc._model.moments import Moments
from ktc._model.protocol import Protocol


class Emulator(EmulatorProperties, SingleThreaded, Storable):
    """Replicas of a network in exact motion, with an energy ledger.

    It starts in equilibrium at the network's own controls. Controls are held between updates:
    ``set`` books work, ``run`` books heat. Linear networks move exactly over any hold, without a
    step, whatever drives them. Overdamped units with quartic terms or potentials and one resistor
    each, at one temperature, and units with potentials and inertia move all at once by symmetric
    steps: half of their relaxation or kick, the linear motion, the other half; averages are second
    order in the step. All other networks move by the splitting integrator. The noise of replica r
    at step s is a function of (seed, r, s) alone: results do not depend on threads, nor on how
    replicas are split over emulators. A call while another Python thread uses it is a RuntimeError.

    ``ktc.Board.emulator`` makes one that works through the board's hardware: ``set`` programs its
    converters, and ``read`` and ``moments`` go through its ADC. ``network`` and ``scale`` are then
    those of the board as designed, which is all that a controller knows; ``applied_controls`` are
    what the board realises: on the DAC's grid, with offset and mismatch, settling at first order.
    Values out of range are refused, and so are updates or readings that follow too closely; several
    at one instant count as one. The ledger has the energies of the real board. While an output
    settles, each hold is cut into pieces with the bias held at its averages, and ``run`` records
    the work, not ``set``.

    Args:
        network: a Network, a Circuit, a Board, or another description of one.
        replicas: number of independent copies, in blocks of 64: one takes the memory of 64; or
            ``math.inf``, see below.
        seed: below 2**64; None draws one, kept in ``seed``.
        threads: at most this many; None takes the cores this process may use.
        dtype: "float64", or "float32" to keep the state in single precision: half of its memory,
            and about twice the speed of long plays where units move independently or all at once.
            Energies are summed in double; the first law then closes to the rounding of states,
            1e-7 of what was moved, and more for single replicas that moved little.
        dt: longest step of motion that is not exact; None takes a tenth of the network's fastest
            time at the controls of a ``run`` or of a whole ``play``. Averages err by its square:
            choose it by ``ktc.convergence``. RuntimeWarning estimates biases above about 5 %.
        resolve_heat: True tells heat apart by resistor, and injected energy from heat, by the
            splitting integrator; implied by "heat_per_resistor" among ``accounts``, and for quartic
            units at several temperatures, under sources, with inertia or in circuits with
            inductors. Linear networks under sources then step about their rest, whose mean is exact
            at any step. Without it only total heat is recorded, the rest of the first law, or in a
            sparse network, which always moves by the splitting integrator, the sum of what flowed
            into its resistors. Their own ledger takes three times the memory of the state.
        first_replica: number of the first replica among all that the seed has: emulators with
            disjoint ranges together hold the same bits as one that has them all.
        state: (replicas, d) or (d,), to start from instead of equilibrium.
        momentum: the same for momenta where there is inertia; zero if only ``state`` is given.
        accounts: names of the accounts to keep, among "work", "heat", "supply", "source",
            "injected", "shadow", "entropy_flow", "heat_per_resistor", and "net_heat" in place of
            heat where noise generators inject into exact motion; each takes 12 bytes per replica.
            None keeps all that the motion has; ``imbalance()`` needs work and heat.
        first_step: number of the first step of noise of the seed. None takes 0 in equilibrium, and
            with ``state`` a number that depends on these states: an ensemble may be continued,
            chunk by chunk, with one seed. Emulators of disjoint ranges that start from states of
            their own need one ``first_step`` to have the bits of the whole, and states that are
            rounded, as by an ADC, another one per chunk. ``write`` places states without changing
            the noise.

    With ``replicas=math.inf`` mean and covariance of a linear network are carried exactly, resolved
    heats too: m′ = z* + A (m − z*) and P′ = A P Aᵀ + Q over a hold. Accounts are ensemble means, of
    shape (1,), with a standard error of zero; ``ledger.variance`` and the ``variance`` of a run's
    estimates are those over the ensemble. Calls that need individual replicas (``read``,
    ``samples``) raise ValueError, and so do ``seed``, ``threads``, ``dtype``, ``dt``,
    ``first_replica`` and ``first_step``; ``state`` is one for all replicas.

    Raises:
        ValueError, TypeError: a value out of range, of a wrong shape, or not a number; infinitely
            many replicas of nonlinear units; a Board with limits of its own (use its ``emulator``).
        MemoryError: more replicas than memory holds.

    Example:
        >>> import ktc
        >>> emulator = ktc.Emulator(ktc.Network(stiffness=1.0, friction=1.0), replicas=1000, seed=7)
        >>> emulator.set(bias=2.0)
        >>> emulator.run(3.0)
        >>> bool(emulator.ledger.imbalance() < 1e-12)
        True
        >>> network = ktc.Network(stiffness=1.0, friction=1.0)
        >>> exact = ktc.Emulator(network, replicas=float("inf"))
        >>> exact.set(bias=2.0)
        >>> exact.run(3.0)
        >>> exact.moments().mean.round(4), exact.moments().covariance
        (array([1.9004]), array([[1.]]))
        >>> spec = ktc.Imperfections(dac_bits=4, dac_range=7e-4, offset=1e-5, seed=5)
        >>> board = ktc.Board(1, 1e6, 1e-12, 300.0, imperfections=spec)
        >>> hardware = board.emulator(replicas=10, seed=1)
        >>> hardware.set(bias=3.2e-4)
        >>> float(hardware.controls.bias[0])
        0.00032
        >>> float((hardware.applied_controls.bias - board.real.offset)[0].round(12))
        0.0003
    """

    def __init__(
        self,
        network: Description,
        replicas: float = 1000,
        seed: int | None = None,
        threads: int | None = None,
        dtype: str = "float64",
        dt: float | None = None,
        resolve_heat: bool = False,
        *,
        first_replica: int = 0,
        state: ArrayLike | None = None,
        momentum: ArrayLike | None = None,
        accounts: Sequence[str] | str | None = None,
        first_step: int | None = None,
    ) -> None:
        if isinstance(network, Circuit):
            network = network.compile()  # a circuit may change later
        physics = network_of(network, "network")
        if isinstance(network, Hardware) and network.restricted:
            raise ValueError(
                f"network must have no limits of its own, but is {network!r}; make the emulator by "
                "its emulator(...), or pass its .network for the physics alone"
            )
        options = EnsembleOptions.checked(
            physics, replicas, seed, threads, dtype, dt, resolve_heat, first_replica, accounts,
            first_step,
        )  # fmt: skip
        super().__init__(IdealFrontend.of(network, options, state, momentum))

    @classmethod
    def operating(cls, frontend: Frontend) -> Emulator:
        """The emulator that works through a given frontend."""
        emulator = cls.__new__(cls)
        EmulatorProperties.__init__(emulator, frontend)
        return emulator

    @one_thread
    def set(self, /, **controls: ArrayLike) -> None:
        """Update controls at held state; work = H(x; θ′) − H(x; θ) goes to the ledger.

        Outputs of hardware that settle do their work in ``run``. Resistances and friction do none.

        Args:
            **controls: ``bias`` scalar, (d,), or (replicas, d), ``quartic`` scalar or (d,),
                ``stiffness`` (d, d), ``kT`` scalar or per heat account, ``emf``, ``current``;
                parameters of potentials, such as ``center``; ``friction`` of units; of a circuit
                sources and elements, ``R1=2e3``, values after ``m=``, ``tc1=``, ``temp=``.

        Raises:
            TypeError: an unknown control.
            ValueError: a value that no network can hold, or that a board cannot be programmed to;
                LimitError where it is out of range or comes too soon. Nothing has changed then.
        """
        self._frontend.set(controls)

    @one_thread
    def run(self, duration: float) -> None:
        """Evolve at held controls for a duration; heat and supply go to the ledger.

        Raises:
            ValueError: a duration that is not positive and finite.
        """
        self._frontend.run(duration)

    @one_thread
    def settle(self) -> None:
        """Wait until outputs have settled, eight time constants; return at once if none moves."""
        self._frontend.settle()

    @one_thread
    def play(
        self,
        protocol: Protocol,
        record: Sequence[str] | str | None = None,
        every: int = 1,
        progress: bool = False,
        *,
        statistics: Statistics | None = None,
        to: FilePath | None = None,
        overwrite: bool = False,
    ) -> Run:
        """Play a protocol from where the emulator stands; return its accounts and records.

        All controls and limits are checked before anything moves. Without ``dt`` one step serves
        all controls: parts of a protocol of quartic units, or ``set`` and ``run``, may take others.

        Args:
            protocol: what to play.
            record: names of quantities to record after every ``every``-th tick, among "state"
                (points, replicas, d), "mean" (points, d), "covariance" (points, d, d), "energy",
                "work", "heat" (points,) (ensemble means), "bias" (points, d); of a circuit also
                "voltages" (points, replicas, nodes), "voltage_mean", "voltage_covariance". The last
                update is in ``run.work`` alone. On a board states and moments are readings, bias
                and energies those of the real board.
            every: ticks between records.
            progress: shows a progress bar.
            statistics: what the engine gathers of the true state while it plays, in
                ``run.statistics``.
            to: where records go instead of memory: a folder that holds ``<quantity>.npy`` for
                each, made where it is missing, or one file named ``….npy`` for one quantity. The
                run then has read-only memory maps of them. A protocol that stops early, by an
                error or Ctrl-C, leaves the records taken so far in them.
            overwrite: replaces files that exist.

        Returns:
            A Run. On a board ``run.programmed`` is the protocol given and ``run.applied`` what the
            board made of it; its ΔF is that between the controls realised before and at the end. A
            final update of outputs that settle takes effect in what is run afterwards.

        Raises:
            TypeError: an unknown quantity, or something that is not a Protocol.
            ValueError: controls that do not fit, with the tick named, or statistics that do not.
            LimitError: a value out of the DAC's range, a tick shorter than the update time, records
                closer than the ADC can read. A reading beyond the ADC's range stops the protocol
                where it is taken.
            FileExistsError, OSError: files that exist, or that the disk has no room for.
            MemoryError: statistics or records that take more than this machine has.

        Example:
            >>> import ktc, numpy as np, pathlib, tempfile
            >>> folder = pathlib.Path(tempfile.mkdtemp())
            >>> unit = ktc.Network(stiffness=1.0, friction=1.0)
            >>> emulator = ktc.Emulator(unit, replicas=5, seed=1)
            >>> drive = ktc.Protocol(np.full(100, 0.1), {})
            >>> run = emulator.play(drive, record="state", every=10, to=folder / "x.npy")
            >>> np.load(folder / "x.npy").shape, type(run.series["state"]).__name__
            ((10, 5, 1), 'memmap')
        """
        recording = Recording(record, every, to, overwrite, statistics, progress)
        return self._frontend.play(protocol, recording)

    @one_thread
    def read(self) -> Array:
        """A copy of the state x, shape (replicas, d); on a board, readings of its ADC.

        Raises:
            ValueError: infinitely many replicas.
            LimitError: a reading beyond the ADC's range, or too soon after the last one.
        """
        return self._frontend.read()

    @one_thread
    def read_momentum(self) -> Array:
        """A copy of the momenta p, shape (replicas, d).

        Raises:
            ValueError: a network without inertia, or infinitely many replicas.
        """
        network = self._frontend.realised.network
        if network.inertia is None:
            raise ValueError("this network has no inertia, so there are no momenta to read")
        return self._frontend.engine.read(network.units, 2 * network.units)

    @one_thread
    def write(self, state: ArrayLike, momentum: ArrayLike | None = None) -> None:
        """Place every replica by hand, and set the ledger to zero.

        Args:
            state: (replicas, d), or (d,) for all alike; the true state, also on a board.
            momentum: the same for momenta where there is inertia; zero by default.
        """
        self._frontend.write(state, momentum)

    @one_thread
    def moments(self) -> Moments:
        """Mean and covariance over the replicas; on a board, of one reading of its ADC."""
        return self._frontend.moments()

    @one_thread
    def energy(self) -> Array:
        """H of every replica at the present controls, shape (replicas,)."""
        return self._frontend.engine.energy()

    @one_thread
    def equilibrate(self) -> None:
        """Draw every replica from exp(−H/kT)/Z at the present controls, settled; zero the ledger.

        Ctrl-C leaves replicas and ledger as they were.
        """
        self._frontend.equilibrate()

    @one_thread
    def reset(self) -> None:
        """Go back to the start: first controls, first state, time zero, the same noise.

        Ctrl-C leaves all as it was.
        """
        self._frontend.reset()

    @one_thread
    def copy(self) -> Emulator:
        """An emulator in the same state that goes on independently, with the same noise."""
        return Emulator.operating(self._frontend.copy())

    @one_thread
    def save(self, path: FilePath) -> None:
        """Save everything that a resumed run needs to give the same bits."""
        super().save(path)

    @classmethod
    def load(cls, path: FilePath, threads: int | None = None) -> Self:
        """The emulator that was saved; it goes on with the same bits on any number of threads.

        Args:
            path: the file.
            threads: at most this many; None takes the cores this process may use.

        Raises:
            FileNotFoundError: no such file.
            ValueError: a file that is damaged, of another kind, or of another minor version, which
                could not promise the same bits; ``threads`` of an infinite ensemble.
        """
        number = None if threads is None else thread_count(threads)
        made = load_as(path, cls, threads=number)
        if number is not None and made.infinite:
            raise ValueError(
                f"threads must be left out for the infinite ensemble of {path}, but is {threads!r}"
            )
        return made

    def __repr__(self) -> str:
        return (
            f"<ktc.Emulator: {self.replicas} replicas of {self.description!r}, "
            f"seed={self.seed}, time={self.time:g}>"
        )


#: Options that are saved with an emulator; those of the machine are chosen where it is loaded.
SAVED = (
    "replicas", "seed", "dtype", "dt", "resolve_heat", "first_replica", "accounts", "first_step",
)  # fmt: skip


def saved_emulator(emulator: Emulator) -> dict[str, object]:
    """What a file keeps of an emulator, as ``restored_emulator`` takes it."""
    front = emulator._frontend
    described = front.description
    kind = kind_named(type(described).__name__)
    if kind is None or kind.type is not type(described):
        described = Described(described.network, described.scale, described.symbols)
    options = {name: getattr(front.options, name) for name in SAVED}
    return {"description": described, "options": options, "state": front.saved()}


def restored_emulator(
    description: Description, options: Saved, state: Saved, threads: int | None = None
) -> Emulator:
    """The emulator of what a file has kept."""
    moved = description.realised if isinstance(description, Hardware) else description
    if options["replicas"] == math.inf:
        threads = None
    else:
        count("seed", options["seed"], least=0)
        # Checked before memory is allocated for what a damaged file may claim.
        needed = options["replicas"] * moved.network.units
        saved = state.get("cells", state)["engine"]["state"].size
        if needed > saved:
            raise ValueError(f"replicas need a state of {needed} numbers, but {saved} were saved")
    checked = EnsembleOptions.checked(moved.network, threads=threads, **options)
    # Placed by hand, so that no equilibrium is drawn that is not used.
    inner = IdealFrontend.of(moved, checked, state=np.zeros(moved.network.units))
    frontend = description.frontend(inner) if isinstance(description, Hardware) else inner
    require_alike(state, frontend.saved(), "state", ("start", "sources"))
    frontend.restore(state)
    return Emulator.operating(frontend)


register(Emulator, saved_emulator, restored_emulator, resumes=True)


def density_emulator(device: Description, reach: tuple[float, float]) -> Emulator:
    """Infinitely many replicas of one overdamped unit, quartic or not, under control of its bias.

    Its bias stays within ``reach``, least and greatest, in the network's own units.
    """
    options = EnsembleOptions(motion="exact", replicas=math.inf)
    engine = density_engine(device.network, reach)
    return Emulator.operating(IdealFrontend(device, options, engine))
