"""SMILES read: one part to embed and single ions beside it, or why it is no possible molecule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from superionic.structures.errors import InvalidStructureError


@dataclass(frozen=True, eq=False)
class SmilesParts:
    """What a SMILES asks for: one polyatomic part (or atom) and single ions beside it."""

    smiles: str
    host: Any
    ions: tuple[tuple[str, int], ...]
    charge: int
    radicals: int
    note: str


def parts_of_smiles(smiles: str, charge: int | None) -> SmilesParts:
    """Parse a SMILES and find out what to embed.

    Raises
    ------
    InvalidStructureError
        It does not parse, or has a charge that was not declared.
    """
    from rdkit import Chem, rdBase

    text = smiles.strip()
    with rdBase.BlockLogs():
        graph = Chem.MolFromSmiles(text) if text else None
        if graph is None or graph.GetNumAtoms() == 0:
            raise InvalidStructureError(_why_unparsed(text))
        if any(atom.GetAtomicNum() == 0 for atom in graph.GetAtoms()):
            raise InvalidStructureError(
                f"The SMILES {text!r} has an open valence (*). Name the atom that ends it."
            )
        parts = Chem.GetMolFrags(graph, asMols=True)
        canonical = Chem.MolToSmiles(graph)
    total = sum(formal_charge(part) for part in parts)
    if charge is None and total and len(parts) > 1:
        raise InvalidStructureError(
            f"The parts of {text!r} carry {total:+d} e together; expected a neutral salt. Correct "
            f"the SMILES, or declare the charge: charge={total}."
        )
    if charge is not None and charge != total:
        raise InvalidStructureError(
            f"The SMILES {text!r} carries {total:+d} e, but charge={charge} was declared. Write "
            "the charges into the SMILES, as in [N-] or [Li+]."
        )
    host, ions = _host_and_ions(parts, text)
    with rdBase.BlockLogs():
        free = sum(1 for _, tag in Chem.FindMolChiralCenters(host, includeUnassigned=True)
                   if tag == "?")  # fmt: skip
        full = Chem.AddHs(host)
    return SmilesParts(
        smiles=canonical,
        host=full,
        ions=ions,
        charge=total,
        radicals=sum(a.GetNumRadicalElectrons() for part in parts for a in part.GetAtoms()),
        note=f"{free} stereocentre(s) left open by the SMILES, set by the seed." if free else "",
    )


def _why_unparsed(text: str) -> str:
    """Return the message for a SMILES that RDKit refuses."""
    from rdkit import Chem

    loose = Chem.MolFromSmiles(text, sanitize=False) if text else None
    if not text or (loose is not None and loose.GetNumAtoms() == 0):
        return "Expected a SMILES such as 'N#CCCC#N'; got an empty one."
    if loose is None:
        return (
            f"{text!r} is not a SMILES: its syntax is broken (an unclosed ring or bracket, or a "
            "word that is no atom). Expected text such as 'N#CCCC#N'."
        )
    problems = [p.Message() for p in Chem.DetectChemistryProblems(loose)]
    return f"The SMILES {text!r} is no possible molecule: {'; '.join(problems) or 'not valid'}."


def formal_charge(graph: Any) -> int:
    """Return the sum of formal charges of an RDKit molecule in e."""
    return int(sum(atom.GetFormalCharge() for atom in graph.GetAtoms()))


def _host_and_ions(parts: Any, text: str) -> tuple[Any, tuple[tuple[str, int], ...]]:
    """Choose the part to embed; the others must be single ions."""
    if len(parts) == 1:
        return parts[0], ()
    order = sorted(range(len(parts)), key=lambda k: (-_size(parts[k]), formal_charge(parts[k]), k))
    host, rest = parts[order[0]], [parts[k] for k in sorted(order[1:])]
    large = [part for part in rest if _size(part) > 1]
    neutral = [part for part in rest if _size(part) == 1 and not formal_charge(part)]
    if large or neutral:
        raise InvalidStructureError(
            f"{text!r} has {len(parts)} parts; expected one molecule or polyatomic ion with "
            "single ions such as [Li+] beside it. Build the others each by itself."
        )
    ions = [(part.GetAtomWithIdx(0).GetSymbol(), formal_charge(part)) for part in rest]
    return host, tuple(ions)


def _size(graph: Any) -> int:
    """Return the number of atoms, implicit hydrogen included."""
    return int(sum(1 + atom.GetTotalNumHs() for atom in graph.GetAtoms()))
