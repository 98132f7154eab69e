"""All works, by name, in the order in which they run."""

from __future__ import annotations

from benchmarks import (
    controller,
    driven,
    inference,
    linear,
    normals,
    quartic,
    scaling,
    spice,
    starting,
    trap,
)
from benchmarks.work import Work

WORKS: dict[str, Work] = {
    work.name: work
    for work in (
        trap.WORK,
        normals.WORK,
        linear.WORK,
        driven.WORK,
        quartic.WORK,
        inference.WORK,
        spice.WORK,
        controller.WORK,
        scaling.REPLICAS,
        scaling.SPARSE,
        starting.WORK,
    )
}
