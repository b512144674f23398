"""What cells measure: conductivity, transference number and gel fraction from readings."""

from __future__ import annotations

import math

from superionic.structures.errors import EvidenceError


def disc_area_cm2(diameter_mm: float) -> float:
    """Return the area of a round pellet in cm^2.

    Parameters
    ----------
    diameter_mm
        In mm.
    """
    _positive(diameter_mm=diameter_mm)
    return math.pi * (0.05 * diameter_mm) ** 2


def conductivity_from_resistance(
    *, thickness_cm: float, resistance_ohm: float, area_cm2: float
) -> float:
    """Return sigma = L / (R S) in S/cm (doi 10.1007/s40820-025-02032-4, Eq. 1).

    Parameters
    ----------
    thickness_cm
        Of the electrolyte, in cm.
    resistance_ohm
        Its bulk resistance, in ohm.
    area_cm2
        Of an electrode, in cm^2.

    Raises
    ------
    EvidenceError
        A reading is not positive.
    """
    _positive(thickness_cm=thickness_cm, resistance_ohm=resistance_ohm, area_cm2=area_cm2)
    return thickness_cm / (resistance_ohm * area_cm2)


def resistance_from_conductivity(
    *, thickness_cm: float, conductivity_S_cm: float, area_cm2: float
) -> float:
    """Return R = L / (sigma S) in ohm: what an impedance spectrum should show."""
    _positive(thickness_cm=thickness_cm, conductivity_S_cm=conductivity_S_cm, area_cm2=area_cm2)
    return thickness_cm / (conductivity_S_cm * area_cm2)


def bruce_vincent_evans(
    *,
    initial_current: float,
    steady_current: float,
    initial_resistance: float,
    steady_resistance: float,
    voltage: float,
) -> float:
    """Return t+ = I_ss (dV - I_0 R_0) / (I_0 (dV - I_ss R_ss)).

    Evans, Vincent and Bruce, doi 10.1016/0032-3861(87)90394-6. Resistances are those of the
    interfaces before and after polarisation. Units must fit together: A, ohm and V, or mA, ohm and
    mV. It holds for dilute electrolytes whose ions are free; compare it with a transference number
    from Onsager coefficients with care.

    Raises
    ------
    EvidenceError
        Readings that no cell gives: the voltage drop at the interfaces reaches the voltage applied,
        the current rises, or the number is not between 0 and 1.
    """
    _positive(
        initial_current=initial_current, steady_current=steady_current,
        initial_resistance=initial_resistance, steady_resistance=steady_resistance, voltage=voltage,
    )  # fmt: skip
    if steady_current > initial_current:
        raise EvidenceError(
            f"The steady current {steady_current:g} exceeds the initial one {initial_current:g}: "
            "the cell is not polarised, or the two were exchanged."
        )
    before = voltage - initial_current * initial_resistance
    after = voltage - steady_current * steady_resistance
    if min(before, after) <= 0:
        raise EvidenceError(
            f"Current times resistance of the interfaces reaches the applied {voltage:g}: "
            f"{initial_current * initial_resistance:g} before and "
            f"{steady_current * steady_resistance:g} after. Compare the units (A with ohm and V, "
            "or mA with ohm and mV)."
        )
    value = steady_current * before / (initial_current * after)
    if value > 1:
        raise EvidenceError(
            f"These readings give t+ = {value:.3f}, above 1: measure the resistances again."
        )
    return value


def transference_from_mobilities(cation: float, anion: float) -> float:
    """Return t+ = mu+ / (mu+ + mu-): two ions of equal charge numbers that move independently.

    Diffusion coefficients serve as well as mobilities.
    """
    if not (math.isfinite(cation) and math.isfinite(anion)) or min(cation, anion) < 0:
        raise EvidenceError(f"Mobilities are not negative; got {cation:g} and {anion:g}.")
    _positive(sum_of_mobilities=cation + anion)
    return cation / (cation + anion)


def gel_fraction(*, composite_loss: float, gel_loss: float) -> float:
    """Return X = W_CGE / W_gel, the weight fraction of gel in a composite from weight losses.

    The ceramic is taken to lose nothing (doi 10.1007/s40820-025-02032-4, Eq. 2).

    Parameters
    ----------
    composite_loss, gel_loss
        Weight loss of the composite and of the pure gel at the same temperature, both in the same
        unit (fractions or percent).

    Raises
    ------
    EvidenceError
        The composite loses more than the gel itself.
    """
    _positive(composite_loss=composite_loss, gel_loss=gel_loss)
    if composite_loss > gel_loss:
        raise EvidenceError(
            f"The composite loses {composite_loss:g}, more than the pure gel with {gel_loss:g}: "
            "were they exchanged?"
        )
    return composite_loss / gel_loss


def two_point_activation_energy_eV(
    *, first_K: float, first_value: float, second_K: float, second_value: float
) -> float:
    """Return E_a in eV from values at two temperatures: no error and no test of a straight line.

    Parameters
    ----------
    first_K, second_K
        Temperatures in K.
    first_value, second_value
        Conductivities or diffusion coefficients in any one unit.
    """
    from scipy.constants import Boltzmann, elementary_charge

    _positive(
        first_K=first_K, first_value=first_value, second_K=second_K, second_value=second_value
    )
    if first_K == second_K:
        raise EvidenceError(f"Both values are at {first_K:g} K; two temperatures are needed.")
    k = float(Boltzmann / elementary_charge)
    return k * math.log(second_value / first_value) / (1.0 / first_K - 1.0 / second_K)


def _positive(**readings: float) -> None:
    """Raise unless all readings are positive and finite."""
    for name, value in readings.items():
        if not (math.isfinite(value) and value > 0):
            raise EvidenceError(f"Expected a positive {name.replace('_', ' ')}; got {value}.")
