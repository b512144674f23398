"""A hop named in the structure as given is the same hop in the relaxed one."""

from __future__ import annotations

import numpy as np
import pytest

from superionic.structures.errors import InvalidHopError, NoHopFoundError
from superionic.structures.structure import Structure, minimum_image
from superionic.workflows.commands.hops import HopQuery, in_relaxed_host, listed_hops, pick_hops
from superionic.workflows.commands.loading import WholeAtoms

NONE_EMPTY = np.zeros((0, 3))


def box(*lengths: float, sites: list[tuple[str, tuple[float, float, float]]]) -> Structure:
    """Return atoms at Cartesian positions in an orthogonal cell."""
    from ase.data import atomic_numbers

    return Structure(
        numbers=np.array([atomic_numbers[symbol] for symbol, _ in sites]),
        positions=np.array([position for _, position in sites]),
        cell=np.diag(lengths),
    )


def whole(structure: Structure) -> WholeAtoms:
    return WholeAtoms(structure, NONE_EMPTY, ())


def test_same_hop_though_lengths_swap() -> None:
    sodium: list[tuple[str, tuple[float, float, float]]] = [("Na", (0.0, 0.0, 0.0))]
    query = HopQuery("Na", max_length_ang=3.5)
    search = query.search(whole(box(3.0, 3.2, 6.0, sites=sodium)))
    along_a, along_b = listed_hops(search)
    relaxed = query.search_relaxed(search, box(3.3, 3.1, 6.0, sites=sodium))
    assert relaxed.classes[0].length_ang == pytest.approx(3.1)
    for listed, length in ((along_a, 3.3), (along_b, 3.1)):
        hop, kinds = in_relaxed_host(listed, relaxed)
        assert hop.length_ang == pytest.approx(length)
        assert hop.key == listed.hop.key
        assert kinds == 1


@pytest.mark.parametrize(("before", "after"), [(2.1, 1.1), (1.1, 2.1), (2.1, 2.1)])
def test_same_direction_though_sites_change_rank(before: float, after: float) -> None:
    """The chlorine decides which of two sites without a name is the first."""

    def chain(height: float) -> Structure:
        return box(
            4.0, 4.0, 8.0,
            sites=[("Na", (0, 0, 0)), ("Na", (0, 0, 3.2)), ("Cl", (2, 2, height))],
        )  # fmt: skip

    query = HopQuery("Na", max_length_ang=3.5)
    search = query.search(whole(chain(before)))
    (listed,) = listed_hops(search)
    hop, _ = in_relaxed_host(listed, query.search_relaxed(search, chain(after)))
    assert hop.displacement == pytest.approx(listed.hop.displacement)
    assert hop.site_types == listed.hop.site_types
    chlorine = hop.host.positions[hop.host.indices("Cl")[0]]
    start = minimum_image(hop.host.positions[hop.ion] - chlorine, hop.host.cell, (True,) * 3)
    upward = bool(hop.displacement[2] > 0)
    assert abs(start[2]) == pytest.approx(after if upward else 3.2 - after)


def test_lower_symmetry_is_noticed() -> None:
    sodium: list[tuple[str, tuple[float, float, float]]] = [("Na", (0.0, 0.0, 0.0))]
    query = HopQuery("Na", max_length_ang=3.5)
    search = query.search(whole(box(3.0, 3.0, 3.0, sites=sodium)))
    (listed,) = listed_hops(search)
    assert in_relaxed_host(listed, query.search_relaxed(search, search.base.structure))[1] == 1
    _, kinds = in_relaxed_host(
        listed, query.search_relaxed(search, box(3.0, 3.2, 3.4, sites=sodium))
    )
    assert kinds == 3


def test_hop_that_relaxation_ends_has_no_barrier() -> None:
    sodium: list[tuple[str, tuple[float, float, float]]] = [("Na", (0.0, 0.0, 0.0))]
    query = HopQuery("Na", max_length_ang=3.5)
    search = query.search(whole(box(3.0, 3.2, 6.0, sites=sodium)))
    stretched = query.search_relaxed(search, box(3.0, 5.0, 6.0, sites=sodium))
    along_a, along_b = listed_hops(search)
    assert in_relaxed_host(along_a, stretched)[0].length_ang == pytest.approx(3.0)
    with pytest.raises(NoHopFoundError, match="gone after relaxation"):
        in_relaxed_host(along_b, stretched)


def test_empty_sites_follow_the_lattice() -> None:
    salt = box(4.0, 4.0, 6.0, sites=[("Na", (0, 0, 0)), ("Cl", (2, 2, 3))])
    atoms = WholeAtoms(salt, np.array([[0.0, 0.0, 3.0]]), ("Na2",))
    query = HopQuery("Na", max_length_ang=3.5, mechanism="hole")
    search = query.search(atoms)
    (listed,) = listed_hops(search)
    longer = box(4.0, 4.0, 6.6, sites=[("Na", (0, 0, 0)), ("Cl", (2, 2, 3.3))])
    hop, _ = in_relaxed_host(listed, query.search_relaxed(search, longer))
    assert hop.length_ang == pytest.approx(3.3)
    assert hop.mechanism == "hole"


def test_hosts_of_a_conventional_cell_are_relaxed_in_the_primitive_one() -> None:
    corners = [(0, 0, 0), (0, 2, 2), (2, 0, 2), (2, 2, 0)]
    query = HopQuery("Na", max_length_ang=3.0, min_atoms=20)
    search = query.search(whole(box(4.0, 4.0, 4.0, sites=[("Na", xyz) for xyz in corners])))
    assert len(search.base.structure) == 1
    (listed,) = listed_hops(search)
    hop, _ = in_relaxed_host(listed, query.search_relaxed(search, search.base.structure))
    assert len(hop.host) == len(listed.hop.host) >= 19
    assert hop.length_ang == pytest.approx(listed.hop.length_ang)


def test_picking_hops() -> None:
    sodium: list[tuple[str, tuple[float, float, float]]] = [("Na", (0.0, 0.0, 0.0))]
    listed = listed_hops(HopQuery("Na").search(whole(box(3.0, 3.2, 3.4, sites=sodium))))
    assert pick_hops(listed, ()) == pick_hops(listed, ("all",)) == listed
    assert pick_hops(listed, ("1", listed[1].hop.key)) == (listed[1],)
    assert pick_hops(listed, ("2", "0")) == (listed[2], listed[0])
    with pytest.raises(InvalidHopError, match="no hop '-1'"):
        pick_hops(listed, ("-1",))
