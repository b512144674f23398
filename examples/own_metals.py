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
# # My own metals
#
# Which metals at the node of a MOF filler hold my anion, and what do its electrons look like?
# Metals and an anion go in; adsorption energies side by side and projected densities of states
# come out (about four minutes on two cores).

# %%
from __future__ import annotations

from superionic.analysis.band_centre import band_centres, d_groups, definitions
from superionic.analysis.figures.adsorption_screen import (
    adsorption_screen,
    adsorption_screen_data,
)
from superionic.analysis.figures.projected_dos import DosPanel, projected_dos, projected_dos_data
from superionic.analysis.figures.style import save_figure
from superionic.workflows.electronic import electronic_task
from superionic.workflows.electronic_results import ElectronicSettings
from superionic.workflows.execution import Run
from superionic.workflows.node_energies import run_screen
from superionic.workflows.node_settings import Guest, NodeSettings, named_nodes
from superionic.workflows.scf import ScfSettings

METALS = ("Fe2Ni", "Mn2Zn")
ANION = Guest(label="ClO4-", shapes={"clo4": ("O",)})  # a packaged name, a SMILES or a file
THEORY = "gfn1-xtb"  # knows of charge and spin; GFN2 binds alkali ions too strongly

# %% [markdown]
# ## The nodes
#
# M3(mu3-O)(O2CH)6 from sums of ionic radii, all neutral, high spins in parallel. One convention
# for all, so that they can be compared; what it assumes is printed.

# %%
nodes = named_nodes(METALS, cap="formate")
for name, node in nodes.items():
    ions = ", ".join(f"{ion.symbol}({ion.oxidation_state})" for ion in node.ions)
    print(f"{name}: {ions}, charge {node.molecule.charge:+d} e, 2S + 1 = "
          f"{node.molecule.spin_multiplicity}, {len(node.sites)} open sites")  # fmt: skip

# %% [markdown]
# ## Adsorption
#
# Seeded starts at one metal of each element; relaxed, then named by how the anion really holds
# on. Bare nodes are relaxed again from the complexes, and the lowest counts.

# %%
settings = NodeSettings(starts=1, screen_steps=6, keep=1, seed=0)
with Run("metals-run", progress=False):
    screen = run_screen(nodes, [ANION], theory=THEORY, settings=settings)
for one in screen.adsorptions:
    if one.adsorption_energy_eV is None:
        print(f"{one.node}: no value, {one.reason}")
        continue
    print(f"{one.node}: {one.adsorption_energy_eV:+.2f} eV, the lowest of {one.converged_starts} "
          f"converged starts of {one.relaxed_starts}")  # fmt: skip
    for mode in one.modes:
        print(f"  {mode}: {one.value(mode=mode):+.2f} eV")

# %%
save_figure(
    adsorption_screen(screen.adsorptions, fidelity="notebook"),
    "metals-screen",
    adsorption_screen_data(screen.adsorptions, fidelity="notebook"),
)

# %% [markdown]
# ## Electrons
#
# PBE in PySCF at the relaxed geometry of the first node. The coarsest grid serves for densities
# of states; total energies on it are not used. Open shells are made self-consistent by a ladder
# of stated attempts; if none works there is no figure, and the record says what was tried.

# %%
name = METALS[0]
wanted = ElectronicSettings(
    scf=ScfSettings(grid_level=0, energy_eV=1e-3), hirshfeld=False, surface=None
)
with Run("metals-run", progress=False):
    electrons = electronic_task.submit(screen.nodes[name].molecule, "pyscf-pbe", wanted).result()
for attempt in electrons.attempts:
    print(f"{attempt.rung}: {attempt.cycles} cycles, {attempt.reason or 'self-consistent'}")

# %% [markdown]
# Which metal's d states lie nearer to the Fermi level can depend on which states are averaged, so
# every definition stands beside the others:

# %%
if electrons.converged:
    dos = electrons.dos()
    count = electrons.electron_count()
    print(f"projections hold {count.projected:.2f} of {count.expected:g} electrons")
    for centre in band_centres(dos, d_groups(dos), definitions()):
        value = centre.reason if centre.centre_eV is None else f"{centre.centre_eV:+.2f} eV"
        print(f"  {centre.label}, {centre.definition.name}: {value}")
    panel = DosPanel(title=name, dos=dos, evidence=f"pyscf-pbe, {electrons.attempts[-1].rung}")
    save_figure(projected_dos([panel]), "metals-dos", projected_dos_data([panel]))
else:
    print(f"no densities of states: {electrons.reason}")

# %% [markdown]
# ## Next
#
# - A continuum around the node: `NodeSettings(levels=("gfn1-xtb@eps7.5",))`.
# - The pair as well, and how much the node weakens it: a second `Guest` with `upon="ClO4-"`, then
#   `screen.pairs(...)`.
# - The same figures from a finished VASP, CASTEP or GPAW run: `finished_runs.py`.
