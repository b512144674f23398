"""Onsager coefficients of several ionic species, each with an interval, or a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from superionic.analysis.current_spectrum import current_spectrum, path_spectrum
from superionic.analysis.diffusion import self_diffusion
from superionic.analysis.lag_data import replicas_of
from superionic.analysis.mean_squared_displacement import particle_blocks
from superionic.analysis.onsager_judgement import Selves, Setting, judge
from superionic.analysis.onsager_result import OnsagerCoefficients
from superionic.analysis.shared_motion import SquaredSteps, correlation_of, stretch_of
from superionic.structures.errors import TrajectoryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray


__all__ = ["OnsagerCoefficients", "onsager_coefficients"]


def onsager_coefficients(
    positions: Mapping[str, ArrayLike | Sequence[ArrayLike]],
    *,
    charges: Mapping[str, float],
    dt_ps: float,
    temperature_K: float,
    volume_ang3: ArrayLike,
    charge_scale: float = 1.0,
    cell: ArrayLike | None = None,
    drift_ang: ArrayLike | None = None,
) -> OnsagerCoefficients:
    """Return Onsager coefficients and the conductivity from the motion of several ionic species.

    L_ij = 1 / (6 k T V) d<dP_i . dP_j>/dt, P_i being the sum of the positions of the ions of a
    species (Fong et al., doi 10.1002/aic.17091). The slope is read from the spectrum of the
    increments of P at frequency zero, whose ordinates are independent, so that the intervals hold
    whatever the memory of the motion. Self parts are from
    :func:`~superionic.analysis.diffusion.self_diffusion`.

    Coefficients are in the frame of reference of the positions: that of the centre of mass of the
    whole system if its drift is none or was subtracted. There are no numbers unless each species
    diffuses and the spectra are even at low frequency; leave out species that are tied to a
    framework.

    Parameters
    ----------
    positions
        For each species, the continuous positions of its ions in angstrom, those of polyatomic ions
        being their centres of mass. shape=(frames, ions, 3), or a list of such for replicas, equal
        in number for all species.
    charges
        Formal charge of an ion of each species in e.
    dt_ps
        Time between frames in ps.
    temperature_K
        In K.
    volume_ang3
        Volume of the cell in angstrom^3; the mean is taken of several.
    charge_scale
        What formal charges are multiplied with, as in force fields with scaled charges; the
        conductivity goes with its square.
    cell
        Lattice vectors as rows in angstrom: positions are then unwrapped with it. shape=(3, 3) or
        (frames, 3, 3)
    drift_ang
        Path of the centre of mass of the whole system in angstrom, to be subtracted.
        shape=(frames, 3); only without replicas

    Raises
    ------
    TrajectoryError
        Species without a charge, frames that differ, positions that are wrapped or not finite.
    """
    volume = float(np.mean(np.asarray(volume_ang3, dtype=float)))
    _check_state(positions, charges, temperature_K, volume, charge_scale)
    replicas = {name: replicas_of(x, dt_ps) for name, x in positions.items()}
    _check_frames(replicas, drift_ang)
    lone = next(iter(replicas.values()))
    selves = tuple(
        self_diffusion(x if len(x) > 1 else x[0], dt_ps=dt_ps, cell=cell, drift_ang=drift_ang)
        for x in replicas.values()
    )
    drift = None if drift_ang is None else np.asarray(drift_ang, dtype=np.float64)
    lag = stretch_of(
        (d.fit_window_ps[0] for d in selves), dt_ps=dt_ps, frames=min(len(x) for x in lone)
    )
    steps = [[SquaredSteps(lag) for _ in replicas] for _ in lone]
    spectrum = current_spectrum(
        [
            [
                path_spectrum(s.through(particle_blocks(x[k], cell=cell, drift_ang=drift)))
                for s, x in zip(row, replicas.values(), strict=True)
            ]
            for k, row in enumerate(steps)
        ]
    )
    setting = Setting(
        tuple(replicas), tuple(sum(x.shape[1] for x in r) // len(r) for r in replicas.values()),
        np.array([charge_scale * float(charges[name]) for name in replicas]),
        float(charge_scale), float(temperature_K), volume, float(dt_ps),
    )  # fmt: skip
    together = correlation_of([[s.sums for s in row] for row in steps])
    return judge(setting, spectrum, Selves(selves, together))


def _check_state(
    positions: Mapping[str, object], charges: Mapping[str, float], temperature: float,
    volume: float, scale: float,
) -> None:  # fmt: skip
    """Refuse missing charges and impossible states."""
    if not positions or set(positions) != set(charges):
        raise TrajectoryError(
            f"Expected one charge for each species; species {sorted(positions)}, charges of "
            f"{sorted(charges)}."
        )
    values = (*charges.values(), temperature, volume, scale)
    if not np.isfinite(values).all() or min(temperature, volume, scale) <= 0:
        raise TrajectoryError(
            "Temperature (K), volume (A^3) and charge scale must be positive, charges finite; got "
            f"{temperature}, {volume}, {scale}, {dict(charges)}."
        )
    if not any(charges.values()):
        raise TrajectoryError("No species has a charge, so there is no conductivity.")


def _check_frames(
    replicas: Mapping[str, list[NDArray[np.floating]]], drift_ang: ArrayLike | None
) -> None:
    """Refuse species that were not seen in the same frames."""
    lengths = {name: [len(x) for x in parts] for name, parts in replicas.items()}
    if len({tuple(v) for v in lengths.values()}) > 1:
        raise TrajectoryError(f"Species must share their frames; got frames {lengths}.")
    if drift_ang is not None and any(len(v) > 1 for v in lengths.values()):
        raise TrajectoryError("Subtract the drift of replicas from each before they are combined.")
