"""Adsorption at metal nodes as results: every start with what became of it, like beside like.

Sign convention, that of `superionic.analysis.binding_terms`: ``E_ads = E(node with adsorbate) -
E(node) - E(adsorbate)``; negative means bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from superionic.analysis.binding import strength
from superionic.analysis.estimate import html_table
from superionic.structures.errors import EvidenceError

SIGN_CONVENTION = (
    "E_ads = E(node with adsorbate) - E(node) - E(adsorbate), all at one level of theory; negative "
    "means bound."
)

NodeStartState = Literal["converged", "cap-hit", "broken", "desorbed", "failed", "screened-out"]
"""What became of one start. Only ``converged`` carries a value."""
NodeVerdict = Literal["converged", "unconverged", "failed"]
"""What became of an adsorption energy. Only ``converged`` carries a value."""

_EXACT_EV = 1e-6


@dataclass(frozen=True)
class Contact:
    """What one metal, or one single ion of the adsorbate, holds.

    Attributes
    ----------
    holder : str
        Its name: ``Fe1``; ``Na1`` for the ion.
    donors : tuple of str
        Elements of the atoms bound to it, nearest first; an ion's own partners in the adsorbate and
        atoms of the node alike.
    distances_ang : tuple of float
        Their distances in angstrom.
    rings : tuple of int
        Sizes of the chelate rings.
    """

    holder: str
    donors: tuple[str, ...]
    distances_ang: tuple[float, ...]
    rings: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """Such as ``Fe1: O 2.05, O 2.31 (ring 6)``."""
        held = ", ".join(
            f"{s} {d:.2f}" for s, d in zip(self.donors, self.distances_ang, strict=True)
        )
        ring = f" (ring {', '.join(map(str, self.rings))})" if self.rings else ""
        return f"{self.holder}: {held or 'nothing'}{ring}"


@dataclass(frozen=True)
class NodeStart:
    """What became of one start at a node.

    Attributes
    ----------
    key : str
        Identifies it: shape, site, mode and number.
    site : str
        The metal where it was put.
    start_mode : str
        Atoms that held on there, such as ``O,O``.
    state : str
        ``converged``, or why it has no value.
    reason : str
        One sentence for a person; empty when converged.
    scf_converged : bool
        The electrons were self-consistent at every step.
    adsorption_energy_eV : float or None
        In eV at the level of the geometry; None unless ``converged``.
    mode : str
        How it holds on after relaxation, elements of the metals left out (``O,O ring 6``): only
        equal modes compare like with like. Empty where it was not relaxed to the end.
    held_by : str
        The same with the metals' elements.
    denticity : int
        Donor atoms of the adsorbate at metals.
    contacts : tuple of Contact
        With distances.
    fmax_eV_per_A : float or None
        Residual force, eV/angstrom.
    force_calls : int
        Energy-and-force evaluations.
    """

    key: str
    site: str
    start_mode: str
    state: NodeStartState
    reason: str
    scf_converged: bool
    adsorption_energy_eV: float | None
    mode: str
    held_by: str
    denticity: int
    contacts: tuple[Contact, ...]
    fmax_eV_per_A: float | None
    force_calls: int

    def __post_init__(self) -> None:
        """Refuse a value without its evidence."""
        if self.state not in get_args(NodeStartState):
            raise EvidenceError(f"Start {self.key}: unknown state '{self.state}'.")
        if (self.state == "converged") != (self.adsorption_energy_eV is not None):
            raise EvidenceError(
                f"Start {self.key} is {self.state} and has the adsorption energy "
                f"{self.adsorption_energy_eV}: a value and convergence come together."
            )
        if self.state == "converged" and not (self.scf_converged and self.mode):
            raise EvidenceError(
                f"Start {self.key} is called converged without self-consistent electrons, or "
                "without saying how it holds on."
            )

    @property
    def geometry_converged(self) -> bool:
        """Whether the force criterion was met."""
        return self.state in ("converged", "broken", "desorbed")


@dataclass(frozen=True)
class LevelValue:
    """The adsorption energy of one start at one level of theory.

    Attributes
    ----------
    theory : str
        Level of theory.
    start : str
        Key of the start.
    adsorption_energy_eV : float
        In eV.
    total_eV : float or None
        Energy of the complex at a level other than that of its geometry, in eV.
    """

    theory: str
    start: str
    adsorption_energy_eV: float
    total_eV: float | None = None


@dataclass(frozen=True)
class NodeAdsorption:
    """The adsorption of one ion or salt at one node, or the reason why there is no value.

    Attributes
    ----------
    node : str
        Short name, such as ``Fe2Ni``.
    metals : tuple of str
        Symbols in the order of the atoms.
    node_formula, cap : str
        All atoms of the bare node, and what ends its carboxylates.
    adsorbate : str
        Its label.
    charge, spin_multiplicity : int
        Of node and adsorbate together.
    node_charge, node_spin_multiplicity : int
        Of the bare node.
    theory : str
        Level of the geometries.
    verdict : str
        ``converged``, ``unconverged`` or ``failed``.
    reason : str
        One sentence for a person; empty when converged.
    starts : tuple of NodeStart
        All, those without a value included.
    values : tuple of LevelValue
        At the level of the geometries every converged start; at others the best start of each
        mode.
    missing : tuple of (str, str)
        Level of theory, and why a value is missing there.
    node_fell_eV : float
        How far below its first relaxation the bare node was found from a complex, in eV.
    notes : tuple of str
        What a reader has to know.
    """

    node: str
    metals: tuple[str, ...]
    node_formula: str
    cap: str
    adsorbate: str
    charge: int
    spin_multiplicity: int
    node_charge: int
    node_spin_multiplicity: int
    theory: str
    verdict: NodeVerdict
    reason: str
    starts: tuple[NodeStart, ...]
    values: tuple[LevelValue, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    node_fell_eV: float = 0.0
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a value without its evidence."""
        if self.verdict not in get_args(NodeVerdict):
            raise EvidenceError(f"{self.adsorbate} at {self.node}: unknown '{self.verdict}'.")
        good = {s.key: s.adsorption_energy_eV for s in self.starts if s.state == "converged"}
        if self.verdict != "converged":
            if self.values or not self.reason:
                raise EvidenceError(
                    f"{self.adsorbate} at {self.node} is {self.verdict}: it must have a reason and "
                    "no value."
                )
            return
        if not good:
            raise EvidenceError(
                f"{self.adsorbate} at {self.node} is called converged without a converged start."
            )
        strangers = sorted({v.start for v in self.values} - set(good))
        if strangers:
            raise EvidenceError(
                f"{self.adsorbate} at {self.node} has values of starts that did not converge: "
                f"{', '.join(strangers)}."
            )
        own = {v.start: v.adsorption_energy_eV for v in self.values if v.theory == self.theory}
        for key, value in good.items():
            if value is None or key not in own or abs(own[key] - value) > _EXACT_EV:
                raise EvidenceError(f"{self.adsorbate} at {self.node}: {key} has two energies.")

    def _repr_html_(self) -> str:
        """Return a table for notebooks: the value at each level, or why there is none."""
        values = {theory: self.value(theory) for theory in self.theories}
        rows: list[tuple[str, str]] = [("verdict", self.verdict)]
        rows += [(f"E_ads, {t}", f"{v:+.3f} eV") for t, v in values.items() if v is not None]
        rows += [(f"no value, {theory}", why) for theory, why in self.missing]
        if self.reason:
            rows.append(("reason", self.reason))
        if self.modes:
            rows.append(("held by", "; ".join(self.modes)))
        rows.append(("converged starts", f"{self.converged_starts} of {self.relaxed_starts}"))
        if self.spread_eV is not None:
            rows.append(("spread of starts", f"{self.spread_eV:.3f} eV"))
        return html_table(f"{self.adsorbate} at {self.node} (negative is bound)", rows)

    @property
    def adsorption_energy_eV(self) -> float | None:
        """``E_ads`` of the lowest start at the level of the geometries, in eV; None without one."""
        return self.value(self.theory)

    @property
    def adsorption_strength_eV(self) -> float | None:
        """``|E_ads|`` in eV where it is bound; None elsewhere."""
        return strength(self.adsorption_energy_eV)

    @property
    def theories(self) -> tuple[str, ...]:
        """Levels with a value, that of the geometries first."""
        return tuple(dict.fromkeys(v.theory for v in self.values))

    @property
    def modes(self) -> tuple[str, ...]:
        """How converged starts hold on, the lowest in energy first."""
        own = [v for v in self.values if v.theory == self.theory]
        ranked = sorted(own, key=lambda v: v.adsorption_energy_eV)
        return tuple(dict.fromkeys(self.start(v.start).mode for v in ranked))

    @property
    def _converged(self) -> tuple[NodeStart, ...]:
        return tuple(s for s in self.starts if s.state == "converged")

    @property
    def converged_starts(self) -> int:
        """Starts that relaxed to the criterion and hold on."""
        return len(self._converged)

    @property
    def relaxed_starts(self) -> int:
        """Starts that were to be relaxed to the end."""
        return sum(s.state != "screened-out" for s in self.starts)

    @property
    def spread_eV(self) -> float | None:
        """Highest less lowest ``E_ads`` of converged starts in eV; None for fewer than two."""
        values = [s.adsorption_energy_eV for s in self._converged]
        known = [v for v in values if v is not None]
        return max(known) - min(known) if len(known) > 1 else None

    def best(self, theory: str | None = None, *, mode: str | None = None) -> LevelValue | None:
        """Return the lowest value at a level, of one mode or of any; None where there is none.

        Where a start has no value at a level, nobody knows which is the lowest of all there.
        """
        wanted = theory or self.theory
        if mode is None and any(level == wanted for level, _ in self.missing):
            return None
        of_mode = {s.key for s in self._converged if mode in (None, s.mode)}
        found = [v for v in self.values if v.theory == wanted and v.start in of_mode]
        return min(found, key=lambda v: v.adsorption_energy_eV, default=None)

    def value(self, theory: str | None = None, *, mode: str | None = None) -> float | None:
        """Return the energy of `best` in eV."""
        found = self.best(theory, mode=mode)
        return None if found is None else found.adsorption_energy_eV

    def start(self, key: str) -> NodeStart:
        """Return a start by its key.

        Raises
        ------
        EvidenceError
            There is none.
        """
        for one in self.starts:
            if one.key == key:
                return one
        raise EvidenceError(f"{self.adsorbate} at {self.node} has no start {key}.")


@dataclass(frozen=True)
class PairBinding:
    """The binding of a cation to its anion, bare and at a node, at one level of theory.

    Attributes
    ----------
    node : str
        Short name of the node.
    cation, anion : str
        Labels.
    theory : str
        Level of theory.
    bare_eV : float
        ``E(pair) - E(cation) - E(anion)`` in free space (or in the continuum of the level), in eV.
    anion_eV, pair_eV : float
        Adsorption energies of the anion and of the pair at the node, in eV.
    anion_mode, pair_mode : str
        How they hold on.
    """

    node: str
    cation: str
    anion: str
    theory: str
    bare_eV: float
    anion_eV: float
    pair_eV: float
    anion_mode: str
    pair_mode: str

    @property
    def at_node_eV(self) -> float:
        """``E(node with pair) - E(node with anion) - E(cation)`` in eV.

        By the cycle the bare binding, plus what the node holds the pair by, less what it holds the
        anion by.
        """
        return self.bare_eV + self.pair_eV - self.anion_eV

    @property
    def weakened_eV(self) -> float:
        """By how much the node weakens the binding, in eV; negative where it strengthens it."""
        return self.at_node_eV - self.bare_eV


def pair_bindings(
    anion: NodeAdsorption, pair: NodeAdsorption, *, cation: str, bare_eV: dict[str, float]
) -> tuple[PairBinding, ...]:
    """Return the binding of a cation to its anion at a node, at every level that has all terms.

    Parameters
    ----------
    anion, pair
        Adsorption of either at the same node.
    cation
        Its label.
    bare_eV
        Level of theory -> binding without the node, in eV.

    Raises
    ------
    EvidenceError
        The two are at different nodes or at geometries of different levels.
    """
    same = (anion.node, anion.node_formula, anion.node_charge, anion.theory) == (
        pair.node, pair.node_formula, pair.node_charge, pair.theory,
    )  # fmt: skip
    if not same:
        raise EvidenceError(
            f"{anion.adsorbate} at {anion.node} ({anion.theory}) and {pair.adsorbate} at "
            f"{pair.node} ({pair.theory}) do not share their node or their level of theory."
        )
    found = []
    for theory in anion.theories:
        first, second = anion.best(theory), pair.best(theory)
        if first is None or second is None or theory not in bare_eV:
            continue
        found.append(
            PairBinding(
                node=anion.node,
                cation=cation,
                anion=anion.adsorbate,
                theory=theory,
                bare_eV=bare_eV[theory],
                anion_eV=first.adsorption_energy_eV,
                pair_eV=second.adsorption_energy_eV,
                anion_mode=anion.start(first.start).mode,
                pair_mode=pair.start(second.start).mode,
            )
        )
    return tuple(found)
