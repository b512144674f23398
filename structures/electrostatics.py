"""Electrostatic energy of point charges on a lattice of sites, as a matrix to decorate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def ewald_matrix(fractional: ArrayLike, cell: ArrayLike) -> NDArray[np.float64]:
    """Return M with energy ``q @ M @ q`` for any charges q (in e) on the sites.

    Self terms lie on the diagonal. A uniform background neutralises a charged cell; its energy is
    spread over all entries, so that the result does not depend on the splitting parameter.

    Parameters
    ----------
    fractional
        Site positions in units of the lattice vectors. shape=(sites, 3)
    cell
        Lattice vectors as rows, in angstrom. shape=(3, 3)

    Returns
    -------
    ndarray
        Energies in eV per e squared, for one cell. shape=(sites, sites)

    References
    ----------
    P. P. Ewald, Ann. Phys. 369, 253 (1921), doi:10.1002/andp.19213690304; summed by pymatgen.
    """
    from pymatgen.core.ewald import EwaldSummation
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.periodic_table import Species
    from pymatgen.core.structure import Structure as PymatgenStructure

    sites = np.asarray(fractional, dtype=float).reshape(-1, 3)
    probe = PymatgenStructure(Lattice(np.asarray(cell)), [Species("H", 1)] * len(sites), sites)
    ewald = EwaldSummation(probe)
    matrix = np.array(ewald.total_energy_matrix, dtype=float)
    background = float(ewald.total_energy) - matrix.sum()
    matrix += background / len(sites) ** 2
    return np.asarray(0.5 * (matrix + matrix.T))
