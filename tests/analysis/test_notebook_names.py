"""What notebooks import: the names are there, importing them is light, results show themselves."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import made_ions as made
import numpy as np
import pytest

from superionic.analysis.comparison import compare
from superionic.analysis.contacts import Contacts
from superionic.analysis.coordination import first_shell
from superionic.analysis.diffusion import mean_squared_displacement, self_diffusion
from superionic.analysis.estimate import Estimate
from superionic.analysis.polymer_hops import chain_hops_from_trajectory
from superionic.analysis.speciation import residence_time, speciation_of
from superionic.analysis.structure import rdf
from superionic.analysis.thermal import arrhenius, compare_laws, vtf
from superionic.analysis.transport import conductivity, onsager, transference
from superionic.analysis.van_hove import van_hove_distinct, van_hove_self

NAMES = {
    "diffusion": ("mean_squared_displacement", "self_diffusion", "Diffusivity", "compare"),
    "transport": ("onsager", "conductivity", "transference"),
    "structure": ("rdf", "coordination_number"),
    "speciation": ("ion_pairs", "residence_time"),
    "thermal": ("arrhenius", "vtf"),
    "trajectory": ("read",),
    "van_hove": ("van_hove_self", "van_hove_distinct"),
}
HEAVY = {"matplotlib", "MDAnalysis", "numba", "openmm", "pymatgen", "scipy", "torch"}


@pytest.mark.parametrize("module", NAMES)
def test_names_are_there(module: str) -> None:
    found = importlib.import_module(f"superionic.analysis.{module}")
    assert [n for n in NAMES[module] if not callable(getattr(found, n, None))] == []


def test_importing_them_is_light() -> None:
    code = "import sys\n" + "\n".join(f"import superionic.analysis.{m}" for m in NAMES)
    code += "\nsys.stdout.write(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )
    assert {name.split(".")[0] for name in done.stdout.split()} & HEAVY == set()


def _contacts() -> Contacts:
    touch = np.random.default_rng(2).random((200, 12, 12)) < 0.3
    frame, centre, group = np.nonzero(touch)
    return Contacts(frame, centre, group, 200, 12, 12, 3.0, "given")


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(scale=0.3, size=(400, 20, 3)), axis=0)
    cell = 20.0 * np.eye(3)
    gas = rng.uniform(0, 20, size=(20, 40, 3))
    found = onsager(
        made.independent(rng, frames=1500), charges={"Na": 1.0, "X": -1.0}, dt_ps=1.0,
        temperature_K=400.0, volume_ang3=4e4,
    )  # fmt: skip
    short = onsager(
        made.independent(rng, frames=20), charges={"Na": 1.0, "X": -1.0}, dt_ps=1.0,
        temperature_K=400.0, volume_ang3=4e4,
    )  # fmt: skip
    T = np.array([280.0, 300, 320, 340, 360, 380])
    y = np.exp(1 - 900 / (T - 200)) * np.exp(0.02 * rng.normal(size=6))
    contacts = _contacts()
    D = self_diffusion(walk, dt_ps=1.0)
    return {
        "msd": mean_squared_displacement(walk, dt_ps=1.0),
        "diffusivity": D,
        "no diffusivity": self_diffusion(rng.normal(size=(400, 20, 3)), dt_ps=1.0),
        "onsager": found,
        "no onsager": short,
        "conductivity": conductivity(found),
        "no conductivity": conductivity(short),
        "transference": transference(found),
        "no transference": transference(short),
        "rdf": rdf(gas, cell=cell),
        "van hove": van_hove_self(walk, dt_ps=1.0, lags=[1, 10]),
        "distinct van hove": van_hove_distinct(gas, cell=cell, dt_ps=1.0, lags=[0, 3]),
        "speciation": speciation_of(contacts),
        "residence": residence_time(contacts, dt_ps=1.0),
        "hops": chain_hops_from_trajectory(
            contacts, donor_chain=np.arange(12) // 4, dt_ps=1.0, dwell_ps=3.0
        ),
        "arrhenius": arrhenius(T, y, unit="S/cm"),
        "vtf": vtf(T, y, unit="S/cm"),
        "comparison": compare([D, D], [D, self_diffusion(2 * walk, dt_ps=1.0)]),
    }  # fmt: skip


def test_each_result_draws_itself(results: dict[str, Any], tmp_path: Path) -> None:
    for name, found in results.items():
        saved = found.plot(str(tmp_path / name.replace(" ", "-")))
        assert saved.png.stat().st_size > 5_000, name
        assert saved.svg.read_text().startswith("<?xml"), name
        assert len(saved.csv.read_text().splitlines()) > 1, name


def test_each_result_is_a_table_in_a_notebook(results: dict[str, Any]) -> None:
    shown = dict(results)
    shown["shell"] = first_shell(results["rdf"])
    shown["laws"] = compare_laws(results["arrhenius"], results["vtf"])
    shown["contacts"] = _contacts()
    shown["estimate"] = results["conductivity"].einstein_helfand_S_cm
    shown["no estimate"] = results["no conductivity"].einstein_helfand_S_cm
    for name, found in shown.items():
        html = found._repr_html_()
        assert html.startswith("<table>"), name
        assert html.count("<tr>") >= 2, name


def test_card_of_an_estimate_says_value_and_interval_or_why_there_is_none() -> None:
    card = Estimate(0.0123456, (0.01, 0.0151))._repr_html_()
    assert "<td>0.0123</td>" in card
    assert "<td>0.01 to 0.0151</td>" in card
    missing = Estimate.missing("2 < 5 frames")._repr_html_()
    assert "<td>none</td>" in missing
    assert "2 &lt; 5 frames" in missing


def test_card_of_contacts_counts_them() -> None:
    two = Contacts(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([0, 0, 2]), 2, 2, 3, 3.0, "g")
    card = two._repr_html_()
    assert "<td>3 in 2 frames</td>" in card
    assert "<td>0.75 on average</td>" in card
    assert "<td>3.00 A (g)</td>" in card
    nothing = np.empty(0, dtype=np.int64)
    empty = Contacts(nothing, nothing, nothing, 0, 2, 3, 3.0, "given")
    assert "average" not in empty._repr_html_()
