"""`superionic analyse transport|speciation|residence|hops` and `superionic fit arrhenius`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from superionic.structures.errors import EvidenceError, TrajectoryError
from superionic.workflows.commands.console import emit_facts, emit_json, plain, say
from superionic.workflows.commands.keeping import Keeping, tell

if TYPE_CHECKING:
    from pathlib import Path

    from superionic.analysis.estimate import Estimate
    from superionic.analysis.ions_from_trajectory import IonSpecies
    from superionic.analysis.thermal import LawComparison, ThermalFit
    from superionic.workflows.commands.analyse import TrajectoryRequest


@dataclass(frozen=True)
class IonRequest:
    """Which ions carry the current, and where."""

    ions: tuple[str, ...]
    temperature_K: float
    charge_scale: float
    volume_ang3: float | None
    atoms: bool
    drift: bool

    def species(self) -> dict[str, IonSpecies]:
        """Return the species by name.

        Raises
        ------
        TrajectoryError
            A species is not written as NAME:CHARGE:SELECTION.
        """
        from superionic.analysis.ions_from_trajectory import IonSpecies

        found: dict[str, IonSpecies] = {}
        for text in self.ions:
            name, _, rest = text.partition(":")
            charge, _, selection = rest.partition(":")
            try:
                value = float(charge)
            except ValueError:
                value = float("nan")
            if not name or not selection.strip() or value != value or name in found:
                raise TrajectoryError(
                    f"{text!r} is no species of its own: write NAME:CHARGE:SELECTION, such as "
                    "'Na:+1:element Na', each name once."
                )
            found[name] = IonSpecies(selection.strip(), value, self.atoms)
        return found


@dataclass(frozen=True)
class PairingRequest:
    """Which ions pair, and how near."""

    cations: str
    anions: str
    contact_ang: float | None
    separated_ang: float | None
    charges_e: tuple[float, float]
    atoms: bool


@dataclass(frozen=True)
class HopRequest:
    """Which ions hop along which chains."""

    cations: str
    donors: str
    contact_ang: float | None
    dwell_ps: float


@dataclass(frozen=True)
class StayRequest:
    """Who stays with whom."""

    centres: str
    partners: str
    contact_ang: float | None
    patience_ps: float
    atoms: bool


def show_transport(files: TrajectoryRequest, ions: IonRequest, keeping: Keeping) -> None:
    """Say how charge moves; leaves with exit code 1 where nothing can be said."""
    from superionic.analysis.conductivity import conductivity, transference
    from superionic.analysis.ions_from_trajectory import onsager_from

    species = ions.species()
    found = onsager_from(
        files.open(), species, temperature_K=ions.temperature_K, charge_scale=ions.charge_scale,
        volume_ang3=ions.volume_ang3, drift=ions.drift, frames=files.frames, dt_ps=files.dt_ps,
    )  # fmt: skip
    told, shares = conductivity(found), transference(found)
    results = {"onsager": found, "conductivity": told, "transference": shares}
    written = keeping.keep("transport", results, found.plot)
    if keeping.as_json:
        record: dict[str, Any] = plain(results)
        for single in record["onsager"]["self_diffusivities"]:
            for name in ("lag_ps", "msd_ang2", "msd_error_ang2"):
                single.pop(name)
        emit_json({**record, "written": written})
    else:
        counts = zip(found.species, found.ions, strict=True)
        say(", ".join(f"{n} {name}" for name, n in counts) + f"; {told.charge_rule}")
        say(f"{found.verdict}: {found.reason}" if found.reason else found.verdict)
        facts = {name: text for name, text in told.rows if name != "charges"}
        for name, alone, full in zip(
            shares.species, shares.nernst_einstein, shares.onsager, strict=True
        ):
            facts[f"t of {name}, self"] = alone.text()
            facts[f"t of {name}, Onsager"] = full.text()
        for single, name in zip(found.self_diffusivities, found.species, strict=True):
            facts[f"self-diffusion of {name}"] = single.summary
        if found.diffusive:
            emit_facts(facts)
        tell(written)
    if not found.diffusive:
        raise typer.Exit(1)


def show_speciation(files: TrajectoryRequest, pairing: PairingRequest, keeping: Keeping) -> None:
    """Say in which states ions are; write figure, table and result."""
    from superionic.analysis.ions_from_trajectory import contacts_from
    from superionic.analysis.speciation import speciation_of

    cutoffs = (pairing.contact_ang,)
    if pairing.separated_ang is not None:
        cutoffs = (pairing.contact_ang, pairing.separated_ang)  # type: ignore[assignment]
    near, *far = contacts_from(
        files.open(), pairing.cations, pairing.anions, cutoffs_ang=cutoffs, atoms=pairing.atoms,
        frames=files.frames,
    )  # fmt: skip
    found = speciation_of(near, separated=far[0] if far else None, charges_e=pairing.charges_e)
    written = keeping.keep("speciation", {"speciation": found}, found.plot)
    if keeping.as_json:
        keeping.emit(found, written, without=("uncoordinated_series",))
        return
    say(f"{found.cation_count} cations, {found.anion_count} anions, {found.frames} frames")
    emit_facts(dict(found.rows))
    tell(written)


def show_residence(files: TrajectoryRequest, stay: StayRequest, keeping: Keeping) -> None:
    """Say how long partners stay; leaves with exit code 1 where the run is too short."""
    from superionic.analysis.ions_from_trajectory import contacts_from
    from superionic.analysis.residence import residence_time

    trajectory = files.open()
    contacts = contacts_from(
        trajectory, stay.centres, stay.partners, cutoffs_ang=(stay.contact_ang,),
        atoms=stay.atoms, frames=files.frames,
    )[0]  # fmt: skip
    found = residence_time(
        contacts, dt_ps=(files.dt_ps or trajectory.dt_ps) * files.step,
        patience_ps=stay.patience_ps,
    )  # fmt: skip
    written = keeping.keep("residence", {"residence": found}, found.plot)
    if keeping.as_json:
        arrays = ("time_ps", "survival", "survival_interval")
        keeping.emit(found, written, without=arrays, contact_ang=contacts.cutoff_ang)
    else:
        say(found.summary)
        emit_facts(
            {
                "partings": found.partings, "censored": found.censored,
                "began before the run": found.left_out, "median ps": found.median_ps,
                "partners at a time": found.mean_partners, "contact A": contacts.cutoff_ang,
                "that is a": contacts.cutoff_rule, "length ps": found.length_ps,
            }
        )  # fmt: skip
        tell(written)
    if found.verdict != "observed":
        raise typer.Exit(1)


def show_hops(files: TrajectoryRequest, hops: HopRequest, keeping: Keeping) -> None:
    """Say how often cations change chains, and places along a chain."""
    from superionic.analysis.ions_from_trajectory import polymer_hops_from

    found = polymer_hops_from(
        files.open(), hops.cations, hops.donors, dwell_ps=hops.dwell_ps,
        cutoff_ang=hops.contact_ang, frames=files.frames, dt_ps=files.dt_ps,
    )  # fmt: skip
    written = keeping.keep("hops", {"hops": found}, found.plot)
    if keeping.as_json:
        keeping.emit(found, written, without=("events", "host"))
        return
    emit_facts(dict(found.rows))
    tell(written)


def show_fit(file: Path, *, law: str, unit: str, power: float, keeping: Keeping) -> None:
    """Fit a table of values; write figure, table and result."""
    from superionic.analysis.figures.arrhenius import arrhenius_data, arrhenius_figure
    from superionic.analysis.figures.style import save_figure
    from superionic.analysis.thermal import arrhenius, compare_laws, vtf

    temperature, values, intervals = read_thermal_table(file)
    fits: dict[str, ThermalFit] = {}
    reasons: dict[str, str] = {}
    if law != "vtf":
        fits["arrhenius"] = arrhenius(
            temperature, values, intervals=intervals, unit=unit, prefactor_power=power
        )
    if law != "arrhenius":
        try:
            fits["vtf"] = vtf(temperature, values, intervals=intervals, unit=unit)
        except EvidenceError as error:
            if law == "vtf":
                raise
            reasons["vtf"] = str(error)
    told = compare_laws(fits["arrhenius"], fits["vtf"]) if len(fits) == 2 else None
    series = [("", fit) for fit in fits.values()]
    written = keeping.keep(
        "thermal", {**fits, "comparison": told},
        lambda stem: save_figure(arrhenius_figure(series), stem, arrhenius_data(series)),
    )  # fmt: skip
    if keeping.as_json:
        emit_json(_fit_record(fits, told, reasons) | {"written": written})
        return
    for fit in fits.values():
        say(fit.summary)
        if fit.scaled:
            say("  points scatter more than their errors: intervals are widened")
    for name, reason in reasons.items():
        say(f"no {name}: {reason}")
    if told is not None:
        say(f"preferred: {told.preferred} ({told.reason})")
    tell(written)


def read_thermal_table(
    file: Path,
) -> tuple[list[float], list[float], list[tuple[float, float]] | None]:
    """Return temperatures, values and intervals of a CSV table.

    Raises
    ------
    EvidenceError
        Columns are missing, or a field is no number.
    """
    if not file.expanduser().is_file():
        raise EvidenceError(f"There is no file {file}.")
    with file.expanduser().open(newline="", encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    names = set(rows[0]) if rows else set()
    if not {"temperature_K", "value"} <= names or len(names & {"low_95", "high_95"}) == 1:
        raise EvidenceError(
            f"{file} has the columns {sorted(map(str, names))}; expected temperature_K, value and, "
            "where errors are known, both low_95 and high_95."
        )

    def number(row: dict[str, str], line: int, name: str) -> float:
        try:
            return float(row[name])
        except (TypeError, ValueError) as error:
            raise EvidenceError(
                f"Line {line} of {file}: {name} is {row[name]!r}, not a number. Leave out lines "
                "without a value."
            ) from error

    lines = list(enumerate(rows, start=2))
    temperature = [number(row, k, "temperature_K") for k, row in lines]
    values = [number(row, k, "value") for k, row in lines]
    if "low_95" not in names:
        return temperature, values, None
    ends = [(number(row, k, "low_95"), number(row, k, "high_95")) for k, row in lines]
    return temperature, values, ends


def _fit_record(
    fits: dict[str, ThermalFit], told: LawComparison | None, reasons: dict[str, str]
) -> dict[str, Any]:
    """Return what is to be known of fits, without their draws."""

    def numbers(found: Estimate | None) -> Any:
        return None if found is None else plain(found)

    return {
        "fits": {
            name: {
                "activation_energy_eV": numbers(fit.activation_energy_eV),
                "log_prefactor": numbers(fit.log_prefactor), "T0_K": numbers(fit.T0_K),
                "chi_squared": fit.chi_squared, "freedom": fit.freedom, "p_value": fit.p_value,
                "scaled": fit.scaled, "prefactor_power": fit.prefactor_power,
            }
            for name, fit in fits.items()
        },
        "comparison": None if told is None else plain(told),
        "reasons": reasons,
    }  # fmt: skip
