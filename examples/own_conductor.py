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
# # From my own conductor to a migration barrier
#
# A CIF goes in; out comes the energy that one ion needs to hop, with the evidence that it may be
# believed. Three lines are yours to change. Where there is no such file, a CIF of Na3PS4 stands
# in, so that the notebook runs as it is (two to four minutes on two cores).

# %%
from __future__ import annotations

from pathlib import Path

from superionic.analysis.figures.migration_profiles import (
    RouteProfiles,
    migration_profiles,
    migration_profiles_data,
)
from superionic.analysis.figures.structure_view import (
    PathView,
    ViewPanel,
    structure_view,
    structure_view_data,
)
from superionic.analysis.figures.style import save_figure
from superionic.structures.crystals import reference_crystal
from superionic.structures.hops import find_hops
from superionic.structures.io import read_crystal, write_structure
from superionic.structures.sanity import check_structure
from superionic.workflows.annealing import AnnealSettings
from superionic.workflows.barrier import BarrierSettings, barrier_task
from superionic.workflows.execution import Run
from superionic.workflows.ordering import OrderSettings, order_task
from superionic.workflows.relax import RelaxSettings, relax_task

CIF = Path("my-conductor.cif")
ION = "Na"
THEORY = "chgnet-0.3.0"  # `superionic theories` lists what there is

if not CIF.exists():
    write_structure(reference_crystal("na3ps4").structure, CIF)
    print(f"no {CIF} here: Na3PS4 stands in")

# %% [markdown]
# ## Is it chemically sound?
#
# Bond-valence sums against formal charges, atoms that are too close, the net charge and the
# density. Most wrong barriers begin with a wrong cell.

# %%
crystal = read_crystal(CIF)
if ION not in crystal.composition:
    raise SystemExit(f"ION is {ION}, but {CIF} holds {', '.join(crystal.composition)}")
report = check_structure(crystal)
print(f"{crystal.formula}, {report.density_g_cm3:.2f} g/cm3, charge {report.formal_charge_e:+g} e")
for site, total in report.bond_valence_sums.items():
    print(f"  {site}: bond valences {total:.2f}, expected {report.expected_valences[site]:.2f}")
print("problems:", "; ".join(report.problems) or "none")

# %% [markdown]
# ## Whole atoms, relaxed
#
# Partial occupancies are ordered first: cells of low Ewald energy, relaxed with the potential,
# and ions moved about until no move that is tried lowers the energy. Everything inside `Run` is
# kept in a folder; run the notebook again, and it is read from there.

# %%
with Run("conductor-run", progress=False):
    if crystal.is_ordered:
        whole = crystal.to_structure()
    else:
        final = RelaxSettings(fmax_eV_per_A=0.02, cell="full")
        search = OrderSettings(AnnealSettings(final=final, max_trials=10), candidates=2)
        whole = order_task.submit(crystal, ION, THEORY, search).result().structure
    relaxing = relax_task.submit(whole, THEORY, RelaxSettings(fmax_eV_per_A=0.01, cell="full"))
    host = relaxing.result().require_converged().structure
print(f"{len(host)} atoms, {host.volume:.1f} A^3 ({whole.volume:.1f} as read)")

# %% [markdown]
# ## Which hops are there?
#
# All symmetry-distinct ones by a vacancy, the shortest first. The bottleneck is the distance
# between the straight path and the nearest atom of another element.

# %%
hops = find_hops(host, ion=ION, max_length_ang=4.5)
for k, hop in enumerate(hops):
    print(
        f"{k}: {' to '.join(hop.site_types)}, {hop.length_ang:.2f} A, {hop.multiplicity} alike, "
        f"bottleneck {hop.bottleneck_radius_ang or float('nan'):.2f} A, {len(hop.host)} atoms"
    )

# %% [markdown]
# ## Barriers
#
# Of the four shortest hops at most, side by side on all cores. Which hop limits the ion is told by
# the whole set, and never by the one that happens to be low: for a statement take them all.

# %%
with Run("conductor-run", progress=False):
    waiting = [barrier_task.submit(hop, THEORY, BarrierSettings()) for hop in hops[:4]]
    results = [future.result() for future in waiting]
for result in results:
    if result.verdict == "converged":
        print(
            f"{result.key}: {result.forward_barrier_eV:.3f} eV forward, "
            f"{result.reverse_barrier_eV:.3f} eV back; largest band force "
            f"{result.fmax_eV_per_A:.3f} of {result.fmax_target_eV_per_A} eV/A allowed, "
            f"{result.force_calls} force calls"
        )
    else:
        print(f"{result.key}: no barrier, {result.verdict}: {result.reason}")

# %% [markdown]
# A hop that failed says why, and has no number: an end that fell into another basin, another ion
# that moved along, a band that did not converge. Those are findings too.

# %%
good = {k: result for k, result in enumerate(results) if result.verdict == "converged"}
routes = [
    RouteProfiles(f"hop {k}", " to ".join(result.site_types), (result,))
    for k, result in good.items()
]
if routes:
    save_figure(
        migration_profiles(routes, fidelity="notebook"),
        "conductor-profile",
        migration_profiles_data(routes, fidelity="notebook"),
    )

# %% [markdown]
# And where the ion goes, among its neighbours:

# %%
panels = [
    ViewPanel(
        title=f"Hop {k}",
        structure=result.structure,
        paths=(PathView("path of the ion", result.positions[:, result.ion]),),
        radius_ang=6.0,
        mobile=(ION,),
    )
    for k, result in good.items()
    if result.structure is not None
]
if panels:
    save_figure(structure_view(panels), "conductor-path", structure_view_data(panels))

# %% [markdown]
# ## Next
#
# - A surface: `superionic.structures.surfaces.build_slab`, then the same hops in the slab.
# - A better potential: `THEORY = "sevennet-l3i5"`.
# - DFT: `superionic.workflows.handover.hand_over` writes the images as VASP and CASTEP decks; see
#   `finished_runs.py`.
# - Many structures on a cluster: `laptop_to_slurm.py`.
