"""The .cell file of a CASTEP run, for what its output does not keep: the order of the atoms."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def cell_order(path: Path, symbols: Sequence[str]) -> tuple[list[int], str]:
    """Return where each atom of a .cell file stands in CASTEP's output, and a remark.

    CASTEP groups atoms by species, in each of which they keep their order.

    Parameters
    ----------
    path
        The .cell file; where it is missing or names other atoms, the output's order is kept and
        the remark says so.
    symbols
        Chemical symbols in the order of the output.
    """
    wanted = cell_symbols(path)
    if wanted is None:
        return list(range(len(symbols))), "" if not path.is_file() else (
            f"{path.name} cannot be read: atoms are in CASTEP's order"
        )
    if sorted(wanted) != sorted(symbols):
        return list(range(len(symbols))), (
            f"{path.name} holds other atoms than the output: atoms are in CASTEP's order"
        )
    places: dict[str, list[int]] = defaultdict(list)
    for k, symbol in enumerate(symbols):
        places[symbol].append(k)
    taken: dict[str, int] = defaultdict(int)
    order = []
    for symbol in wanted:
        order.append(places[symbol][taken[symbol]])
        taken[symbol] += 1
    return order, ""


def cell_symbols(path: Path) -> list[str] | None:
    """Return the chemical symbols of a .cell file in its order, or None if it cannot be read."""
    from castep_outputs.parsers.cell_param_file_parser import parse_cell_file

    if not path.is_file():
        return None
    try:
        data: Any = parse_cell_file(path)
    except Exception:  # a file that a person wrote can be wrong in any way
        return None
    for block in ("positions_frac", "positions_abs"):
        for part in data:
            if block in part:
                keys = [key for key in part[block] if isinstance(key, tuple)]
                return [str(species).split(":")[0].capitalize() for species, _ in keys]
    return None
