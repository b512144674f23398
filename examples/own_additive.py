# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # My own additive on my own surface
#
# A CIF and a SMILES go in; out comes how strongly the molecule binds, what that energy is made
# of, and what became of every start. Without a file of yours rock salt NaF stands in, a product
# of fluoroethylene carbonate at a sodium anode, and that molecule is put on it (three to five
# minutes on two cores).

# %%
from __future__ import annotations

from pathlib import Path

from ase.build import bulk

from superionic.analysis.figures.binding_starts import binding_starts, binding_starts_data
from superionic.analysis.figures.structure_view import (
    ViewPanel,
    structure_view,
    structure_view_data,
)
from superionic.analysis.figures.style import save_figure
from superionic.structures.io import read_structure, write_structure
from superionic.structures.molecules import find_molecule
from superionic.structures.structure import Structure
from superionic.structures.surfaces import build_slab
from superionic.workflows.binding import BindingSettings, find_binding
from superionic.workflows.execution import Run
from superionic.workflows.relax import RelaxSettings, relax_task
from superionic.workflows.theory import get_theory

CIF = Path("my-surface.cif")
MILLER = (0, 0, 1)
ADDITIVE = "O=C1OCC(F)O1"  # a SMILES, a packaged name such as succinonitrile, or an .xyz file
THEORY = "chgnet-0.3.0+d3bj"

if not CIF.exists():
    write_structure(Structure.from_ase(bulk("NaF", "rocksalt", a=4.63)), CIF)
    print(f"no {CIF} here: NaF stands in")

# %% [markdown]
# ## The crystal gives the slab its cell
#
# So it is relaxed first, at the same level of theory. `build_slab` refuses a slab that is polar
# or not stoichiometric unless that is declared, and never cuts through a polyanion.

# %%
with Run("additive-run", progress=False):
    relaxing = relax_task.submit(
        read_structure(CIF), THEORY, RelaxSettings(fmax_eV_per_A=0.02, cell="full")
    )
    crystal = relaxing.result().require_converged().structure
slab = build_slab(crystal, miller=MILLER, layers=3, repeat=(3, 3), vacuum_ang=15.0, compensate=True)
print(
    f"{slab.structure.formula}, {slab.thickness_ang:.1f} A thick, {slab.area_ang2:.0f} A^2, "
    f"{slab.termination}; polar: {slab.polar}"
)

# %% [markdown]
# ## The molecule
#
# A SMILES is embedded in three dimensions and relaxed with a force field: a start, not a result.
# The level of theory relaxes it by itself again.

# %%
molecule = find_molecule(ADDITIVE)
print(f"{molecule.name or ADDITIVE}: {molecule.formula}, charge {molecule.charge:+d} e")

# %% [markdown]
# ## The search
#
# Places times orientations, a few steps for all of them, the lowest to the end. The numbers here
# are small; for a statement take a dozen starts or more and look at the spread.

# %%
settings = BindingSettings(
    relax=RelaxSettings(fmax_eV_per_A=0.05),
    starts=6,
    screen_steps=8,
    keep=2,
    vacuum_ang=12.0,
    seed=0,
)
with Run("additive-run", progress=False):
    found = find_binding(slab.structure, molecule, theory=THEORY, settings=settings)
energy = found.binding_energy_eV
print(found.reason if energy is None else f"{found.verdict}: E_b = {energy:+.3f} eV")

# %% [markdown]
# Negative is bound. The value is the lowest of the starts that converged, kept their bonds and
# stayed on the surface; each of the others says what became of it.

# %%
for start in found.starts:
    value = "" if start.binding_energy_eV is None else f"{start.binding_energy_eV:+.3f} eV"
    print(f"  {start.key}: {start.state} {value} {start.reason}")
if found.parts is not None:
    parts = found.parts
    added = "none" if parts.dispersion_eV is None else f"{parts.dispersion_eV:+.3f}"
    print(
        f"surface deformed {parts.surface_deformation_eV:+.3f}, molecule deformed "
        f"{parts.molecule_deformation_eV:+.3f}, dispersion {added}, rest {parts.rest_eV:+.3f} eV"
    )

# %%
title = f"{slab.structure.formula} {MILLER}"
save_figure(
    binding_starts([found], fidelity=title),
    "additive-starts",
    binding_starts_data([found], fidelity=title),
)

# %%
pictures = [
    ViewPanel(title=found.best_start, structure=term.structure, along=(1.0, 0.0, 0.0))
    for term in found.terms
    if term.role == "complex"
]
if pictures:
    save_figure(structure_view(pictures), "additive-complex", structure_view_data(pictures))

# %% [markdown]
# ## How far to trust it
#
# The level of theory was learnt from crystals, and a molecule on a surface is none. Ask other
# levels at the same geometries (`BindingSettings(levels=("sevennet-0+d3bj",))`), and write DFT
# decks of surface, molecule and complex with `superionic inputs vasp`.

# %%
level = get_theory(THEORY)
print(f"{level.name}: {level.model} reproduces {level.functional}; added: {level.dispersion}")
