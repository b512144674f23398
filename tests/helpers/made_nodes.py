"""Adsorption at nodes that was never computed, for tests of verdicts, figures and reports."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from superionic.analysis.node_binding import (
    Contact,
    LevelValue,
    NodeAdsorption,
    NodeStart,
    NodeStartState,
)
from superionic.structures.beside import joined
from superionic.structures.clusters import build_node
from superionic.structures.molecule import Molecule
from superionic.structures.molecules import reference_molecule
from superionic.workflows.node_screen import FreeEnergy, NodeScreen
from superionic.workflows.node_settings import node_name, parse_metals

THEORY, WET = "gfn1-xtb", "gfn1-xtb@eps7.5"
NINE = ("Fe3", "Co3", "Ni3", "Mn3", "Cu3", "Fe2Ni", "Fe2Co", "Fe2Mn", "Co2Ni")


def start(
    key: str,
    value: float | None,
    *,
    mode: str = "O",
    site: str = "Fe1",
    state: NodeStartState | None = None,
    reason: str = "",
) -> NodeStart:
    """One start; converged where it has a value."""
    donors = tuple(mode.split(" ", maxsplit=1)[0].split(",")) if mode else ()
    return NodeStart(
        key=key,
        site=site,
        start_mode=mode.split(" ", maxsplit=1)[0],
        state=state or ("converged" if value is not None else "cap-hit"),
        reason=reason or ("" if value is not None else "force 0.080 eV/A after 400 steps"),
        scf_converged=state != "failed",
        adsorption_energy_eV=value,
        mode=mode if value is not None else "",
        held_by=f"Fe {mode}" if value is not None else "",
        denticity=len(donors) if value is not None else 0,
        contacts=(Contact(site, donors, tuple(2.1 for _ in donors)),) if value is not None else (),
        fmax_eV_per_A=0.02 if value is not None else 0.08,
        force_calls=120,
    )


def adsorption(
    node: str,
    energies: Mapping[str, float],
    *,
    wet_shift: float | None = 1.2,
    adsorbate: str = "TFSI-",
    charge: int = -1,
) -> NodeAdsorption:
    """Adsorption with one converged start for each mode, in a continuum too if there is a shift."""
    metals = parse_metals(node)
    starts = tuple(
        start(f"start {mode}-{k}", value, mode=mode, site=f"{metals[0]}1")
        for k, (mode, value) in enumerate(energies.items())
    )
    values = [LevelValue(THEORY, s.key, s.adsorption_energy_eV or 0.0) for s in starts]
    if wet_shift is not None:
        values += [LevelValue(WET, v.start, v.adsorption_energy_eV + wet_shift) for v in values]
    return NodeAdsorption(
        node=node,
        metals=metals,
        node_formula="C6H6Fe2NiO13",
        cap="formate",
        adsorbate=adsorbate,
        charge=charge,
        spin_multiplicity=13,
        node_charge=0,
        node_spin_multiplicity=13,
        theory=THEORY,
        verdict="converged",
        reason="",
        starts=(*starts, start("start capped", None)),
        values=tuple(values),
    )


def without_value(node: str, *, adsorbate: str = "TFSI-") -> NodeAdsorption:
    """Adsorption of which every start hit the cap."""
    metals = parse_metals(node)
    return NodeAdsorption(
        node=node,
        metals=metals,
        node_formula="C6H6Fe2NiO13",
        cap="formate",
        adsorbate=adsorbate,
        charge=-1,
        spin_multiplicity=13,
        node_charge=0,
        node_spin_multiplicity=13,
        theory=THEORY,
        verdict="unconverged",
        reason="No start has a value: cap-hit.",
        starts=(start("start capped", None),),
    )


def free(name: str, energy_eV: float) -> FreeEnergy:
    """A part by itself."""
    molecule = reference_molecule(name) if name not in NINE else _node(name)
    energies = {THEORY: energy_eV, WET: energy_eV - 0.4}
    return FreeEnergy(molecule, energies, {}, 0.02, "as built")


def _node(name: str) -> Molecule:
    return build_node(parse_metals(name), cap="formate", charge=0).molecule


def screen(results: tuple[NodeAdsorption, ...]) -> NodeScreen:
    """A screen of given results; a pair in free space is bound by 5.8 eV, in a continuum by 5.4."""
    complexes = {}
    for one in results:
        if one.theories:
            node = build_node(one.metals, cap="formate", charge=0)
            guest = reference_molecule({"TFSI-": "tfsi", "NaTFSI": "natfsi", "Na+": "na+"}[
                one.adsorbate
            ])  # fmt: skip
            away = guest.positions + np.array([12.0, 0.0, 0.0])
            complexes[f"{one.node} {one.adsorbate}"] = joined(node.molecule, guest, away)
    guests = {"TFSI-": free("tfsi", -100.0), "Na+": free("na+", -5.0),
              "NaTFSI": free("natfsi", -110.8)}  # fmt: skip
    return NodeScreen(
        adsorptions=results,
        nodes={name: free(name, -2000.0) for name in dict.fromkeys(r.node for r in results)},
        guests=guests,
        complexes=complexes,
    )


def nine(**changed: float) -> tuple[NodeAdsorption, ...]:
    """The nine nodes as the paper ranks them; energies in eV can be changed by name."""
    energies = dict.fromkeys(NINE, -2.0) | {"Fe3": -1.0, "Ni3": -1.2, "Fe2Ni": -3.0} | changed
    return tuple(
        adsorption(node_name(parse_metals(n)), {"O": e, "O,O ring 6": e + 0.05})
        for n, e in energies.items()
    )
