"""Energy accounts of a ledger: which ones to keep, and which ones a motion has."""

from __future__ import annotations

from collections.abc import Iterable

from ktc import _core
from ktc._base.validation import known_keywords

#: The terms of the first law.
FIRST_LAW = ("work", "heat", "source", "injected", "shadow")


def accounts_to_keep(accounts: object, motion: str) -> tuple[str, ...] | None:
    """The accounts to keep, each name once; None keeps all accounts of the motion."""
    if accounts is None:
        return None
    if isinstance(accounts, bytes) or not isinstance(accounts, Iterable):
        raise TypeError(
            f"accounts must be a name or several, such as ('work', 'heat'), but is {accounts!r}"
        )
    names = (accounts,) if isinstance(accounts, str) else tuple(dict.fromkeys(accounts))
    known_keywords(names, _core.ACCOUNTS, "account")
    for name in names:
        if name not in _core.accounts_of(motion):
            raise ValueError(
                f"accounts has {name!r}, which this motion does not tell apart; make the "
                "emulator with resolve_heat=True"
            )
    return names


def require_kept(name: str, accounts: tuple[str, ...] | None, what: str = "") -> None:
    """Refuse to read an account that is not kept."""
    if accounts is not None and name not in accounts:
        raise ValueError(
            f"{what or name} needs the account of {name}, which this emulator does not keep; make "
            f"it with accounts={(*accounts, name)!r}, or without accounts for all"
        )
