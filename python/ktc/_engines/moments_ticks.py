"""Updates and holds of exact moments, and what they book.

Heat of plain holds is −Δ⟨H⟩, as in exact moves; itemised, each account has its own integral, with
F P + P Fᵀ + D = 0 at the stationary P∞ and Δ = P + wwᵀ − P∞, w = m − z*:

    heat_r = g_r ∫⟨(d_r·∇H − e_r)²⟩ dt − kT_r g_r d_rᵀA d_r h
           = tr(Δ ∫e^{Fᵀt} W_r e^{Ft} dt) + g_r (2k_r (A d_r)·∫w dt + k_r² h) + power at P∞ · h

with W_r = g_r (A d_r)(A d_r)ᵀ and k_r the current's own force at rest. These carry the rounding of
what they are differences of, about 1e-16 kT_r g_r d_rᵀA d_r h: resolved heats of circuits whose
rates are more than four decades apart lose digits over long holds, and ``imbalance`` shows it.
"""

from __future__ import annotations

import numpy as np

from ktc._base.validation import Array
from ktc._engines.element_arrays import ElementArrays
from ktc._engines.moments_motion import Hold
from ktc._engines.moments_state import (
    ENTROPY,
    HEAT,
    HEATS,
    INJECTED,
    SOURCE,
    SUPPLY,
    WORK,
    Posts,
    Setting,
    State,
    advance,
)


def update(state: State, new: Setting, posts: Posts) -> None:
    """Change the controls; book work, ⟨H(θ′) − H(θ)⟩ = ½ tr[ΔK (P + mmᵀ)] − Δb·m."""
    old, state.setting = state.setting, new
    change = np.zeros(len(state.mean))
    change[: len(new.force)] = old.force - new.force
    work, form = change.dot(state.mean), None
    if new.motion is not old.motion:
        state.settled = False
        for tally in state.tallies.values():
            tally.catch_up()
        if new.motion.stiffness is not old.motion.stiffness:
            form = new.motion.hessian - old.motion.hessian
            pull = form.dot(state.mean)
            work += 0.5 * (pull.dot(state.mean) + (form * state.covariance).sum())
            change = change + pull
    if state.tallies and (form is not None or change.any()):
        for tally in state.tallies.values():
            tally.update(state.covariance, form, change)
    posts[WORK] = float(work)


def hold(state: State, moved: Hold, elements: ElementArrays, posts: Posts) -> None:
    """Move mean and covariance over a hold at held controls; book heat and supply."""
    setting, motion = state.setting, state.setting.motion
    mean, covariance = state.mean, state.covariance
    wound = mean - setting.rest
    after = setting.rest + moved.decay.dot(wound)
    later = covariance
    if not state.settled:
        later = moved.decay.dot(covariance).dot(moved.decay.T) + moved.covariance
        later = 0.5 * (later + later.T)
    step, d = after - mean, len(setting.bias)
    posts[SUPPLY] = supply = float(setting.bias.dot(step[:d]))
    if moved.lag is not None:
        _itemise(state, moved, elements, wound, posts)
    else:
        pull, force = motion.hessian.dot(0.5 * (mean + after)), setting.force
        pushed = supply if force is setting.bias else float(force.dot(step[: len(force)]))
        heat = pushed - float(pull.dot(step))
        if not state.settled:
            heat -= 0.5 * float((motion.hessian * (later - covariance)).sum())
        posts[HEAT] = heat
    if state.tallies:
        bias = None
        if setting.bias.any():
            bias = np.zeros(elements.rows)
            bias[:d] = setting.bias
        driven = setting.driven or len(elements.noise_density) > 0
        for tally in state.tallies.values():
            tally.hold(moved, covariance, later, bias)
            tally.closed = tally.closed and not driven
    state.mean, state.covariance = after, later
    advance(state, moved.duration)


def _itemise(
    state: State, moved: Hold, elements: ElementArrays, wound: Array, posts: Posts
) -> None:
    """Book every account by its own integral over the hold."""
    setting, motion = state.setting, state.setting.motion
    assert moved.lag is not None  # of itemised holds
    excess = np.outer(wound, wound)
    if not state.settled:
        excess += state.covariance - motion.stationary
    amounts = motion.swept(moved, excess) + motion.stationary_rates * moved.duration
    heats = amounts[: elements.accounts]
    if setting.driven:
        emf, current = setting.controls["emf"], setting.controls["current"]
        integral = moved.lag @ wound
        at_rest = motion.slopes @ setting.displacement - emf
        swept = motion.slopes @ integral
        heats = heats + elements.per_account(
            elements.conductance * at_rest * (2 * swept + at_rest * moved.duration)
        )
        source = -(emf * elements.conductance) @ (swept + at_rest * moved.duration)
        path = motion.hessian @ (integral + setting.displacement * moved.duration)
        source += current @ (elements.source_directions @ path[: elements.dimension])
        posts[SOURCE] = float(source)
    posts[HEATS], posts[HEAT] = heats, float(heats.sum())
    if len(elements.noise_density):
        injected = amounts[elements.accounts :].sum() + motion.white_rate * moved.duration
        posts[INJECTED] = float(injected)
    warm = motion.kT > 0
    posts[ENTROPY] = float(np.sum(heats[warm] / motion.kT[warm]))
