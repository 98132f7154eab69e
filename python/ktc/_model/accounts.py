"""Which energy accounts books keep."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ktc._base.validation import known_keywords

#: What every motion has; sources, generators and shadow are zero for exact moves.
ALWAYS = ("work", "heat", "supply", "source", "injected", "shadow")
#: What the splitting integrator tells apart.
ITEMISED = ("entropy_flow", "heat_per_resistor")
#: What the first law is made of.
FIRST_LAW = ("work", "heat", "source", "injected", "shadow")


def accounts_to_keep(accounts: Sequence[str] | str | None, motion: str) -> tuple[str, ...] | None:
    """``accounts`` as names, each once; None keeps all that the motion has.

    Raises:
        TypeError: a name that no account has.
        ValueError: an account that this motion does not have.
    """
    if accounts is None:
        return None
    if isinstance(accounts, bytes) or not isinstance(accounts, Iterable):
        raise TypeError(
            f"accounts must be a name or several, such as ('work', 'heat'), but is {accounts!r}"
        )
    names = (accounts,) if isinstance(accounts, str) else tuple(dict.fromkeys(accounts))
    known_keywords(names, (*ALWAYS, *ITEMISED), "account")
    for name in names:
        itemised = motion == "split" or (motion == "pooled" and name == "entropy_flow")
        if name in ITEMISED and not itemised:
            raise ValueError(
                f"accounts has {name!r}, which this motion does not tell apart; make the "
                "emulator with resolve_heat=True"
            )
    return names


def require_kept(name: str, accounts: tuple[str, ...] | None, what: str = "") -> None:
    """Refuses to read an account that is not kept.

    Args:
        name: the account.
        accounts: what is kept; None for all.
        what: is read of it; the account itself where empty.

    Raises:
        ValueError: with the accounts to ask for.
    """
    if accounts is not None and name not in accounts:
        raise ValueError(
            f"{what or name} needs the account of {name}, which this emulator does not keep; make "
            f"it with accounts={(*accounts, name)!r}, or without accounts for all"
        )
