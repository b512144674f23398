"""A box from its recipe: packed, run in chunks, and read, by one task."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from superionic.inputs.md_options import MDOptions
from superionic.structures.errors import InvalidStructureError, ProtocolError
from superionic.structures.recipe import BoxSpec
from superionic.workflows.electrolyte_md import (
    ElectrolyteRun,
    FillerModel,
    ForceFieldChoice,
    Observables,
    RunPlan,
    electrolyte_task,
    pooled_motion,
)
from superionic.workflows.execution import Run
from superionic.workflows.md_settings import MDSettings

RECIPE = BoxSpec(units=4, chains=5, salt="NaTFSI", units_per_cation=20, density_g_cm3=0.6)
PLAN = RunPlan(
    options=MDOptions(cutoff_ang=5.0),
    settings=MDSettings(
        anneal_steps=0, equilibrate_steps=40, frame_steps=2, log_steps=2, chunk_steps=20
    ),
    steps=100,
)


def submit(folder: Path) -> ElectrolyteRun:
    given = (FillerModel(), ForceFieldChoice(charge_scale=0.8), PLAN, Observables(r_max_ang=5.0))
    with Run(folder, workers=1) as run:
        future = electrolyte_task.submit("small", RECIPE, *given)
        found = future.result()
        assert run.summary().failed == 0
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ElectrolyteRun]:
    folder = tmp_path_factory.mktemp("run")
    return folder, submit(folder)


def test_run_holds_what_the_recipe_asks_for(made: tuple[Path, ElectrolyteRun]) -> None:
    run = made[1]
    assert run.counts == {"PEO": 5, "NA": 1, "TFSI": 1}
    assert run.atoms == len(run.box) == len(run.snapshot)
    assert run.filler_wt_percent == 0.0
    assert run.production_ps == pytest.approx(0.2)
    assert run.cation_path_ang.shape == (50, 1, 3)
    assert run.anion_oxygen.frames == 50
    assert run.anion_oxygen.others == 4
    assert run.ether_oxygen.others == 20
    assert 0.4 < run.density_g_cm3 < 1.5
    assert run.density_drift_percent is None or abs(run.density_drift_percent) < 50.0


def test_a_short_run_has_no_coefficient(made: tuple[Path, ElectrolyteRun]) -> None:
    found = made[1].cation_motion
    assert found.D_cm2_s is None
    assert found.verdict != "diffusive"
    assert pooled_motion([made[1]]) is found
    assert pooled_motion([]) is None
    both = pooled_motion([made[1], replace(made[1], seed=1)])
    assert both is not None
    assert both.replicas == 2


def test_it_is_not_run_twice_and_stores_to_the_digit(made: tuple[Path, ElectrolyteRun]) -> None:
    folder, first = made
    log = next(folder.glob("electrolyte_md-*/md/*-production/log.csv"))
    before = log.stat().st_mtime_ns
    again = submit(folder)
    assert log.stat().st_mtime_ns == before
    assert np.array_equal(again.cation_path_ang, first.cation_path_ang)


def test_two_time_steps_or_temperatures_are_refused() -> None:
    with pytest.raises(ProtocolError, match="time step"):
        replace(PLAN, options=MDOptions(timestep_fs=1.0))
    with pytest.raises(ProtocolError, match="temperature"):
        replace(PLAN, options=MDOptions(temperature_K=300.0))
    with pytest.raises(ProtocolError, match="makes no sense"):
        replace(PLAN, steps=0)


@pytest.mark.parametrize(
    "seen", [Observables(cation="XYZ"), Observables(anion="XYZ"), Observables(polymer="XYZ")]
)
def test_an_unknown_residue_is_named_before_the_run(
    seen: Observables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "superionic.workflows.md_run.run_md", lambda *_, **__: pytest.fail("it was run")
    )
    with pytest.raises(InvalidStructureError, match="no 'XYZ'; it holds PEO, NA, TFSI"):
        electrolyte_task(
            "small", RECIPE, FillerModel(), ForceFieldChoice(charge_scale=0.8), PLAN, seen
        )
