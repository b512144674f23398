"""CIF text from a crystal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from superionic.structures.disordered import DisorderedStructure

SITE_LABEL = "_superionic_site_label"
"""CIF column of the label that equivalent sites share; ``_atom_site_label`` must be unique."""


def format_cif(crystal: DisorderedStructure, title: str = "superionic") -> str:
    """Return CIF text in P1: every site listed, occupancies and site labels kept.

    ``_atom_site_label`` must be unique in a CIF, so it is numbered; the shared site label goes to
    ``_superionic_site_label``, which `parse_cif` reads back.
    """
    from ase.cell import Cell

    a, b, c, alpha, beta, gamma = (f"{x:.10g}" for x in Cell(crystal.cell).cellpar())
    amounts = crystal.composition
    formula = " ".join(f"{s}{x:.6g}" for s, x in amounts.items())
    lines = [
        f"data_{re.sub(r'[^A-Za-z0-9_.-]', '_', title)}",
        f"_chemical_formula_sum '{formula}'",
        *(f"_cell_length_{k} {v}" for k, v in zip("abc", (a, b, c), strict=True)),
        f"_cell_angle_alpha {alpha}",
        f"_cell_angle_beta {beta}",
        f"_cell_angle_gamma {gamma}",
        "_space_group_name_H-M_alt 'P 1'",
        "_space_group_IT_number 1",
        "loop_",
        "_space_group_symop_operation_xyz",
        "'x, y, z'",
        "loop_",
        "_atom_site_label",
        "_atom_site_type_symbol",
        "_atom_site_fract_x",
        "_atom_site_fract_y",
        "_atom_site_fract_z",
        "_atom_site_occupancy",
        SITE_LABEL,
    ]
    counts: dict[str, int] = {}
    for point, occupancy, label in zip(
        crystal.fractional, crystal.occupancies, crystal.labels, strict=True
    ):
        xyz = " ".join(f"{v:.12f}" for v in point)
        for symbol, share in occupancy.items():
            counts[symbol] = counts.get(symbol, 0) + 1
            unique = f"{symbol}_{counts[symbol]}"
            lines.append(f"{unique} {symbol} {xyz} {share:.10g} {_quoted(label)}")
    return "\n".join(lines) + "\n"


def _quoted(label: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9+*/.()-]+", label):
        return label
    return f'"{label}"' if "'" in label else f"'{label}'"
