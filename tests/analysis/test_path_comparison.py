"""One path at two levels: differences image by image, and the barrier with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from superionic.analysis.path_comparison import ImageComparison, PathComparison
from superionic.structures.errors import EvidenceError


def made(
    local: Sequence[float],
    returned: Sequence[float | None],
    *,
    kind: str = "single-points",
    converged: bool = False,
) -> PathComparison:
    return PathComparison(
        key="h0",
        local_theory="chgnet-0.3.0",
        returned_theory="vasp-pbe",
        kind=kind,
        images=tuple(
            ImageComparison(
                index=k,
                state="finished" if b is not None else "crashed",
                reason="" if b is not None else "out of memory",
                local_eV=a,
                returned_eV=b,
                residual_force_eV_per_A=0.1 * k if 0 < k < len(local) - 1 else None,
                displacement_ang=0.0,
            )
            for k, (a, b) in enumerate(zip(local, returned, strict=True))
        ),
        returned_converged=converged,
    )


def test_differences_and_their_effect() -> None:
    found = made([0.0, 0.2, 0.3, 0.1], [0.0, 0.3, 0.45, 0.05])
    assert [i.difference_eV for i in found.images] == pytest.approx([0.0, 0.1, 0.15, -0.05])
    assert found.complete
    assert found.local.forward_barrier_eV == pytest.approx(0.3)
    assert found.returned is not None
    assert found.returned.forward_barrier_eV == pytest.approx(0.45)
    assert found.returned.reverse_barrier_eV == pytest.approx(0.4)
    assert found.barrier_change_eV == pytest.approx(0.15)
    assert found.largest_difference_eV == pytest.approx(0.15)
    assert found.largest_residual_force_eV_per_A == pytest.approx(0.2)
    assert "+0.150 eV" in found.summary
    assert "on the path of chgnet-0.3.0" in found.summary


def test_softening_is_the_slope_through_the_first_image() -> None:
    returned = [0.0, 0.2, 0.5, 0.1]
    found = made([0.8 * e for e in returned], returned)
    assert found.softening == pytest.approx(0.8)
    assert made([0.0, 0.1, 0.0], [0.0, 0.002, 0.001]).softening is None


def test_the_highest_image_may_be_another() -> None:
    found = made([0.0, 0.2, 0.3, 0.1], [0.0, 0.4, 0.3, 0.1])
    assert "highest image is 01 instead of 02" in found.summary


def test_missing_images_leave_no_barrier() -> None:
    found = made([0.0, 0.2, 0.3, 0.1], [0.0, 0.3, None, 0.05])
    assert found.missing == (2,)
    assert not found.complete
    assert found.returned is None
    assert found.barrier_change_eV is None
    assert found.softening is None
    assert found.largest_difference_eV == pytest.approx(0.1)
    assert "images 02 have no energy" in found.summary


def test_only_a_band_is_converged() -> None:
    assert "its own band" in made([0, 0.1, 0], [0, 0.2, 0], kind="band", converged=True).summary
    with pytest.raises(EvidenceError, match="no converged band"):
        made([0, 0.1, 0], [0, 0.2, 0], converged=True)


@pytest.mark.parametrize("local", [[0.0], [0.1, 0.2, 0.3]])
def test_what_is_no_path_is_refused(local: list[float]) -> None:
    with pytest.raises(EvidenceError, match="relative to the first"):
        made(local, [0.0] * len(local))


def test_a_force_of_zero_is_a_force() -> None:
    found = made([0.0, 0.1, 0.0], [0.0, 0.2, 0.0])
    quiet = replace(found.images[1], residual_force_eV_per_A=0.0)
    exact = replace(found, images=(found.images[0], quiet, found.images[2]))
    assert exact.largest_residual_force_eV_per_A == 0.0
    unknown = replace(quiet, residual_force_eV_per_A=None)
    none = replace(found, images=(found.images[0], unknown, found.images[2]))
    assert none.largest_residual_force_eV_per_A is None
