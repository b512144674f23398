"""Binding energies as values: sums, signs, references that do not fit, no value without proof."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from superionic.analysis.binding import (
    SIGN_CONVENTION,
    BindingParts,
    BindingResult,
    EnergyTerm,
    FiveEnergies,
    LevelBinding,
    StartOutcome,
    binding_energy,
    split_binding,
    strength,
)
from superionic.structures.errors import EvidenceError
from superionic.structures.structure import Structure

CELL = np.diag([6.0, 6.0, 20.0])


def atoms(symbols: list[int], cell: Any = CELL) -> Structure:
    positions = np.arange(len(symbols))[:, None] * np.array([[0.0, 0.0, 2.0]])
    return Structure(numbers=np.array(symbols), positions=positions, cell=cell)


def term(role: Any, symbols: list[int], energy: float, **changes: Any) -> EnergyTerm:
    made = EnergyTerm(
        role=role,
        structure=atoms(symbols),
        energy_eV=energy,
        converged=True,
        fmax_eV_per_A=0.01,
        theory="emt",
        settings_hash="abc",
    )
    return replace(made, **changes)


def three(value: float = -0.8) -> tuple[EnergyTerm, EnergyTerm, EnergyTerm]:
    return (
        term("complex", [29, 29, 7, 8], -10.0 + value),
        term("surface", [29, 29], -7.0),
        term("molecule", [8, 7], -3.0),
    )


def result(**changes: Any) -> BindingResult:
    terms = three()
    fields: dict[str, Any] = {
        "molecule": "NO",
        "molecule_formula": "NO",
        "surface_formula": "Cu2",
        "theory": "emt",
        "verdict": "converged",
        "reason": "",
        "binding_energy_eV": -0.8,
        "parts": BindingParts(0.05, 0.02, -0.3, -0.57),
        "starts": (
            StartOutcome("a", "top", "converged", "", 0.0, -10.8, -0.8, 0.01, 40),
            StartOutcome("b", "top", "converged", "", 0.1, -10.5, -0.5, 0.01, 40),
            StartOutcome("c", "top", "unconverged", "cap", 0.2, None, None, 0.2, 40),
            StartOutcome("d", "top", "screened-out", "", 0.3, None, None, None, 10),
        ),
        "best_start": "a",
        "settings_hash": "abc",
        "terms": terms,
        "adsorbate": (2, 3),
    }
    return BindingResult(**(fields | changes))


# ---- the sum and its sign


def test_sign_is_stated_and_kept() -> None:
    assert "negative means bound" in SIGN_CONVENTION
    complex_, surface, molecule = three(-0.8)
    assert binding_energy(complex_, surface, [molecule]) == pytest.approx(-0.8)
    assert strength(-0.8) == 0.8
    assert strength(0.3) is None, "what is not bound has no binding strength"
    assert strength(0.0) is None
    assert strength(None) is None


def test_ions_instead_of_the_molecule() -> None:
    complex_, surface, _ = three()
    ions = [
        term("molecule", [7], -1.0, charge=1),
        term("molecule", [8], -1.5, charge=-1),
    ]
    assert binding_energy(complex_, surface, ions) == pytest.approx(-10.8 + 7.0 + 2.5)


@pytest.mark.parametrize(
    ("which", "changes", "match"),
    [
        (1, {"theory": "lj"}, "surface .* computed with lj"),
        (2, {"settings_hash": "xyz"}, "settings xyz"),
        (1, {"converged": False, "fmax_eV_per_A": 0.3}, r"surface .* not converged: fmax 0\.300"),
        (0, {"converged": False}, "complex .* not converged"),
        (1, {"structure": atoms([29, 30])}, "composition does not add up"),
        (2, {"structure": atoms([8, 8])}, "composition does not add up"),
        (1, {"structure": atoms([29, 29], np.diag([6.0, 6.0, 21.0]))}, "another cell"),
        (1, {"held": (0,)}, "Hold the same atoms"),
        (2, {"charge": -1}, r"charges do not add up: .* \+0 e, .* -1 e"),
        (1, {"role": "molecule"}, "Expected the surface"),
    ],
)
def test_terms_that_do_not_belong_together(which: int, changes: dict[str, Any], match: str) -> None:
    terms = list(three())
    terms[which] = replace(terms[which], **changes)
    with pytest.raises(EvidenceError, match=match):
        binding_energy(terms[0], terms[1], terms[2:])


def test_no_molecule_and_no_number() -> None:
    complex_, surface, molecule = three()
    with pytest.raises(EvidenceError, match="got none"):
        binding_energy(complex_, surface, [])
    with pytest.raises(EvidenceError, match="not a number"):
        replace(molecule, energy_eV=float("nan"))
    with pytest.raises(EvidenceError, match="A term is one of"):
        replace(molecule, role="ion")  # type: ignore[arg-type]


# ---- parts

energies = st.floats(-1e4, 1e4)
fives = st.builds(FiveEnergies, energies, energies, energies, energies, energies)


@given(whole=fives, dispersion=fives | st.none(), separable=st.booleans())
@settings(max_examples=200, derandomize=True)
def test_parts_always_add_up(
    whole: FiveEnergies, dispersion: FiveEnergies | None, separable: bool
) -> None:
    total = whole if dispersion is None else whole + dispersion
    parts = split_binding(total, dispersion, separable=separable)
    assert parts is not None
    assert parts.total_eV == pytest.approx(total.binding_eV, abs=1e-8)
    assert parts.interaction_eV == pytest.approx(total.interaction_eV or 0.0, abs=1e-8)
    assert (parts.dispersion_eV is None) == (not separable)


def test_parts_by_hand() -> None:
    plain = FiveEnergies(-10.0, -6.0, -3.0, -5.8, -2.9)
    added = FiveEnergies(-1.5, -0.9, -0.2, -0.95, -0.21)
    parts = split_binding(plain + added, added)
    assert parts is not None
    assert parts.surface_deformation_eV == pytest.approx(0.2 - 0.05)
    assert parts.molecule_deformation_eV == pytest.approx(0.1 - 0.01)
    assert parts.dispersion_eV == pytest.approx(-1.5 + 0.95 + 0.21)
    assert parts.rest_eV == pytest.approx(-10.0 + 5.8 + 2.9)
    level = LevelBinding("x+d2", "x+d3bj", -1.4, parts)
    assert level.kind == "single point"
    assert level.binding_strength_eV == pytest.approx(1.4)
    with pytest.raises(EvidenceError, match=r"add up to -1\.4"):
        LevelBinding("x+d2", "x+d3bj", -1.5, parts)


def test_no_parts_where_they_were_not_computed() -> None:
    three_only = FiveEnergies(-10.0, -6.0, -3.0)
    assert split_binding(three_only) is None
    whole = FiveEnergies(-10.0, -6.0, -3.0, -5.8, -2.9)
    assert split_binding(whole, three_only) is None, "dispersion between the two is unknown"
    assert (three_only + FiveEnergies(-1.0, 0.0, 0.0, 0.0, 0.0)).binding_eV == pytest.approx(-2.0)
    assert LevelBinding("gfn1-xtb", "x", -1.0, None).binding_strength_eV == 1.0


# ---- results


def test_evidence_is_counted() -> None:
    made = result()
    assert made.binding_strength_eV == 0.8
    assert (made.relaxed_starts, made.converged_starts) == (3, 2)
    assert made.spread_eV == pytest.approx(0.3)
    one = result(starts=made.starts[:1])
    assert one.spread_eV is None, "one start has no spread"


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"verdict": "unconverged"}, "a reason and no value"),
        ({"verdict": "unconverged", "binding_energy_eV": None, "parts": None}, "a reason"),
        ({"verdict": "fine"}, "unknown verdict"),
        ({"binding_energy_eV": None}, "lacks value or terms"),
        ({"terms": ()}, "lacks value or terms"),
        ({"parts": None}, "lacks value or terms"),
        ({"binding_energy_eV": -0.9}, "not what its terms make it"),
        ({"parts": BindingParts(0.0, 0.0, 0.0, -0.7)}, "not what its parts make it"),
        ({"starts": ()}, "no start converged"),
    ],
)
def test_no_value_without_evidence(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(EvidenceError, match=match):
        result(**changes)


def test_the_best_is_the_lowest() -> None:
    lower = StartOutcome("z", "top", "converged", "", 0.0, -11.0, -1.0, 0.01, 40)
    with pytest.raises(EvidenceError, match="lowest converged start"):
        result(starts=(*result().starts, lower))


def test_a_result_without_value_says_why() -> None:
    made = result(
        verdict="unconverged", reason="No start converged.", binding_energy_eV=None, parts=None,
        terms=(), starts=result().starts[2:],
    )  # fmt: skip
    assert made.binding_strength_eV is None
    assert made.spread_eV is None


@pytest.mark.parametrize(
    ("state", "value"), [("converged", None), ("unconverged", -0.5), ("desorbed", -0.1)]
)
def test_a_start_has_a_value_only_when_converged(state: Any, value: float | None) -> None:
    with pytest.raises(EvidenceError, match="come together"):
        StartOutcome("a", "top", state, "x", 0.0, -1.0, value, 0.01, 10)
    with pytest.raises(EvidenceError, match="unknown state"):
        StartOutcome("a", "top", "lost", "x", 0.0, None, None, None, 0)  # type: ignore[arg-type]
