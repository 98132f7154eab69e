"""Pictures: what they show, their labels and units, and that no screen is needed."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
from scipy.integrate import trapezoid

import ktc
from ktc import Board, Emulator, Network, Protocol, schedules
from ktc._base.estimate import Estimate
from ktc._boards.gaussian_model import GaussianModel
from ktc._drawing.labels import Scale, scale_of
from ktc._drawing.style import POINTS, STYLES, thinned
from ktc._learning.comparison import Comparison, Point
from ktc._learning.comparison_figure import excess_over_duration
from refusal import refused

UNIT = Network(stiffness=1.0, friction=1.0)
BOARD = Board(
    3, 1e6, 1e-12, 300.0, stiffness=1e12 * np.array([[2, 0.5, 0], [0.5, 1, 0], [0, 0, 3]])
)
TARGET = np.array([1e-4, -2e-4, 3e-4])  # volts
RECORDS = ["state", "mean", "covariance", "energy", "work", "heat"]


def wide_network():
    factor = np.random.default_rng(5).normal(size=(64, 64))
    return Network(stiffness=factor @ factor.T / 64 + 0.05 * np.eye(64), friction=1.0)


def board_fit(parameter="bias", schedule=None):
    schedule = schedule or schedules.MinimalDissipation(5e-6)
    return ktc.learn(
        BOARD, TARGET, schedule, parameters=(parameter,), replicas=50, ticks=40, seed=1
    )


def wide_fit():
    goal = np.random.default_rng(6).normal(size=64)
    return ktc.learn(wide_network(), goal, schedules.MinimalDissipation(5.0), replicas=50,
                     ticks=40, seed=1)  # fmt: skip


def board_run(record=RECORDS):
    drive = Protocol.ramp(5e-6, 40, bias=(np.zeros(3), TARGET))
    return BOARD.emulator(replicas=50, seed=1).play(drive, record=record)


def all_controls():
    return Protocol.sample(
        1.0, 10, {"bias": 5.0, "kT": 2.0}, bias=lambda t: 5 * (t + 1) / 3, stiffness=lambda t: 1 + t
    )


def comparison():
    """A comparison made up of two small runs and five made-up points of a scan."""
    data = np.random.default_rng(7).normal(size=(20, 3)) + [3.0, 4.0, 5.0]
    model = GaussianModel.of(Board(3, 1e6, 1e-12, 300.0), data)
    fits = [
        ktc.learn(model.board, model.volts, schedule, replicas=50, ticks=40, seed=1)
        for schedule in (schedules.MinimalDissipation(1e-5), schedules.Constant(1e-5, 1e16))
    ]
    points = [
        Point(name, duration, rate, Estimate(cost / duration, cost / 30 / duration, method=""), 1.0)
        for name, rate, cost in (("MinimalDissipation", None, 1e-25), ("Constant", 1e16, 3e-25))
        for duration in (5e-6, 1e-5, 2e-5)
    ]
    return Comparison(model, fits, points[::3], points)


def circuit():
    """Two cells, a voltage source behind a resistor, and a current source."""
    return ktc.Circuit.from_netlist(
        "R1 a 0 10meg kelvin=88\nC1 a 0 680p\nR2 b 0 10meg kelvin=296\nC2 b 0 420p\nC3 a b 100p\n"
        "V1 n 0 1m\nR3 n a 10meg\nI1 0 b 1p"
    ).compile()


def circuit_protocol():
    values = np.linspace(0, 1, 20)
    return Protocol(
        np.full(20, 1e-3),
        {
            **circuit().source_controls(V1=1e-3 * values, I1=1e-12 * values),
            "kT": np.outer(1 + values, [1e-21, 2e-21, 3e-21]),
        },
        final={"quartic": [1e30, 2e30]},
    )


def coil():
    """A circuit whose coordinates are a charge and a flux."""
    return ktc.Circuit.from_netlist("R1 a b 1k\nL1 b 0 1m\nC1 a 0 1n\nI1 0 a 0").compile()


def itemised_run(units=3):
    network = Network(stiffness=np.eye(units), friction=1.0)
    emulator = Emulator(network, replicas=50, seed=1, resolve_heat=True)
    return emulator.play(Protocol.ramp(1.0, 20, bias=(0.0, 2.0)))


def circuit_run():
    return Emulator(circuit(), replicas=50, seed=1, resolve_heat=True).play(
        Protocol(np.full(20, 1e-3), circuit().source_controls(V1=np.linspace(0, 1e-3, 20)))
    )


PICTURES = {
    "protocol of a circuit": (lambda: circuit_protocol().plot(device=circuit()), True),
    "protocol of a coil": (
        lambda: Protocol(
            [1e-6] * 2, {"stiffness": [coil().stiffness] * 2, "quartic": [0, 1e9]}
        ).plot(device=coil()),
        True,
    ),
    "protocol of quartic units": (
        lambda: Protocol.sample(1.0, 9, quartic=lambda t: [1 + t, 2.0], emf=1.0).plot(),
        False,
    ),
    "run with heat by resistor": (lambda: itemised_run().plot(), False),
    "run with heat by many resistors": (lambda: itemised_run(30).plot(), False),
    "run of a circuit": (lambda: circuit_run().plot(), True),
    "rate of a coil": (lambda: schedules.Constant(1e-6, 1.0).plot(coil(), "bias"), True),
    "protocol": (lambda: all_controls().plot(), False),
    "protocol of a device": (lambda: all_controls().plot(device=UNIT), False),
    "protocol of a board": (
        lambda: Protocol.ramp(5e-6, 9, bias=(np.zeros(3), TARGET)).plot(device=BOARD),
        True,
    ),
    "end of a protocol": (
        lambda: Protocol([1.0], {}, final={"bias": 1.0}).plot(device=UNIT),
        False,
    ),
    "run of a board": (lambda: board_run().plot(unit=2), True),
    "run without records": (lambda: board_run(None).plot(), True),
    "run of a network": (
        lambda: Emulator(UNIT, replicas=50, seed=1).play(all_controls()).plot(),
        False,
    ),
    "run of one replica": (
        lambda: Emulator(UNIT, replicas=1, seed=1).play(all_controls(), record="state").plot(),
        False,
    ),
    "fit of a board": (lambda: board_fit().plot(), True),
    "fit of centers": (lambda: board_fit("center").plot(), True),
    "fit of a unit": (
        lambda: ktc.learn(
            UNIT, 5.0, schedules.Constant(1.0, 1.0), replicas=50, ticks=40, seed=1
        ).plot(),
        False,
    ),
    "fit of many units": (lambda: wide_fit().plot(), False),
    "schedule": (lambda: schedules.MinimalDissipation(1.0).plot(), False),
    "schedule of a board": (lambda: schedules.MinimalDissipation(5e-6).plot(BOARD), True),
    "schedule of centers": (lambda: schedules.Cosine(5e-6, 1e12).plot(BOARD, "center"), True),
    "schedule of many units": (
        lambda: schedules.ContinuousMinimalDissipation(5.0, 1.0).plot(wide_network()),
        False,
    ),
    "excess work over duration": (lambda: excess_over_duration(comparison()), True),
    "fits side by side": (lambda: ktc.plot.side_by_side(comparison().fits), True),
    "means": (lambda: ktc.plot.means({"a": [1, 2], "b": [2, 1]}, ["x", "y"], "mean"), False),
    "many means": (lambda: ktc.plot.means({"a": np.ones(64)}, [""] * 64, "mean"), False),
}


@pytest.fixture(scope="module")
def pictures():
    """Every picture, drawn once."""
    drawn = {name: make() for name, (make, _) in PICTURES.items()}
    for figure in drawn.values():
        figure.draw_without_rendering()
    return drawn


@pytest.mark.parametrize("name", PICTURES)
def test_every_axis_is_labelled_with_the_units_of_the_device(pictures, name):
    figure, in_si = pictures[name], PICTURES[name][1]
    labels = [ax.get_ylabel() for ax in figure.axes]
    # A panel above another one leaves the numbers of the common time axis to it.
    below = [
        ax.get_xlabel()
        for ax in figure.axes
        if any(number.get_visible() for number in ax.get_xticklabels())
    ]
    assert all(labels)
    assert all(below)
    assert below
    counted = ("replicas per bin", "column", "column, counted from 1", "account", "mean")
    for label in [*labels, *below]:
        if label not in counted:
            assert bool(re.search(r"\[.+\]$", label)) == in_si, label


@pytest.mark.parametrize("name", PICTURES)
def test_no_legend_covers_data_or_leaves_the_figure(pictures, name):
    figure = pictures[name]
    whole = figure.bbox.padded(1)
    for ax in figure.axes:
        box = ax.get_window_extent()
        assert box.width > 0.3 * whole.width
        title = ax.title.get_window_extent() if ax.get_title() else None
        if legend := ax.get_legend():
            frame = legend.get_window_extent()
            assert frame.y0 >= box.y1 - 1
            assert frame.x1 <= whole.x1
            assert frame.y1 <= whole.y1
            assert title is None or not frame.overlaps(title)


def test_an_image_has_its_captions_and_a_labelled_scale():
    image = np.arange(6.0).reshape(2, 3)
    figure = ktc.plot.images({"start": 0 * image, "mean": image}, "grey level", (0.0, 5.0))
    assert [ax.get_title() for ax in figure.axes] == ["start", "mean", ""]
    assert figure.axes[-1].get_ylabel() == "grey level"
    np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), image)
    assert figure.axes[1].images[0].get_clim() == (0.0, 5.0)


# --- What the lines are --------------------------------------------------------------------------


def lines(ax):
    return [line.get_xydata() for line in ax.lines if len(line.get_xdata()) > 2]


def test_a_protocol_is_drawn_with_both_its_jumps():
    drive = Protocol([0.5, 1.5], {"bias": [[1e-4, 2e-4], [3e-4, 5e-4]]}, final={"bias": 7e-4})
    board = Board(2, 1.0, 1.0, 300.0, bias=-1e-4)
    (ax,) = drive.plot(device=board).axes
    first, second = lines(ax)
    # Seconds and microvolts; four hundredths of the duration before the start and after the end.
    np.testing.assert_allclose(first[:, 0], [-0.08, 0.0, 0.5, 2.0, 2.08], rtol=1e-12)
    np.testing.assert_allclose(first[:, 1], [-100, 100, 300, 700, 700], rtol=1e-12)
    np.testing.assert_allclose(second[:, 1], [-100, 200, 500, 700, 700], rtol=1e-12)
    assert ax.get_ylabel() == "bias [µV]"
    assert ax.lines[0].get_drawstyle() == "steps-post"


def test_a_stiffness_is_drawn_by_its_eigenvalues():
    matrices = np.array([[[2.0, 1.0], [1.0, 2.0]], [[5.0, 0.0], [0.0, 4.0]]])
    (ax,) = Protocol([1.0, 1.0], {"stiffness": matrices}).plot().axes
    np.testing.assert_allclose([line[:, 1] for line in lines(ax)], [[1, 4, 4, 4], [3, 5, 5, 5]])


def test_the_rate_of_one_unit_and_its_integral():
    """Closed form for k = γ = 1: η = 1/(T + 2 − t), jumps 1/(T + 2) and ½ per unit of g."""
    upper, lower = schedules.MinimalDissipation(3.0).plot().axes
    ((time, rate),) = (line.T for line in lines(upper))
    np.testing.assert_allclose(rate, 1 / (5.0 - time), rtol=1e-12)
    ((time, learned),) = (line.T for line in lines(lower))
    # The trapezoidal rule of 200 intervals: h²/12 of the change of η' is below 1e-5 of the whole.
    assert learned[0] == 0
    assert learned[2] == pytest.approx(1 / 5, rel=1e-12)
    assert learned[-3] == pytest.approx(1 / 5 + np.log(5 / 2), rel=1e-5)
    assert learned[-1] == pytest.approx(1 / 5 + np.log(5 / 2) + 1 / 2, rel=1e-5)


def test_the_rate_on_a_board_is_drawn_in_its_units():
    """For cells without couplings η = 1/[C(T − t + 2RC)], here in 1/(pF·µs)."""
    board = Board(2, 1e6, 1e-12, 300.0)
    upper, lower = schedules.MinimalDissipation(4e-6).plot(board).axes
    assert upper.get_ylabel() == "rate η of the bias [1/(pF·µs)]"
    assert lower.get_ylabel() == "∫η dt with jumps [1/pF]"
    ((time, rate),) = (line.T for line in lines(upper))
    np.testing.assert_allclose(rate, 1 / (6.0 - time), rtol=1e-9)


class Turning(schedules.Schedule):
    """A rate that is neither symmetric nor diagonal in the parameters or in the modes."""

    def velocity(self, time, gradient, geometry):
        return (1 + time) * (2 * gradient + np.roll(gradient, 1))

    def last_jump(self, gradient, geometry):
        return gradient[::-1].copy()


@pytest.mark.parametrize("parameter", ["bias", "center"])
@pytest.mark.parametrize(
    "schedule",
    [
        schedules.MinimalDissipation(3.0),
        schedules.MinimalDissipation(3.0, matrix=False),
        schedules.ContinuousMinimalDissipation(3.0, 1.0),
        schedules.NaturalGradient(3.0, 0.7),
        schedules.Exponential(3.0, 0.1, 2.0),
        Turning(3.0),
    ],
)
def test_eigenvalues_are_those_of_the_whole_matrix(schedule, parameter):
    """Against eigenvalues of the matrix made of its columns, to rounding; modes are not orthogonal.

    The integral is by 200 trapezoids in both.
    """
    factor = np.random.default_rng(3).normal(size=(4, 4))
    network = Network(stiffness=factor @ factor.T + np.eye(4), friction=[1.0, 2.0, 3.0, 0.5])
    geometry = ktc._theory.geometry.Geometry.of(network, parameter)
    upper, lower = schedule.plot(network, parameter).axes
    time = lines(upper)[0][:, 0]
    rates = np.stack([schedule.rate(t, geometry) for t in time])
    columns = np.eye(4)
    first, last = (
        np.stack([jump(column) for column in columns], axis=1)
        for jump in (
            lambda g: schedule.first_jump(g, geometry, lambda _: g),
            lambda g: schedule.last_jump(g, geometry),
        )
    )
    whole = first + trapezoid(rates, time, axis=0)
    for ax, point, matrix in (
        (upper, 70, rates[70]),
        (lower, -3, whole),
        (lower, -1, whole + last),
    ):
        expected = np.sort(np.linalg.eigvals(matrix).real)
        drawn = [line[point, 1] for line in lines(ax)]
        drawn = drawn if len(drawn) == 4 else drawn * 4  # one line where all are alike
        np.testing.assert_allclose(drawn, expected, rtol=1e-9, atol=1e-9 * np.abs(matrix).max())


def test_drawing_a_schedule_of_many_units_asks_it_a_few_times_an_instant():
    """Not once a unit, which took minutes for hundreds of units."""
    calls = 0

    class Counted(schedules.MinimalDissipation):
        def velocity(self, time, gradient, geometry):
            nonlocal calls
            calls += 1
            return super().velocity(time, gradient, geometry)

    upper, _ = Counted(5.0).plot(wide_network()).axes
    assert len(lines(upper)[0]) > 100
    assert calls < 64 * 20


def test_a_fit_is_drawn_with_its_books():
    fit = board_fit()
    top, _, ledger, excess = fit.plot().axes
    for cell, line in enumerate(lines(top)):
        np.testing.assert_allclose(line[1:, 1], 1e6 * fit.history.bias[:, cell], rtol=1e-12)
        assert line[0, 1] == 0
    work, free_energy, heat = lines(ledger)
    np.testing.assert_allclose(work[-1], [5.0, 1e21 * fit.work.mean], rtol=1e-9)
    np.testing.assert_allclose(free_energy[-1, 1], 1e21 * fit.free_energy_change.mean, rtol=1e-9)
    np.testing.assert_allclose(heat[-1, 1], 1e21 * fit.heat.mean, rtol=1e-9)
    for line in lines(excess):
        np.testing.assert_allclose(line[-1, 1], 1e21 * fit.excess_work.mean, rtol=1e-9)
    # The axis on the right is in kT.
    (right,) = excess.child_axes
    assert right.get_ylabel() == "excess work [kT]"
    excess.figure.draw_without_rendering()
    np.testing.assert_allclose(
        np.array(excess.get_ylim()) * 1e-21 / fit.kT, right.get_ylim(), rtol=1e-9
    )


def test_fits_side_by_side_share_their_scales():
    """A run of much less work is drawn in the unit of the other one."""
    fits = [board_fit(), board_fit(schedule=schedules.Constant(5e-6, 1e9))]
    figure = ktc.plot.side_by_side(fits)
    labels = [ax.get_ylabel() for ax in figure.axes]
    assert labels[0::2] == labels[1::2]
    weak = lines(figure.axes[3])[0]
    assert weak[-1, 1] == pytest.approx(1e21 * fits[1].work.mean, rel=1e-9)


def test_a_run_is_drawn_with_its_records_and_its_distribution():
    run = board_run()
    axes = run.plot(unit=1).axes
    by_label = {ax.get_ylabel(): ax for ax in axes}
    state = by_label["state of unit 1 [µV]"]
    np.testing.assert_allclose(
        lines(state)[-1][:, 1], 1e6 * run.series["state"][:, :, 1].mean(axis=1), rtol=1e-9
    )
    width = lines(by_label["rms width [µV]"])[2][:, 1]
    np.testing.assert_allclose(width, 1e6 * np.sqrt(run.series["covariance"][:, 2, 2]), rtol=1e-9)
    counts = [patch.get_data().values.sum() for patch in axes[-1].patches]
    assert counts == [50, 50]


def test_a_run_that_itemises_is_drawn_with_all_its_accounts():
    run = circuit_run()
    ax = run.plot().axes[-1]
    heats = run.heat_per_resistor
    names = ["work", "source", *(f"heat {name}" for name in heats)]
    assert [text.get_text() for text in ax.get_xticklabels()] == names
    drawn = [bar.get_height() for bar in ax.patches]
    expected = [run.work.mean, run.source.mean, *(heat.mean for heat in heats.values())]
    factor = scale_of(expected, "J").factor
    np.testing.assert_allclose(drawn, np.array(expected) * factor, rtol=1e-12)
    assert ax.get_ylabel() == f"mean energy [{scale_of(expected, 'J').unit}]"
    # Nothing was told apart, so there is no such panel.
    assert board_run(None).plot().axes[-1].get_ylabel() == "replicas per bin"


def test_controls_of_a_circuit_are_drawn_in_their_units():
    labels = [ax.get_ylabel() for ax in circuit_protocol().plot(device=circuit()).axes]
    assert labels == ["emf [mV]", "current [pA]", "kT [zJ]", "quartic [QJ/C⁴]"]
    stiffness, quartic = PICTURES["protocol of a coil"][0]().axes
    assert stiffness.get_ylabel() == "stiffness, eigenvalues [1/nF or 1/nH]"
    assert quartic.get_ylabel() == "quartic [GJ/C⁴ or GJ/Wb⁴]"


# --- Names that users give -----------------------------------------------------------------------


def tick_labels(columns):
    figure = ktc.plot.means({"$a$": np.ones(len(columns))}, columns, "mean of $x$")
    figure.draw_without_rendering()
    (ax,) = figure.axes
    return [text.get_text() for text in ax.get_xticklabels()], ax.get_xlabel()


@pytest.mark.parametrize("name", ["US$^^ and A$", "$x$", "$", "$$", "a_b^c", r"\frac$\bad$"])
def test_dollar_signs_start_no_formula(name, monkeypatch):
    """matplotlib's own parser of formulas is never asked."""
    from matplotlib.mathtext import MathTextParser

    monkeypatch.setattr(MathTextParser, "parse", lambda *arguments, **options: 1 / 0)
    (shown,), label = tick_labels([name])
    assert shown.replace(r"\$", "$") == name
    assert label == "column"
    figure = ktc.plot.images({name: np.zeros((2, 2))}, name, (0.0, 1.0))
    figure.draw_without_rendering()


def test_names_that_the_font_lacks_are_numbers_and_the_axis_says_so():
    """A warning of a glyph that is missing would be an error here."""
    shown, label = tick_labels(["Größe µ", "温度", "x\ty"])
    assert shown == ["Größe µ", "2", "x y"]
    assert label == "column (number where the font cannot write its name)"
    shown, label = tick_labels(["a", "b"])
    assert (shown, label) == (["a", "b"], "column")


def test_long_names_are_cut():
    (shown,), _ = tick_labels(["x" * 200])
    assert shown == "x" * 23 + "…"


def test_many_columns_are_counted_from_1():
    figure = PICTURES["many means"][0]()
    (ax,) = figure.axes
    assert ax.get_xlabel() == "column, counted from 1"
    assert ax.patches[0].get_x() + 0.5 * ax.patches[0].get_width() == pytest.approx(1.0)


# --- Grey, long and many -------------------------------------------------------------------------


def test_lines_differ_without_their_colours():
    dashes = [str(style["linestyle"]) for style in STYLES]
    assert len(set(dashes)) == len(STYLES)
    assert len({style["marker"] for style in STYLES}) == len(STYLES)


def test_long_lines_are_thinned_and_keep_their_spikes():
    time = np.arange(1_000_000.0)
    values = np.sin(time / 1e5)
    values[[123_456, 765_432]] = 9.0, -9.0
    few, kept = thinned(time, values)
    assert len(few) <= POINTS + 2
    assert (kept.max(), kept.min()) == (9.0, -9.0)
    assert (few[0], few[-1]) == (time[0], time[-1])
    assert (np.diff(few) > 0).all()


def test_a_long_protocol_of_many_units_keeps_its_extremes():
    values = np.zeros((20_000, 20))
    values[12_345, 7] = 4.0
    (ax,) = Protocol(np.full(20_000, 1e-3), {"bias": values}).plot().axes
    drawn = max(line.get_ydata().max() for line in ax.lines[:2])
    assert drawn == 4.0
    assert max(len(line.get_xdata()) for line in ax.lines) <= POINTS + 2


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        ([0.0, -84e-21], "J", (1e21, "zJ")),
        (1e-5, "s", (1e6, "µs")),
        (0.9, "V", (1e3, "mV")),
        (1.0, "V", (1.0, "V")),
        (999.0, "V", (1.0, "V")),
        (1000.0, "V", (1e-3, "kV")),
        (2e12, "1/F", (1e-12, "1/pF")),
        (1e-40, "J", (1.0, "J")),
        (3e-28, "J", (1e30, "qJ")),
        (3e-27, "J", (1e27, "rJ")),
        (3e28, "Ω", (1e-27, "RΩ")),
        (2e-30, "1/F", (1e30, "1/QF")),
        (2e12, "1/F or 1/H", (1e-12, "1/pF or 1/pH")),
        (2e-12, "C or Wb", (1e12, "pC or pWb")),
        (0.0, "J", (1.0, "J")),
        (1e-9, "", (1.0, "")),
        ([], "J", (1.0, "J")),
    ],
)
def test_prefixes_make_numbers_readable(values, unit, expected):
    scale = scale_of(values, unit)
    assert scale.factor == pytest.approx(expected[0], rel=1e-12)
    assert scale.unit == expected[1]


def test_scales_of_quotients():
    assert Scale(1e12, "pF").per(Scale(1e6, "µs")) == (1e6, "pF/µs")
    assert Scale(1e-12, "1/pF").per(Scale(1e6, "µs")).unit == "1/(pF·µs)"
    assert Scale(1.0, "").per(Scale(1.0, "")).label("rate") == "rate"


# --- No screen -----------------------------------------------------------------------------------


def test_matplotlib_is_imported_when_something_is_drawn_and_never_pyplot():
    """In a fresh process, whose DISPLAY does not exist."""
    program = """
import sys, ktc
slow = ("matplotlib", "scipy.linalg", "scipy.signal", "scipy.optimize", "sklearn")
print([name for name in slow if name in sys.modules])
figure = ktc.Protocol([1.0], {"bias": [1.0]}).plot()
print("matplotlib" in sys.modules, "matplotlib.pyplot" in sys.modules)
print(figure._repr_png_()[:8])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["[]", "True False", str(b"\x89PNG\r\n\x1a\n")]


def test_a_figure_is_saved_at_the_size_asked_for(tmp_path):
    from matplotlib.image import imread

    figure = all_controls().plot(figsize=(4.0, 3.0))
    figure.savefig(tmp_path / "a.png", dpi=100)
    image = imread(tmp_path / "a.png")
    assert image.shape[:2] == (300, 400)
    assert image[..., :3].min() < 0.2  # something black is on it


# --- Refusals ------------------------------------------------------------------------------------


def test_what_cannot_be_drawn_is_refused():
    with refused(ValueError, "drives no control"):
        Protocol([1.0], {}).plot()
    with refused(ValueError, "unit must be below 3, but is 3"):
        board_run().plot(unit=3)
    with refused(TypeError, "unit must be a whole number"):
        board_run().plot(unit=0.5)
    with refused(ValueError, "target must be a scalar or of shape (3,)"):
        schedules.ContinuousMinimalDissipation(1.0, [1.0, 2.0]).plot(BOARD)
    with refused(ValueError, "parameter must be one of"):
        schedules.Constant(1.0, 1.0).plot(parameter="slope")
    with pytest.raises(TypeError, match="colour"):
        all_controls().plot(colour="red")


def test_the_right_axis_has_plain_numbers_when_it_is_drawn():
    """A change of the left scale after the right axis was made would reset its ticks."""
    figure = excess_over_duration(comparison())
    figure.canvas.draw()
    (right,) = figure.axes[0].child_axes
    labels = [label.get_text() for label in right.get_yticklabels()]
    assert labels and all(re.fullmatch(r"[\d.e+-]*", label) for label in labels)
    assert right.yaxis.label.get_window_extent().x1 <= figure.bbox.x1
