"""`superionic mof`: one metal node, or adsorption at the nodes of many metals."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import typer

from superionic.analysis.node_binding import SIGN_CONVENTION
from superionic.workflows.commands.console import (
    Cell,
    chatter_to_stderr,
    emit_json,
    emit_table,
    note,
    plain,
    say,
)
from superionic.workflows.commands.folders import claim_folder, flattened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from superionic.analysis.figures.style import FigureData
    from superionic.analysis.node_binding import NodeAdsorption
    from superionic.workflows.node_screen import NodeScreen
    from superionic.workflows.node_settings import Guest, NodeSettings

TABLE = "screen.csv"
FIGURE = "screen"


def write_node(
    words: Sequence[str],
    *,
    cap: str,
    water: bool,
    states: str | None,
    charge: int | None,
    multiplicity: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Build a node, write it and say what it is."""
    from superionic.workflows.commands import clusters
    from superionic.workflows.node_settings import parse_metals

    request = clusters.ClusterRequest(
        metals=parse_metals(" ".join(words)),
        cap=cap,
        water=water,
        states=clusters.parse_states(states),
        charge=charge,
        multiplicity=multiplicity,
        distances_ang={},
        source=None,
        metal=None,
        terminal="remove",
    )
    clusters.write(request, out=out, as_json=as_json)


@dataclass(frozen=True)
class ScreenRequest:
    """What `superionic mof screen` was asked for.

    Attributes
    ----------
    metals : str
        Nodes, separated by commas.
    cap : str
        What ends the carboxylates.
    charge : int
        Of every bare node, in e.
    adsorbates, modes : tuple of str
        What adsorbs, and through which atoms.
    theory : str
        Level of the geometries.
    levels : tuple of str
        Single points beside it.
    starts, keep, max_steps, seed : int
        As in `NodeSettings`.
    every_ion : bool
        Sites by oxidation state.
    fmax_eV_per_A : float
        Residual force.
    """

    metals: str
    cap: str
    charge: int
    adsorbates: tuple[str, ...]
    modes: tuple[str, ...]
    theory: str
    levels: tuple[str, ...]
    starts: int
    keep: int
    every_ion: bool
    fmax_eV_per_A: float
    max_steps: int
    seed: int

    def settings(self) -> NodeSettings:
        """Return how adsorption is found."""
        from superionic.workflows.node_settings import NodeSettings
        from superionic.workflows.relax import RelaxSettings

        relax = RelaxSettings(self.fmax_eV_per_A, self.max_steps, rattle_ang=0.03)
        return NodeSettings(
            relax=relax,
            starts=self.starts,
            sites="ions" if self.every_ion else "elements",
            keep=self.keep,
            levels=self.levels,
            seed=self.seed,
        )

    def guests(self) -> tuple[Guest, ...]:
        """Return what adsorbs, TFSI- in the shape that fits each mode."""
        return tuple(_guest(name, self.modes) for name in self.adsorbates)


def _guest(name: str, modes: Sequence[str]) -> Guest:
    """Return an adsorbate with the modes that it has."""
    from superionic.structures.errors import AdsorptionError
    from superionic.structures.molecules import find_molecule
    from superionic.structures.node_seats import binding_modes, canonical_mode
    from superionic.workflows.node_settings import Guest

    one = find_molecule(name)
    names = ["tfsi-trans", "tfsi-cis"] if one.name in ("tfsi-trans", "tfsi-cis") else [name]
    shapes: dict[str, tuple[str, ...]] = {}
    left = [canonical_mode(m) for m in modes]
    for shape in names:
        known = binding_modes(find_molecule(shape))
        wanted = left or [m for m in ("O", "O,O") if m in known] or list(known)[:2]
        if len(names) > 1 and not modes:
            wanted = ["O"] if shape == "tfsi-trans" else ["O,O"]
        shapes[shape] = tuple(m for m in wanted if m in known)
    lacking = sorted(set(left) - {m for found in shapes.values() for m in found})
    if lacking:
        raise AdsorptionError(
            f"{name} cannot bind through {' or '.join(lacking)}; it can through "
            f"{'; '.join(binding_modes(one))}. Correct --mode."
        )
    label = "TFSI-" if len(names) > 1 else one.name
    if not re.fullmatch(r"[\w+-]+", label):  # a SMILES is no label
        label = one.formula + ("+" if one.charge > 0 else "-") * abs(one.charge)
    return Guest(label=label, shapes=shapes)


def _stem(*words: str) -> str:
    """Return words as a file name."""
    return "-".join(re.sub(r"\W+", "", word) for word in words)


def run(
    request: ScreenRequest, *, out: Path, workers: int | None, progress: bool, as_json: bool
) -> None:
    """Find adsorption energies, write them out and say what was found.

    Leaves with exit code 1 unless every node has a value.
    """
    from superionic.workflows.execution import Run
    from superionic.workflows.node_energies import check_screen, run_screen
    from superionic.workflows.node_settings import named_nodes

    with chatter_to_stderr():
        settings, guests = request.settings(), request.guests()
        wanted = [word for word in request.metals.split(",") if word.strip()]
        nodes = named_nodes(wanted, cap=request.cap, charge=request.charge)
        check_screen(nodes, guests, theory=request.theory, settings=settings)
        asked = flattened("screen", plain(asdict(request)))
        folder = claim_folder(out, "mof screen", asked)
        with Run(folder, workers=workers, progress=progress):
            found = run_screen(nodes, guests, theory=request.theory, settings=settings)
        _write(found, folder)
    if as_json:
        emit_json([row(one) for one in found.adsorptions])
    else:
        _show(found, folder)
    for one in found.adsorptions:
        for level, why in one.missing:
            note(f"note: {one.adsorbate} at {one.node}, {level}: no value ({why})")
    lacking = [one for one in found.adsorptions if one.adsorption_energy_eV is None]
    if lacking:
        note("error: no value: " + "; ".join(f"{o.adsorbate} at {o.node}: {o.reason}"
                                             for o in lacking))  # fmt: skip
        raise typer.Exit(1)


def row(result: NodeAdsorption) -> dict[str, Any]:
    """Return a result as plain JSON values."""
    best = result.best()
    found: dict[str, Any] = {
        "sign_convention": SIGN_CONVENTION,
        "adsorption_energy_eV": result.adsorption_energy_eV,
        "best_start": best.start if best else None,
        "converged_starts": result.converged_starts,
        "relaxed_starts": result.relaxed_starts,
        "spread_eV": result.spread_eV,
        "modes": result.modes,
        **asdict(result),
    }
    return {name: plain(value) for name, value in found.items()}


def _data(found: NodeScreen) -> FigureData:
    from superionic.analysis.figures.adsorption_screen import adsorption_screen_data

    return adsorption_screen_data(found.adsorptions, fidelity="")


def _write(found: NodeScreen, folder: Path) -> None:
    """Write the table, a figure for each adsorbate, and the lowest complexes."""
    from superionic.analysis.figures.adsorption_screen import (
        adsorption_screen,
        adsorption_screen_data,
    )
    from superionic.analysis.figures.style import save_figure
    from superionic.structures.molecules import write_molecule
    from superionic.workflows.serialise import encode, write_bytes_atomic, write_json_atomic

    write_bytes_atomic(folder / TABLE, _data(found).to_csv().encode())
    write_json_atomic(folder / "screen.json", encode(found))
    for label in dict.fromkeys(one.adsorbate for one in found.adsorptions):
        mine = found.of(label)
        if any(one.theories for one in mine):
            save_figure(
                adsorption_screen(mine, fidelity=mine[0].theory),
                folder / _stem(FIGURE, label),
                adsorption_screen_data(mine, fidelity=""),
            )
    for key, molecule in found.complexes.items():
        write_molecule(molecule, folder / f"{_stem(*key.split(maxsplit=1))}.xyz")


def _show(found: NodeScreen, folder: Path) -> None:
    """Write the values and their evidence to standard output."""
    rows: list[list[Cell]] = []
    for one in found.adsorptions:
        for theory in one.theories or (one.theory,):
            best = one.best(theory)
            start = one.start(best.start) if best else None
            rows.append(
                [one.adsorbate, one.node, one.charge, one.spin_multiplicity, theory,
                 best.adsorption_energy_eV if best else None, start.site if start else None,
                 start.mode if start else None, start.scf_converged if start else None,
                 start.fmax_eV_per_A if start else None, one.converged_starts, one.spread_eV,
                 one.verdict]
            )  # fmt: skip
    emit_table(
        ["adsorbate", "node", "charge e", "2S+1", "theory", "E_ads eV", "site", "holds on by",
         "SCF converged", "fmax eV/A", "starts converged", "spread eV", "verdict"],
        rows,
    )  # fmt: skip
    say(SIGN_CONVENTION)
    say(f"{TABLE}, screen.json, figures and geometries are in {folder}")
