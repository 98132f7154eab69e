"""Fits in files: what is saved of a fit, and how one is made of it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from numpy.typing import ArrayLike

from ktc._base.codec import register
from ktc._base.validation import count, of_shape, random_seed
from ktc._learning.center import learnable
from ktc._learning.fit import Fit
from ktc._model.description import Described


def _parts(fit: Fit) -> dict[str, object]:
    """Arguments of a fit, but for its device; the learned parameters by names and masks."""
    kept = {one.name: getattr(fit, one.name) for one in fields(fit) if one.name != "device"}
    learned = kept.pop("learned")
    names, mask, values = learned.names, learned.masks, learned.values
    return {**kept, "names": names, "mask": mask, "values": values}


def _made(
    start: Described,
    names: tuple[str, ...],
    mask: Mapping[str, ArrayLike] | None,
    values: Mapping[str, float] | None = None,
    **others: Any,
) -> Fit:
    fit = Fit(start=start, learned=learnable(start, names, mask, values), **others)
    units, size = start.network.units, fit.learned.size
    count("batch", 1 if fit.batch is None else fit.batch, most=count("samples", fit.samples))
    random_seed(fit.seed)
    fit.history.require(units, size, fit.duration)
    fit.readings.require(units, size)
    fit.start.network.common_kT  # noqa: B018  # raises where there is none
    if set(fit.hidden.tolist()) - set(range(units)):
        raise ValueError(f"hidden must be numbers of {units} units")
    of_shape("data_forces", fit.data_forces, size)
    of_shape("data_mean", fit.data_mean, units - len(fit.hidden))
    if fit.scatter is not None:
        visible = units - len(fit.hidden)
        of_shape("scatter", fit.scatter, visible, visible)
    if fit.batch_scatter is not None:
        of_shape("batch_scatter", fit.batch_scatter, size, size)
    return fit


register(Fit, _parts, _made)
