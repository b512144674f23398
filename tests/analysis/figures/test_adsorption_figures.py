"""Figures of adsorption at nodes: what is drawn is what was given, and nothing is made up."""

from __future__ import annotations

from dataclasses import replace

import made_nodes
import pytest

from superionic.analysis.figures.adsorption_scaling import (
    adsorption_scaling,
    adsorption_scaling_data,
    scaling_points,
)
from superionic.analysis.figures.adsorption_screen import (
    adsorption_screen,
    adsorption_screen_data,
)
from superionic.analysis.figures.ion_pair_binding import ion_pair_binding, ion_pair_binding_data
from superionic.analysis.node_binding import Contact, PairBinding
from superionic.structures.errors import EvidenceError

PRINTED = {"Fe3": -0.27, "Ni3": -0.55}


def pair(theory: str, node: str = "Fe2Ni") -> PairBinding:
    return PairBinding(node, "Na+", "TFSI-", theory, -5.8, -2.5, -0.7, "O", "O | Na 1 node 2 own")


def test_screen_draws_every_node_mode_and_level() -> None:
    results = [*made_nodes.nine()[:8], made_nodes.without_value("Co2Ni")]
    figure = adsorption_screen(results, published_eV=PRINTED, fidelity="quick")
    (ax,) = figure.axes
    drawn = {line.get_gid(): line for line in ax.lines if line.get_gid()}
    assert len(drawn) == 8 * 2 * 2 + 2
    place = drawn[f"Fe2Ni-{made_nodes.THEORY}-O"].get_xdata()
    assert list(place) == [-3.0]  # type: ignore[arg-type]
    assert list(drawn["published-Ni3"].get_xdata()) == [-0.55]  # type: ignore[arg-type]
    assert any("no value: unconverged" in text.get_text() for text in ax.texts)


def test_screen_numbers() -> None:
    results = [*made_nodes.nine()[:8], made_nodes.without_value("Co2Ni")]
    data = adsorption_screen_data(results, published_eV=PRINTED, fidelity="quick")
    rows = [dict(zip(data.header, row, strict=True)) for row in data.rows]
    assert len(rows) == 8 * 2 * 2 + 1
    lowest = [r for r in rows if r["kind"] == "lowest" and r["theory"] == made_nodes.THEORY]
    assert {r["node"]: r["adsorption_energy_eV"] for r in lowest}["Fe2Ni"] == -3.0
    assert rows[-1]["adsorption_energy_eV"] is None
    assert {r["node"] for r in rows if r["published_eV"] is not None} == {"Fe3", "Ni3"}


def test_no_value_no_figure() -> None:
    with pytest.raises(EvidenceError, match="at least one value"):
        adsorption_screen([made_nodes.without_value("Fe3")], fidelity="quick")
    with pytest.raises(EvidenceError, match="values of one node; got none"):
        ion_pair_binding([], fidelity="quick")
    with pytest.raises(EvidenceError, match="values of one node"):
        ion_pair_binding([pair("a"), pair("a", "Co2Ni")], fidelity="quick")
    with pytest.raises(EvidenceError, match="No node has both"):
        adsorption_scaling([], centre="PBE", adsorbate="TFSI-", theory="x")


def test_pair_bars() -> None:
    figure = ion_pair_binding([pair("gfn1-xtb"), pair("gfn1-xtb@eps7.5")], fidelity="quick")
    (ax,) = figure.axes
    heights = [bar.get_height() for bar in ax.patches]  # type: ignore[attr-defined]
    assert heights == pytest.approx([-2.5, -4.0, -5.8] * 2)
    data = ion_pair_binding_data([pair("gfn1-xtb")], fidelity="quick")
    row = dict(zip(data.header, data.rows[0], strict=True))
    assert row["weakened_eV"] == pytest.approx(1.8)


def test_scaling_takes_sites_with_both_numbers() -> None:
    results = made_nodes.nine()
    centres = {"Fe3": {"Fe": -1.9}, "Fe2Ni": {"Fe": -2.2, "Ni": -1.3}, "Co3": {"Co": -2.0}}
    points = scaling_points(results, centres)
    assert [(p[0], p[1]) for p in points] == [("Fe3", "Fe"), ("Co3", "Co"), ("Fe2Ni", "Fe")], (
        "no start is at Ni"
    )
    figure = adsorption_scaling(points, centre="PBE", adsorbate="TFSI-", theory="gfn1-xtb")
    assert figure.axes[0].get_xlabel() == "d-band centre (eV), PBE"
    assert adsorption_scaling_data(points, centre="PBE").rows[0][3] == -1.9


def test_scaling_counts_where_it_relaxed_to() -> None:
    """Put at Ni and slid to Fe: an energy of Fe; held by both, of neither."""
    centres = {"Fe2Ni": {"Fe": -2.2, "Ni": -1.3}}
    whole = made_nodes.adsorption("Fe2Ni", {"O": -2.0, "O,O ring 6": -3.0}, wet_shift=None)
    slid = replace(whole.starts[1], site="Ni3")
    moved = replace(whole, starts=(whole.starts[0], slid, whole.starts[2]))
    assert [(p[1], p[4]) for p in scaling_points([moved], centres)] == [("Fe", -3.0)]
    both = replace(slid, contacts=(*slid.contacts, Contact("Ni3", ("O",), (2.2,))))
    shared = replace(whole, starts=(whole.starts[0], both, whole.starts[2]))
    assert [(p[1], p[4]) for p in scaling_points([shared], centres)] == [("Fe", -2.0)]
    atni = replace(slid, contacts=(Contact("Ni3", ("O",), (2.2,)),))
    apart = replace(whole, starts=(whole.starts[0], atni, whole.starts[2]))
    assert [(p[1], p[4]) for p in scaling_points([apart], centres)] == [
        ("Fe", -2.0), ("Ni", -3.0),
    ]  # fmt: skip
