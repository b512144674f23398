"""Which site of a force field an atom is: stated rules on elements and bonded neighbours.

A site is a row's name in ``forcefields/atoms.csv``, such as ``ether-CH2``. The rules look at the
bonds only, never at distances, so they hold for any geometry; what no rule covers has no site.

- Ether O: two bonds, both to C. C beside it: ``ether-CH3`` with three H, ``ether-CH2`` with two H
  and one C. H on either: ``ether-H``.
- Hydroxyl O: two bonds, to C and H. The C beside it has two H and one C more: ``hydroxyl-CH2``,
  its H are ``alkane-H``. Only at the end of an ether chain or of a glycol.
- Nitrile N: one bond, to a C with two bonds (``nitrile-C``). The CH2 beside that C is
  ``nitrile-CH2``, its H ``nitrile-H``. An ether O beside the same CH2 is not covered.
- Alkane C: CH3 or CH2 bonded to H and saturated C only; H on it: ``alkane-H``.
- TFSI: S with two O, one N and one C; N between two such S; C with three F and such an S.
- PF6: P with six F and nothing else.
- Li+, Na+: no bond, and a molecule of one atom with charge +1.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from superionic.structures.molecule import Molecule, Neighbours

CATIONS = ("Li", "Na")

LIGANDS = {
    "ether-O": ("O", {"C": 2}),
    "hydroxyl-O": ("O", {"C": 1, "H": 1}),
    "ether-CH3": ("C", {"O": 1, "H": 3}),
    "ether-CH2": ("C", {"O": 1, "C": 1, "H": 2}),
    "alkane-CH3": ("C", {"C": 1, "H": 3}),
    "alkane-CH2": ("C", {"C": 2, "H": 2}),
    "nitrile-N": ("N", {"C": 1}),
    "nitrile-C": ("C", {"C": 1, "N": 1}),
    "TFSI-S": ("S", {"O": 2, "N": 1, "C": 1}),
    "TFSI-N": ("N", {"S": 2}),
    "TFSI-C": ("C", {"F": 3, "S": 1}),
    "TFSI-O": ("O", {"S": 1}),
    "PF6-P": ("P", {"F": 6}),
}
"""Element and bonded neighbours of each site, before its neighbours are checked in turn."""

NEXT_TO = {
    "alkane-CH2": {"nitrile-C": "nitrile-CH2"},
    "ether-CH2": {"hydroxyl-O": "hydroxyl-CH2"},
}
"""Sites that one bonded site turns into another."""

BESIDE = {
    "ether-O": {"ether-CH3", "ether-CH2"},
    "ether-CH3": {"ether-O"},
    "ether-CH2": {"ether-O", "ether-CH2", "hydroxyl-CH2", "alkane-CH3", "alkane-CH2"},
    "hydroxyl-O": {"hydroxyl-CH2"},
    "hydroxyl-CH2": {"hydroxyl-O", "hydroxyl-CH2", "ether-CH2"},
    "alkane-CH3": {"alkane-CH3", "alkane-CH2", "ether-CH2", "nitrile-CH2"},
    "alkane-CH2": {"alkane-CH3", "alkane-CH2", "ether-CH2", "nitrile-CH2"},
    "nitrile-N": {"nitrile-C"},
    "nitrile-C": {"nitrile-N", "nitrile-CH2"},
    "nitrile-CH2": {"nitrile-C", "nitrile-CH2", "alkane-CH3", "alkane-CH2"},
    "TFSI-S": {"TFSI-O", "TFSI-N", "TFSI-C"},
    "TFSI-N": {"TFSI-S"},
    "TFSI-C": {"TFSI-S"},
    "TFSI-O": {"TFSI-S"},
    "PF6-P": set[str](),
}
"""What else than H and F may be bonded to a site."""

ON = {
    "H": {
        "ether-CH3": "ether-H", "ether-CH2": "ether-H", "hydroxyl-O": "hydroxyl-H",
        "hydroxyl-CH2": "alkane-H", "alkane-CH3": "alkane-H", "alkane-CH2": "alkane-H",
        "nitrile-CH2": "nitrile-H",
    },
    "F": {"TFSI-C": "TFSI-F", "PF6-P": "PF6-F"},
}  # fmt: skip
"""Sites of H and F, which have one bond, by the site that they are bonded to."""


def sites_of(molecule: Molecule) -> tuple[str | None, ...]:
    """Return the site of each atom of a molecule, None where no rule covers it.

    Parameters
    ----------
    molecule
        With its bonds.
    """
    symbols = molecule.symbols
    if len(symbols) == 1:
        ion = symbols[0] in CATIONS and molecule.charge == 1
        return (f"{symbols[0]}+" if ion else None,)
    near = molecule.neighbours
    sites = [_by_ligands(k, symbols, near) for k in range(len(symbols))]
    for k, site in enumerate(sites):
        for beside, then in NEXT_TO.get(site or "", {}).items():
            if any(sites[n] == beside for n in near[k]):
                sites[k] = then
    for k, symbol in enumerate(symbols):
        if symbol in ON and len(near[k]) == 1:
            sites[k] = ON[symbol].get(sites[near[k][0]] or "")
    return tuple(_checked(k, sites, near, symbols) for k in range(len(symbols)))


def _by_ligands(k: int, symbols: tuple[str, ...], near: Neighbours) -> str | None:
    ligands = Counter(symbols[n] for n in near[k])
    for site, (element, wanted) in LIGANDS.items():
        if symbols[k] == element and ligands == wanted:
            return site
    return None


def _checked(
    k: int, sites: list[str | None], near: Neighbours, symbols: tuple[str, ...]
) -> str | None:
    """Return a site, or None where something that the rules do not know is bonded to it."""
    site = sites[k]
    if site is None or symbols[k] in ON:
        return site
    others = {sites[n] for n in near[k] if symbols[n] not in ON}
    return site if others <= BESIDE[site] else None
