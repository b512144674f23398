"""A carboxylate that bridges two metals: where its atoms go for given distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from superionic.structures.caps import CARBOXYLATE_ANGLE_DEG, CARBOXYLATE_CO_ANG
from superionic.structures.errors import InvalidStructureError

if TYPE_CHECKING:
    from numpy.typing import NDArray

BITE_ANG = 2 * CARBOXYLATE_CO_ANG * float(np.sin(np.radians(CARBOXYLATE_ANGLE_DEG / 2)))
"""Distance of the two oxygens of a carboxylate in angstrom."""

DEPTH_ANG = CARBOXYLATE_CO_ANG * float(np.cos(np.radians(CARBOXYLATE_ANGLE_DEG / 2)))
"""How far the carbon is beyond the line through both oxygens, in angstrom."""


@dataclass(frozen=True, eq=False)
class Bridge:
    """A carboxylate between two metals, in the plane of both.

    ``sides`` are the oxygens from their metals (along the line of both metals, across it);
    ``carbon`` is that from the second metal; ``along`` and ``out`` are the directions of the
    carboxylate.
    """

    sides: tuple[NDArray[np.float64], NDArray[np.float64]]
    carbon: NDArray[np.float64]
    along: NDArray[np.float64]
    out: NDArray[np.float64]


def bridge_between(first: float, second: float, length: float) -> Bridge:
    """Fit a carboxylate between two metals, with equal M-O-C angles.

    Parameters
    ----------
    first, second
        Distance of each metal to its oxygen in angstrom.
    length
        Distance of the metals in angstrom.
    """
    total, difference = first + second, first - second
    # |(bite + total c, difference s)| = length, with c and s the cosine and sine of the angle
    # between O-M and the line through both oxygens
    a, b = 4 * first * second, 2 * BITE_ANG * total
    inside = b * b - 4 * a * (BITE_ANG**2 + difference**2 - length**2)
    cosine = (-b + np.sqrt(inside)) / (2 * a) if inside >= 0 else np.inf
    if not -0.5 <= cosine <= 0.8:
        raise InvalidStructureError(
            f"No carboxylate bridges metals {length:.2f} A apart at M-O distances of {first:.2f} "
            f"and {second:.2f} A. Correct metal_oxygen_ang or metal_metal_ang."
        )
    sine = np.sqrt(1 - cosine**2)
    metals = np.array(
        [
            [BITE_ANG / 2 + first * cosine, -first * sine],
            [-BITE_ANG / 2 - second * cosine, -second * sine],
        ]
    )
    line = (metals[0] - metals[1]) / length
    frame = np.array([line, [-line[1], line[0]]]).T  # carboxylate -> (along the metals, across)
    oxygens = np.array([[BITE_ANG / 2, 0.0], [-BITE_ANG / 2, 0.0]])
    sides = (oxygens - metals) @ frame
    return Bridge(
        sides=(sides[0], sides[1]),
        carbon=(np.array([0.0, DEPTH_ANG]) - metals[1]) @ frame,
        along=np.array([1.0, 0.0]) @ frame,
        out=np.array([0.0, 1.0]) @ frame,
    )


def tilted_bridge(
    start: NDArray[np.float64], end: NDArray[np.float64], first: float, second: float
) -> tuple[Bridge, NDArray[np.float64], float]:
    """Return a bridge of two metals around the origin, its outward direction and its tilt.

    The tilt out of the plane of the metals, in radian, is that at which the oxygens stand as far
    above the plane as beside the axis of their metal, on average over both.
    """
    length = float(np.linalg.norm(start - end))
    bridge = bridge_between(first, second, length)
    line = (start - end) / length
    across = start - (start @ line) * line
    across /= np.linalg.norm(across)
    flat, fixed, high = 0.0, 0.0, 0.0
    for metal, inward, side in ((start, -line, bridge.sides[0]), (end, line, bridge.sides[1])):
        spoke = metal / np.linalg.norm(metal)
        aside = inward - (inward @ spoke) * spoke
        aside /= np.linalg.norm(aside)
        flat += side[1] * float(across @ aside) / 2
        fixed += side[0] * float(line @ aside) / 2
        high += side[1] / 2
    # high sin(tilt) = flat cos(tilt) + fixed
    tilt = np.arctan2(flat, high) + np.arcsin(np.clip(fixed / np.hypot(flat, high), -1, 1))
    return bridge, across, float(tilt)
