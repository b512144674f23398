"""Levels of theory in words, with citations, for the methods section of a paper."""

from __future__ import annotations

from superionic.workflows.theory import CONTINUUM, get_theory
from superionic.workflows.theory_calculators import PYSCF_BASIS

SOFTWARE = (
    "All computations were run with superionic on structures handled by ASE [@ase2017], with "
    "symmetry from spglib [@spglib2024]."
)
JUDGED = "The claim of the paper was judged by a rule that was fixed before the run."
SEVERAL_JUDGED = "The claims of the paper were judged by rules that were fixed before the run."

_MODELS = {
    "chgnet-0.3.0": "the CHGNet 0.3.0 interatomic potential [@chgnet2023], trained on PBE [@pbe]",
    "chgnet-r2scan": "the CHGNet interatomic potential [@chgnet2023], trained on r2SCAN",
    "sevennet-0": "the SevenNet-0 interatomic potential [@sevennet2024], trained on PBE [@pbe]",
    "sevennet-l3i5": "the SevenNet-l3i5 interatomic potential [@sevennet2024], trained on PBE "
    "[@pbe]",
    "gfn1-xtb": "GFN1-xTB [@gfn1; @xtb2021], spin-polarised where electrons are unpaired [@spgfn]",
    "gfn2-xtb": "GFN2-xTB [@gfn2; @xtb2021], spin-polarised where electrons are unpaired [@spgfn]",
    "pyscf-pbe": f"PBE [@pbe] in the {PYSCF_BASIS} basis [@def2] with PySCF [@pyscf2020]",
    "emt": "effective medium theory",
    "lj": "a Lennard-Jones potential",
}
_DISPERSIONS = {"d2": "D2 [@d2]", "d3bj": "D3(BJ) [@d3; @d3bj]", "d4": "D4 [@d4]"}


def theory_in_words(name: str) -> str:
    """Return a level of theory in words.

    Parameters
    ----------
    name
        Such as ``chgnet-0.3.0+d3bj`` or ``gfn1-xtb@eps7.5``.

    Raises
    ------
    TheoryError
        There is no such level.
    """
    level = get_theory(name)
    words = _MODELS[level.base.partition(CONTINUUM)[0]]
    if level.permittivity is not None:
        words += (
            f" in a polarisable continuum (C-PCM [@cpcm]) of permittivity {level.permittivity:g}"
        )
    if level.dispersion:
        functional = level.dispersion_functional.upper()
        words += f", with {_DISPERSIONS[level.dispersion]} dispersion for {functional}"
    return words


def theories_in_words(names: tuple[str, ...]) -> str:
    """Return several levels of theory as one list, those that differ by dispersion together."""
    groups: dict[str, list[str]] = {}
    for name in names:
        level = get_theory(name)
        groups.setdefault(level.base, []).append(level.dispersion)
    told = []
    for bare, dispersions in groups.items():
        added = [_DISPERSIONS[d] for d in dispersions if d]
        words = theory_in_words(bare)
        if added:
            also = "by itself and " if "" in dispersions else ""
            words += f" ({also}with {', '.join(added)})"
        told.append(words)
    return "; ".join(told)
