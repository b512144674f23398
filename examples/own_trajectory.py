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
# # My own trajectory
#
# From GROMACS, LAMMPS or VASP to diffusivity, conductivity, transference number and pairing: each
# with a 95 % interval, or with the reason why there is none. Without files of yours a made-up
# electrolyte stands in, written in all three formats: ions that walk at random, a quarter of them
# paired for ever. What the analysis should find is known then, and printed beside what it does
# find (half a minute).

# %%
from __future__ import annotations

from pathlib import Path

from superionic.analysis.conductivity import conductivity, transference
from superionic.analysis.coordination import first_shell
from superionic.analysis.figures.radial_distribution import rdf_figure, rdf_figure_data
from superionic.analysis.figures.style import save_figure
from superionic.analysis.from_trajectory import diffusion_from, rdf_from
from superionic.analysis.ions_from_trajectory import IonSpecies, contacts_from, onsager_from
from superionic.analysis.residence import residence_time
from superionic.analysis.speciation import speciation_of
from superionic.analysis.trajectory import read

GRO, XTC = Path("my.gro"), Path("my.xtc")
DATA, DUMP = Path("my.data"), Path("my.lammpstrj")
XDATCAR = Path("XDATCAR")
TEMPERATURE_K = 400.0
DT_PS = 2.0  # between frames; XDATCAR and LAMMPS dumps do not know it
CATION, ANION, DONORS = "element Na", "resname ANI", "resname ANI and element O"
CONTACT_ANG = None  # the first minimum of g(r); or a distance of your own in angstrom
TRUTH = None

if not XTC.exists():
    import stand_ins

    stand_ins.write_gromacs(GRO, XTC)
    stand_ins.write_lammps(DATA, DUMP)
    stand_ins.write_xdatcar(XDATCAR)
    TRUTH = stand_ins.truth()
    CONTACT_ANG = 3.0  # between made-up ions nothing is forbidden, and g(r) has no clear minimum
    print("no trajectory here: made-up ions stand in")

# %% [markdown]
# ## Diffusivity, from each code
#
# Positions are unwrapped step by step, and the motion of the centre of all mass is taken off (not
# here: the made-up ions have no solvent that would hold still). The slope comes from the stretch
# over which the curve is straight, its error from the scatter between ions. Motion that is not
# diffusive has no value.

# %%
trajectories = {"GROMACS": read(XTC, topology=GRO)}
if DUMP.exists():
    trajectories["LAMMPS"] = read(DUMP, topology=DATA, dt_ps=DT_PS)
if XDATCAR.exists():
    trajectories["VASP"] = read(XDATCAR, dt_ps=DT_PS)
drift = TRUTH is None
motion = {}
for code, trajectory in trajectories.items():
    motion[code] = diffusion_from(trajectory, CATION, drift=drift)
    print(f"{code}: {trajectory.frame_count} frames, {motion[code].summary}")
if TRUTH is not None:
    print(f"put in: {TRUTH.cation_cm2_s:.3g} cm2/s")

# %%
motion["GROMACS"].plot("trajectory-msd")

# %% [markdown]
# ## Conductivity and transference
#
# Onsager coefficients of cations and anions, polyatomic ions by their centres of mass. Pairs that
# move together carry no charge: Nernst-Einstein counts them, the Onsager coefficients do not.

# %%
whole = trajectories["GROMACS"]
species = {"Na": IonSpecies(CATION, 1.0), "anion": IonSpecies(ANION, -1.0)}
onsager = onsager_from(whole, species, temperature_K=TEMPERATURE_K, drift=drift)
print(f"{onsager.verdict} {onsager.reason}")
for name, text in conductivity(onsager).rows:
    print(f"  {name}: {text}")
shares = transference(onsager)
print(f"t+ with correlations: {shares.onsager[0].text()}")
print(f"t+ without:           {shares.nernst_einstein[0].text()}")
if TRUTH is not None:
    print(f"put in: {TRUTH.transference:.3f} and {TRUTH.transference_without_correlation:.3f}")

# %%
if onsager.diffusive:
    onsager.plot("trajectory-conductivity")

# %% [markdown]
# ## Who is beside whom
#
# The contact distance is the first minimum of g(r), where there is one that stands out of its
# noise.

# %%
pairs = rdf_from(whole, CATION, DONORS, r_max_ang=12.0)
shell = first_shell(pairs, cutoff_ang=CONTACT_ANG)
if shell.cutoff_ang is None:
    raise SystemExit(f"give CONTACT_ANG: {shell.reason}")
print(f"peak at {shell.peak_ang:.2f} A; {shell.neighbours:.2f} within {shell.cutoff_ang:.2f} A")
save_figure(rdf_figure({"Na-O": pairs}), "trajectory-rdf", rdf_figure_data({"Na-O": pairs}))

# %%
(contacts,) = contacts_from(whole, CATION, DONORS, cutoffs_ang=(shell.cutoff_ang,))
states = speciation_of(contacts)
for name, text in states.rows:
    print(f"  {name}: {text}")
states.plot("trajectory-speciation")

# %% [markdown]
# How long partners stay; interruptions of up to 2 ps end nothing. The made-up pairs never part,
# so the run is too short for theirs, and that is what it says if they are the majority.

# %%
stay = residence_time(contacts, dt_ps=whole.dt_ps, patience_ps=2.0)
print(stay.summary)

# %% [markdown]
# ## Next
#
# - Several temperatures: write them with their intervals into a CSV, then
#   `superionic fit arrhenius values.csv`.
# - A longer run: `motion["GROMACS"].needed_ps` says how long for an interval of ten percent.
# - The same from a shell: `superionic analyse msd`, `transport`, `rdf`, `speciation`, `residence`.
