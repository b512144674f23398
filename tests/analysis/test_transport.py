"""Onsager coefficients: exact laws of spectra, known models, refusals; coverage is slow."""

from __future__ import annotations

from collections import Counter
from typing import Any

import made_ions as made
import numpy as np
import pytest
from scipy.constants import Boltzmann, elementary_charge

from superionic.analysis.conductivity import Conductivity
from superionic.analysis.current_spectrum import current_spectrum as gather
from superionic.analysis.current_spectrum import path_spectrum
from superionic.analysis.estimate import Estimate
from superionic.analysis.onsager import onsager_coefficients
from superionic.analysis.spectral_band import even_band, intercept, slope_of_spectrum
from superionic.analysis.transport import OnsagerCoefficients, conductivity, onsager, transference
from superionic.analysis.wishart import degrees_of_freedom, wishart_draws
from superionic.structures.errors import EvidenceError, TrajectoryError
from superionic.workflows.serialise import decode, encode

CHARGES = {"Na": 1.0, "X": -1.0}


def current_spectrum(paths: list[Any]) -> Any:
    """Spectra of paths (frames, species, 3) of replicas, each species being one particle."""
    return gather(
        [[path_spectrum([p[:, [k]].transpose(1, 2, 0)]) for k in range(p.shape[1])] for p in paths]
    )


def run(paths: made.Paths, **changed: Any) -> OnsagerCoefficients:
    options: dict[str, Any] = {
        "charges": CHARGES, "dt_ps": made.DT_PS, "temperature_K": made.TEMPERATURE_K,
        "volume_ang3": made.VOLUME_ANG3,
    }  # fmt: skip
    return onsager(paths, **(options | changed))


@pytest.fixture(scope="module")
def free() -> OnsagerCoefficients:
    return run(made.independent(np.random.default_rng(3)))


# --- spectra -----------------------------------------------------------------------------------


def test_sine_transform_keeps_the_sum_of_squares() -> None:
    path = np.random.default_rng(0).normal(size=(101, 2, 3)).cumsum(axis=0)
    found = current_spectrum([path])
    steps = np.diff(path, axis=0)
    assert len(found) == 100
    assert found.frames == 101
    np.testing.assert_allclose((found.amplitudes**2).sum(), (steps**2).sum())
    np.testing.assert_allclose(
        found.matrix(100), np.einsum("tia,tja->ij", steps, steps) / 300, rtol=1e-12
    )


def test_spectrum_of_bounded_noise_is_exactly_proportional_to_roughness() -> None:
    """White noise of frames: mean power over many replicas is R (2 - 2 cos), no leakage at all."""
    rng = np.random.default_rng(1)
    paths = [rng.normal(size=(33, 1, 3)) for _ in range(4000)]
    found = current_spectrum(paths)
    power = found.power([1.0]).reshape(32, 4000).mean(axis=1)
    np.testing.assert_allclose(
        power / found.roughness.reshape(32, 4000)[:, 0], 1.0, atol=5 * np.sqrt(2 / 3 / 4000)
    )


def test_replicas_are_sorted_together() -> None:
    rng = np.random.default_rng(2)
    found = current_spectrum([rng.normal(size=(n, 1, 3)).cumsum(axis=0) for n in (50, 80)])
    assert (np.diff(found.roughness) >= 0).all()
    assert len(found) == 49 + 79


def flat(rng: np.random.Generator, n: int) -> tuple[Any, Any]:
    angle = np.pi * np.arange(1, n + 1) / (n + 1)
    return 2 - 2 * np.cos(angle), (rng.normal(size=(n, 3)) ** 2).mean(axis=1)


def test_even_spectra_keep_all_ordinates_and_bent_ones_few() -> None:
    rng = np.random.default_rng(5)
    whole, narrow = 0, []
    for _ in range(60):
        roughness, power = flat(rng, 1500)
        whole += even_band(roughness, power[None]) == 1500
        narrow.append(even_band(roughness, (power * (1 + 30 * roughness))[None]) or 0)
    assert whole >= 45
    assert 8 <= np.median(narrow) < 100


def test_line_through_a_bounded_spectrum_reaches_zero_and_another_does_not() -> None:
    rng = np.random.default_rng(6)
    zero = covered = 0
    for _ in range(30):
        roughness, power = flat(rng, 600)
        bound = intercept(roughness, power * roughness)
        held = intercept(roughness, power * (0.3 + roughness))
        assert bound is not None
        assert held is not None
        zero += bound.may_be_zero
        covered += held.interval[0] <= 0.3 <= held.interval[1]
        assert not held.may_be_zero
    assert zero >= 27
    assert covered >= 26


def test_slope_of_a_power_law() -> None:
    roughness = np.geomspace(1e-4, 1e-1, 50)
    assert slope_of_spectrum(roughness, roughness**0.25) == pytest.approx(0.5)


def test_draws_give_the_exact_interval_of_chi_squared() -> None:
    from scipy.stats import chi2

    mean = np.array([[2.0, 0.5], [0.5, 1.0]])
    drawn = wishart_draws(mean, 30.0, draws=200_000)
    for weights in (np.array([1.0, 0.0]), np.array([1.0, -1.0])):
        forms = np.einsum("i,dij,j->d", weights, drawn, weights)
        expected = 30.0 * (weights @ mean @ weights) / chi2.ppf([0.975, 0.025], 30.0)
        np.testing.assert_allclose(np.quantile(forms, [0.025, 0.975]), expected, rtol=0.01)


def test_draws_keep_a_null_space() -> None:
    """All ions of a melt: momentum is conserved, so a combination of fluxes is always zero."""
    null = np.array([3.0, 1.0])
    other = np.array([1.0, -3.0])
    drawn = wishart_draws(np.outer(other, other), 20.0, draws=100)
    np.testing.assert_allclose(drawn @ null, 0.0, atol=1e-9)


def test_motion_along_one_axis_has_a_third_of_the_freedom() -> None:
    rng = np.random.default_rng(7)
    steps = rng.normal(size=(401, 1, 3)) * [1.0, 0.01, 0.01]
    found = current_spectrum([steps.cumsum(axis=0)])
    even = current_spectrum([rng.normal(size=(401, 1, 3)).cumsum(axis=0)])
    assert degrees_of_freedom(found, np.ones(1), 400) == pytest.approx(400, rel=0.01)
    assert degrees_of_freedom(even, np.ones(1), 400) == 1200


# --- known models ------------------------------------------------------------------------------


def test_units_by_hand(free: OnsagerCoefficients) -> None:
    """sigma = N e^2 D / (k T V) of independent ions, all in SI."""
    D = [0.09 / 2 * 1e-8, 0.25 / 2 * 1e-8]  # m^2/s: variance of a step of 1 ps over 2
    by_hand = 25 * elementary_charge**2 * sum(D)
    by_hand /= Boltzmann * made.TEMPERATURE_K * made.VOLUME_ANG3 * 1e-30 * 100
    assert made.spectrum_to_conductivity(25 * (0.09 + 0.25)) == pytest.approx(by_hand)
    assert free.conductivity_S_cm.get() == pytest.approx(by_hand, rel=0.12)
    assert conductivity(free).nernst_einstein_S_cm.get() == pytest.approx(by_hand, rel=0.05)


def test_terms_add_up(free: OnsagerCoefficients) -> None:
    found = conductivity(free)
    total = sum(t.value_S_cm.get() for t in found.terms)
    assert total == pytest.approx(found.einstein_helfand_S_cm.get())
    assert [t.name for t in found.terms] == ["Na self", "X self", "Na-Na", "Na-X", "X-X"]
    assert found.haven_ratio.get() * found.ionicity.get() == pytest.approx(1.0)
    assert "formal" in found.charge_rule


def test_transference_numbers_add_up_to_one(free: OnsagerCoefficients) -> None:
    found = transference(free)
    for numbers in (found.nernst_einstein, found.onsager):
        assert sum(x.get() for x in numbers) == pytest.approx(1.0)
    assert found.onsager[0].covers(0.09 / 0.34)
    assert found.nernst_einstein[0].get() == pytest.approx(0.09 / 0.34, rel=0.05)


def test_scaled_charges_scale_with_their_square(free: OnsagerCoefficients) -> None:
    scaled = run(made.independent(np.random.default_rng(3)), charge_scale=0.8)
    assert scaled.charges_e == (0.8, -0.8)
    assert scaled.conductivity_S_cm.get() == pytest.approx(0.64 * free.conductivity_S_cm.get())
    assert "times 0.8" in conductivity(scaled).charge_rule


def test_bound_pairs_have_no_conductivity_and_no_haven_ratio() -> None:
    found = run(made.paired(np.random.default_rng(11)))
    assert found.bound
    assert found.conductivity_S_cm.interval is not None
    assert found.conductivity_S_cm.interval[0] == 0.0
    told = conductivity(found)
    assert told.haven_ratio.value is None
    assert "at least" in told.haven_ratio.reason
    assert told.ionicity.interval is not None
    assert told.ionicity.interval[1] < 0.05
    assert transference(found).onsager[0].value is None
    assert found.coefficient("Na", "X").covers(found.coefficient("Na", "Na").get())


def test_diffusivities_of_ions_that_move_together_err_together(free: OnsagerCoefficients) -> None:
    """The sum of two numbers that are nearly one is no better known than each of them."""
    assert abs(free.self_correlation[0, 1]) < 0.15
    found = run(made.paired(np.random.default_rng(11)))
    assert found.self_correlation[0, 1] > 0.6
    np.testing.assert_array_equal(np.diag(found.self_correlation), 1.0)

    def half(estimate: Estimate) -> float:
        low, high = estimate.interval or (0.0, 0.0)
        return 0.5 * (high - low) / estimate.get()

    both = half(conductivity(found).nernst_einstein_S_cm)
    each = [half(found.self_part(name)) for name in found.species]
    assert both > 0.85 * np.mean(each)
    assert half(transference(found).nernst_einstein[0]) < 0.5 * both
    apart = half(conductivity(free).nernst_einstein_S_cm)
    assert apart < 0.85 * np.mean([half(free.self_part(name)) for name in free.species])


def test_conserved_momentum_of_a_melt_is_kept() -> None:
    """Equal masses and no other particle: L_++ = L_-- = -L_+-."""
    x = made.independent(np.random.default_rng(4))
    centre = (x["Na"].sum(axis=1) + x["X"].sum(axis=1)) / 50
    found = run({k: v - centre[:, None] for k, v in x.items()})
    L = found.L_per_J_cm_s
    assert L is not None
    np.testing.assert_allclose(L[0, 1], -L[0, 0], rtol=1e-9)
    assert transference(found).onsager[0].get() == pytest.approx(0.5)


def test_drift_given_equals_drift_subtracted() -> None:
    x = made.independent(np.random.default_rng(8), frames=400)
    drift = np.linspace(0, 50, 400)[:, None] * [1.0, 2.0, 0.0]
    moved = {k: v + drift[:, None] for k, v in x.items()}
    a, b = run(x), run(moved, drift_ang=drift)
    assert a.verdict == b.verdict
    if a.L_per_J_cm_s is not None and b.L_per_J_cm_s is not None:
        np.testing.assert_allclose(a.L_per_J_cm_s, b.L_per_J_cm_s, rtol=1e-9)
    assert run(moved).verdict == "ballistic"


def test_wrapped_positions_with_a_cell_give_the_same() -> None:
    x = made.independent(np.random.default_rng(9), frames=600)
    cell = np.array([[30.0, 0, 0], [4.0, 31, 0], [3.0, 2, 32]])
    inside = {k: ((v @ np.linalg.inv(cell)) % 1.0) @ cell for k, v in x.items()}
    a, b = run(x), run(inside, cell=cell)
    assert a.verdict == b.verdict == "diffusive"
    np.testing.assert_allclose(a.conductivity_S_cm.get(), b.conductivity_S_cm.get(), rtol=1e-6)


def test_collective_displacement_squared_agrees_with_a_naive_reference() -> None:
    """The slope of <|sum z dr|^2> over all origins, summed ion by ion and origin by origin."""
    rng = np.random.default_rng(12)
    x = made.correlated(rng, frames=40_000, ions=2)
    current = x["Na"].sum(axis=1) - x["X"].sum(axis=1)
    lags = np.array([20, 40])
    msd = [np.mean(((current[n:] - current[:-n]) ** 2).sum(axis=1)) for n in lags]
    naive = made.spectrum_to_conductivity((msd[1] - msd[0]) / (3 * 20))
    truth = made.spectrum_to_conductivity(2 * 0.117)
    found = run(x)
    assert naive == pytest.approx(truth, rel=0.06)
    assert found.conductivity_S_cm.get() == pytest.approx(naive, rel=0.06)


def test_collective_slope_agrees_with_mdanalysis() -> None:
    """EinsteinMSD of one particle that walks the path of the current."""
    import MDAnalysis as mda
    from MDAnalysis.analysis.msd import EinsteinMSD

    x = made.independent(np.random.default_rng(21), frames=3000, ions=4)
    path = (x["Na"].sum(axis=1) - x["X"].sum(axis=1))[:, None]
    box = mda.Universe.empty(1, trajectory=True)
    box.load_new(path.astype(np.float32), order="fac")
    found = EinsteinMSD(box, fft=False).run().results.timeseries
    slope = np.polyfit(np.arange(1, 6), found[1:6], 1)[0] / 3
    ours = run(x).conductivity_S_cm.get()
    assert ours == pytest.approx(made.spectrum_to_conductivity(float(slope)), rel=0.06)


def test_lattice_gas_has_the_correlation_factor_of_a_vacancy_as_haven_ratio() -> None:
    """One vacancy on a simple cubic lattice: all jumps go by it, f = 0.6531 (Compaan and Haven).

    The path of all ions is minus that of the vacancy, a plain walk, so that the collective part is
    1/(N f) of N ions' own.
    """
    rng = np.random.default_rng(13)
    side, jumps = 6, 240_000
    steps = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])
    site = np.arange(side**3).reshape(side, side, side)
    place = np.zeros((side**3 - 1, 3), dtype=np.int64)
    ion_at = site - 1  # -1 is the vacancy
    vacancy = np.zeros(3, dtype=np.int64)
    every, frames = 200, []
    for k, s in enumerate(steps[rng.integers(6, size=jumps)]):
        to = (vacancy + s) % side
        ion = ion_at[tuple(to)]
        ion_at[tuple(vacancy)], ion_at[tuple(to)] = ion, -1
        place[ion] -= s
        vacancy = to
        if k % every == 0:
            frames.append(place.copy())
    path: made.Paths = {"Na": np.array(frames, dtype=np.float64)}
    found = run(path, charges={"Na": 1.0})
    assert found.diffusive, found.reason
    haven = conductivity(found).haven_ratio
    assert haven.interval is not None
    assert haven.covers(0.6531), haven


# --- verdicts and refusals ---------------------------------------------------------------------


def test_rattling_ions_and_short_runs_give_a_verdict_and_no_number() -> None:
    rng = np.random.default_rng(14)
    still: made.Paths = {k: np.array(rng.normal(size=(500, 10, 3)), np.float64) for k in CHARGES}
    rattling = run(still)
    short = run(made.independent(rng, frames=20))
    for found, verdict in ((rattling, "subdiffusive"), (short, "too short")):
        assert found.verdict == verdict
        assert found.conductivity_S_cm.value is None
        assert found.L_per_J_cm_s is None
        told = conductivity(found)
        assert told.haven_ratio.value is None
        assert told.terms == ()
        assert transference(found).onsager[0].value is None
        with pytest.raises(EvidenceError, match="no value"):
            found.conductivity_S_cm.get()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"charges": {"Na": 1.0}}, "one charge for each"),
        ({"charges": {"Na": 0.0, "X": 0.0}}, "no conductivity"),
        ({"temperature_K": -1.0}, "positive"),
        ({"volume_ang3": 0.0}, "positive"),
        ({"dt_ps": 0.0}, "positive"),
    ],
)
def test_wrong_settings_are_named(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(TrajectoryError, match=words):
        run(made.independent(np.random.default_rng(0), frames=50, ions=3), **changed)


def test_species_of_other_frames_are_refused() -> None:
    x = made.independent(np.random.default_rng(0), frames=50, ions=3)
    with pytest.raises(TrajectoryError, match="share their frames"):
        run({"Na": x["Na"], "X": x["X"][:40]})


def test_result_survives_json_and_speaks_html(free: OnsagerCoefficients) -> None:
    again = decode(encode(free))
    assert again.conductivity_S_cm == free.conductivity_S_cm
    np.testing.assert_array_equal(again.L_per_J_cm_s, free.L_per_J_cm_s)
    told = conductivity(free)
    assert isinstance(decode(encode(told)), Conductivity)
    assert "<table>" in free._repr_html_()
    assert "Haven" in told._repr_html_()
    assert "Onsager" in transference(free)._repr_html_()


def test_estimates_hold_value_and_reason_together() -> None:
    with pytest.raises(EvidenceError, match="reason"):
        Estimate(None, None)
    with pytest.raises(EvidenceError, match="backwards"):
        Estimate(1.0, (2.0, 0.0))
    assert Estimate(1.0, (0.5, 2.0)).times(-2.0).interval == (-4.0, -1.0)


def test_two_replicas_are_as_good_as_one_of_both_lengths() -> None:
    rng = np.random.default_rng(15)
    parts = [made.independent(rng, frames=800) for _ in range(2)]
    both = onsager_coefficients(
        {k: [p[k] for p in parts] for k in CHARGES}, charges=CHARGES, dt_ps=made.DT_PS,
        temperature_K=made.TEMPERATURE_K, volume_ang3=made.VOLUME_ANG3,
    )  # fmt: skip
    assert both.replicas == 2
    assert both.ions == (25, 25)
    assert both.diffusive
    assert both.conductivity_S_cm.covers(made.spectrum_to_conductivity(25 * 0.34))


# --- coverage ----------------------------------------------------------------------------------

MODELS = {
    "independent": (25 * 0.09, 25 * 0.25, 0.0),
    "correlated": (25 * 0.09, 25 * 0.135, 25 * 0.054),
    "paired": (25 * 0.09, 25 * 0.09, 25 * 0.09),
    "remembering": (25 * 0.0625, 25 * 0.1225, 0.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_intervals_cover_the_truth(name: str) -> None:
    """Of those with a value 87 % cover at least; the others are few, and are not counted.

    A species that diffuses is refused in up to 5 of 100 runs, as its slope is tested at 95 %: of 48
    runs of two species 43 have a value, give or take 2.
    """
    a, b, c = MODELS[name]
    unit = made.spectrum_to_conductivity(1.0)
    sigma, ideal = (a + b - 2 * c) * unit, (a + b) * unit
    hits: Counter[str] = Counter()
    values = 0
    for seed in range(48):
        found = run(getattr(made, name)(np.random.default_rng(500 + seed)))
        if not found.diffusive:
            continue
        values += 1
        told, shares = conductivity(found), transference(found)
        hits["sigma"] += told.einstein_helfand_S_cm.covers(sigma)
        hits["ionicity"] += told.ionicity.covers(sigma / ideal)
        for i, j, truth in ((0, 0, a), (0, 1, c), (1, 1, b)):
            L = found.coefficient(found.species[i], found.species[j])
            hits[f"L{i}{j}"] += L.covers(truth * unit / elementary_charge**2)
        if name != "paired":
            hits["haven"] += told.haven_ratio.covers(ideal / sigma)
            hits["t"] += shares.onsager[0].covers((a - c) / (a + b - 2 * c))
    assert values >= 36
    assert min(hits.values()) >= 0.87 * values, (values, hits)
