"""Tables of adsorption at nodes: what has no value has a row that says why."""

from __future__ import annotations

from dataclasses import replace

import made_nodes

from superionic.workflows.report.node_blocks import adsorption_table


def test_a_value_missing_at_one_level_is_told() -> None:
    whole = made_nodes.adsorption("Co3", {"O": -2.0, "O,O ring 6": -2.4})
    first, second = (v for v in whole.values if v.theory == made_nodes.WET)
    lacking = replace(
        whole,
        values=tuple(v for v in whole.values if v != first),
        missing=((made_nodes.WET, f"{first.start}: not self-consistent"),),
    )
    rows = adsorption_table([lacking], caption="").rows
    assert [row[4] for row in rows] == [-2.4, -2.0, second.adsorption_energy_eV, "no value"]
    assert rows[-1][3] == made_nodes.WET
    assert rows[-1][-1] == f"{first.start}: not self-consistent"
    words = [row[5] for row in rows if row[3] == made_nodes.WET]
    assert words == ["", ""], "which is the lowest there is not known"
    assert [row[5] for row in adsorption_table([whole], caption="").rows] == [
        "lowest", "", "lowest", "",
    ]  # fmt: skip


def test_a_node_without_a_value_says_why() -> None:
    (row,) = adsorption_table([made_nodes.without_value("Fe3")], caption="").rows
    assert (row[1], row[3], row[4]) == ("Fe3", made_nodes.THEORY, "no value")
    assert "cap-hit" in str(row[-1])
