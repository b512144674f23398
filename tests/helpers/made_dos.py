"""Densities of states in VASP's XML, for the small salt."""

from __future__ import annotations

import numpy as np


def metal_dos(spins: int = 2) -> str:
    """Densities of the four atoms of the small salt, d states of atom a around a - 1.5 eV."""
    energies = np.linspace(-6.0, 4.0, 201)
    fields = ("energy", "s", "p", "d")

    def rows(values: np.ndarray) -> str:
        lines = (f"<r>{e:.4f} {' '.join(f'{x:.6f}' for x in v)}</r>"
                 for e, v in zip(energies, values, strict=True))  # fmt: skip
        return "".join(lines)

    shapes = [np.exp(-((energies - a + 1.5) ** 2))[:, None] * [0.2, 0.5, 1.0] for a in range(4)]
    whole = np.sum(shapes, axis=0).sum(axis=1)
    total = "".join(
        f'<set comment="spin {s + 1}">{rows(np.column_stack([whole, 0 * whole]))}</set>'
        for s in range(spins)
    )
    partial = "".join(
        f'<set comment="ion {a + 1}">'
        + "".join(f'<set comment="spin {s + 1}">{rows(shapes[a])}</set>' for s in range(spins))
        + "</set>"
        for a in range(4)
    )
    each = "".join(f"<field>{name}</field>" for name in fields)
    return (
        f'<dos><i name="efermi">0.5</i><total><array><set>{total}</set></array></total>'
        f"<partial><array>{each}<set>{partial}</set></array></partial></dos>"
    )
