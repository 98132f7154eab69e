"""Energy accounts of a ledger: which ones to keep, and which ones a motion has."""

from __future__ import annotations

from ktc import _core
from ktc._base.validation import known_keywords, told

#: The terms of the first law.
FIRST_LAW = ("work", "heat", "source", "injected", "shadow")
#: Heat less what noise generators and active elements supply, where they are not told apart.
NET_HEAT = "net_heat"
TOGETHER = (
    "heat and what noise generators or active elements supply are not told apart by exact motion; "
    "take net_heat, their difference, or make the emulator with resolve_heat=True, which active "
    "elements do not allow"
)


def account_names(accounts: object) -> tuple[str, ...] | None:
    """The accounts that a user names, each once; None for all."""
    if accounts is None:
        return None
    given = [accounts] if isinstance(accounts, str) else accounts
    if not isinstance(given, (list, tuple, set, frozenset)) or not all(
        isinstance(name, str) for name in given
    ):
        raise TypeError(
            f"accounts must be a name or several, such as ('work', 'heat'), but is {told(accounts)}"
        )
    names = tuple(dict.fromkeys(given))
    known_keywords(names, (*_core.ACCOUNTS, NET_HEAT), "account")
    return names


def accounts_to_keep(
    names: tuple[str, ...] | None, motion: str, noisy: bool
) -> tuple[str, ...] | None:
    """``names``, if this motion has these accounts, of a network that is ``noisy`` or not."""
    netted = motion == "driven" and noisy
    for name in names or ():
        if netted and name in ("heat", "injected"):
            raise ValueError(f"accounts has {name!r}, but {TOGETHER}")
        if name == NET_HEAT and not netted:
            raise ValueError("accounts has 'net_heat', which is heat − injected here: name these")
        if name != NET_HEAT and name not in _core.accounts_of(motion):
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
