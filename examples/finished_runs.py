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
# # From finished VASP and CASTEP runs to figures
#
# Folders that came back from a cluster go in; states, energies and figures come out, and an
# energy only where the run really finished. Then a path computed here goes the other way, as
# decks. Without folders of yours the example outputs that ASE ships for its own tests stand in (a
# minute).

# %%
from __future__ import annotations

from pathlib import Path

from ase.build import bulk

from superionic.inputs.collect import collect, runs_below
from superionic.inputs.dft_protocol import load_dft_protocol
from superionic.inputs.outputs.records import CollectedNEB, CollectedRun
from superionic.structures.hops import find_hops
from superionic.structures.structure import Structure
from superionic.workflows.barrier import find_barrier
from superionic.workflows.collected import barrier_result, relax_result
from superionic.workflows.collected_electrons import atomic_charges, projected_dos
from superionic.workflows.collected_figures import draw_collected
from superionic.workflows.handover import compare_handover, hand_over
from superionic.workflows.theory import get_theory

RUNS = Path("my-runs")  # any folder: every run below it is found
BAND = Path("my-band")  # folders 00, 01, ... of a band that VASP or CASTEP relaxed
ELECTRONS = Path("my-electrons")  # one run with densities of states and a charge density

if not RUNS.exists():
    import stand_ins

    stand_ins.vasp_run(RUNS / "vasp")
    stand_ins.castep_run(RUNS / "castep")
    print(f"no {RUNS} here: example outputs of ASE stand in")

# %% [markdown]
# ## What became of them
#
# Finished, unconverged, crashed, truncated, still running, or not started: told from the outputs
# and from how long they have been silent. `settings` holds what decides whether two energies may
# be subtracted at all.

# %%
runs = [run for run in map(collect, runs_below(RUNS)) if isinstance(run, CollectedRun)]
for run in runs:
    energy = "no energy" if run.energy_eV is None else f"{run.energy_eV:.6f} eV"
    print(f"{run.folder}: {run.code} {run.task}, {run.state} {run.reason}")
    print(f"  {run.theory or 'level not told'}, {energy}, {run.ionic_steps} ionic steps")
    print(f"  {', '.join(f'{k} {v}' for k, v in run.settings.items())}")
    for note in run.notes:
        print(f"  {note}")

# %% [markdown]
# ## Figures
#
# The energy of each step of a relaxation or of dynamics, with the evidence under it.

# %%
for run in runs:
    if run.finished and len(run.step_energies_eV) > 1:
        draw_collected(run, Path(f"finished-{run.code}-steps"))
        print(f"wrote finished-{run.code}-steps.png, .svg and .csv")

# %% [markdown]
# A finished relaxation is the same value as one computed here: any workflow goes on from it.

# %%
for run in runs:
    if run.finished and run.task == "relax" and run.fmax_eV_per_A is not None:
        relaxed = relax_result(run)
        print(f"{run.folder}: {relaxed.structure.formula}, {relaxed.energy_eV:.3f} eV")

# %% [markdown]
# Where a run has densities of states and a charge density, its electrons can be asked: where the
# states of each element are, and what charge each atom has.

# %%
if ELECTRONS.exists():
    states = projected_dos(ELECTRONS)
    print(f"{states.electrons:.0f} electrons, {', '.join(states.orbitals)} of {states.symbols}")
    charges = atomic_charges(ELECTRONS)
    for symbol, charge in zip(charges.symbols, charges.charges, strict=True):
        print(f"{symbol}: {charge:+.2f} e ({charges.method})")
else:
    print(f"no {ELECTRONS} here: no electrons to ask")

# %% [markdown]
# A band has barriers where the code itself relaxed it, both ends have energies and are minima,
# and the band force meets its criterion. Otherwise it says what is missing.

# %%
if BAND.exists():
    path = collect(BAND)
    if isinstance(path, CollectedNEB):
        result = barrier_result(path)
        print(f"{path.folder}: {path.state}, {result.verdict} {result.reason}")
        if result.converged:
            barriers = result.forward_barrier_eV, result.reverse_barrier_eV
            print("forward and back: {:.3f} and {:.3f} eV".format(*barriers))
            draw_collected(result, Path("finished-band"))
else:
    print(f"no {BAND} here: nothing to draw")

# %% [markdown]
# ## The other way: a path from here as decks
#
# A path that converged at a cheap level is a good start for an expensive one. Here a vacancy hops
# in aluminium at a toy level; take a result of `own_conductor.py` instead. `hand_over` remembers
# which image became which folder.

# %%
metal = Structure.from_ase(bulk("Al", cubic=True, a=4.05))
hop = find_hops(metal, ion="Al", max_length_ang=3.2)[0]
local = find_barrier(hop, calculator=get_theory("emt").calculator(), theory="emt")
print(f"{local.key}: {local.verdict} {local.reason}")
if local.converged:
    print(f"{local.forward_barrier_eV:.3f} eV by EMT, {local.force_calls} force calls")
    draw_collected(local, Path("finished-local-path"))

# %%
DECKS = Path("handed-over")
if local.converged and not DECKS.exists():
    hand_over(local, {"vasp": load_dft_protocol("latp-vasp", "vasp")}, DECKS)
for place in sorted(DECKS.glob("*/*")):
    print(f"{place}: {len(list(place.rglob('POSCAR')))} images")

# %% [markdown]
# When the outputs are there, the same folder tells the difference image by image, what it does to
# the barrier, and how soft the cheap level is. Until then each image says what it lacks, and
# there is no number.

# %%
comparison = compare_handover(DECKS)
for image in comparison.images:
    there = "none" if image.returned_eV is None else f"{image.returned_eV:+.3f} eV"
    here = f"{image.local_eV:+.3f} eV here"
    print(f"  image {image.index:02d}: {image.state}, {here}, {there} there")
print(comparison.summary)
if comparison.complete:
    draw_collected(comparison, Path("finished-comparison"))

# %% [markdown]
# ## Next
#
# - `superionic electronic FOLDER -o out` draws densities of states of a finished run, with d-band
#   centres and charges.
# - `superionic inputs compare A B` names every difference between two decks, before you subtract
#   energies.
