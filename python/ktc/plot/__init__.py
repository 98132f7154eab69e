"""Pictures. What ktc makes draws itself: ``fit.plot()``, ``run.plot()``, ``protocol.plot()``.

Every picture is a matplotlib Figure made without pyplot: it opens no window, needs no screen,
shows itself in a notebook, and is saved by ``figure.savefig(path)``. Lines differ in dash and
marker and not in colour alone. matplotlib is imported when the first picture is drawn.

Example:
    >>> import ktc
    >>> drive = ktc.Protocol.ramp(duration=2.0, ticks=50, bias=(0.0, 4.0))
    >>> figure = drive.plot()
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['bias']
"""

from ktc.convergence import Convergence
from ktc.emulation.run import Run
from ktc.learning.fit import Fit
from ktc.learning.joint_fit import JointFit
from ktc.picture import draw
from ktc.plot.comparison import excess_over_duration, images, means, side_by_side
from ktc.plot.convergence import draw_convergence
from ktc.plot.fit import draw_fit
from ktc.plot.joint_fit import draw_joint_fit
from ktc.plot.protocol import draw_protocol
from ktc.plot.run import draw_run
from ktc.plot.schedule import draw_schedule
from ktc.protocol import Protocol
from ktc.schedules import Schedule

__all__ = [
    "draw_convergence",
    "draw_fit",
    "draw_joint_fit",
    "draw_protocol",
    "draw_run",
    "draw_schedule",
    "excess_over_duration",
    "images",
    "means",
    "side_by_side",
]

draw.register(Convergence, draw_convergence)
draw.register(Fit, draw_fit)
draw.register(JointFit, draw_joint_fit)
draw.register(Run, draw_run)
draw.register(Protocol, draw_protocol)
draw.register(Schedule, draw_schedule)
