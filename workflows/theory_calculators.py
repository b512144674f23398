"""The calculator behind each code, its model loaded once a process."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import warnings
from typing import TYPE_CHECKING, Any, Literal

from superionic.structures.errors import TheoryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ase.calculators.calculator import BaseCalculator

Code = Literal["chgnet", "sevennet", "emt", "lj", "tblite", "pyscf"]

PACKAGES = {
    "chgnet": "chgnet", "sevennet": "sevenn", "tblite": "tblite", "pyscf": "pyscf",
    "emt": "ase", "lj": "ase",
}  # fmt: skip
"""Python package behind each code."""
PYSCF_BASIS = "def2-svp"
"""Basis set of the PySCF levels."""
SOLVENT_CODES = ("tblite", "pyscf")
"""Codes that can put a molecule into a continuum."""


def pick_device() -> str:
    """Return ``cuda`` where a usable GPU is, else ``cpu``."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow what third-party loaders print and warn about; errors pass."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield


def base_calculator(
    code: Code,
    model: str,
    charge: int = 0,
    spin_multiplicity: int = 1,
    permittivity: float | None = None,
) -> BaseCalculator:
    """Return the calculator of one code without dispersion.

    Parameters
    ----------
    code, model
        Which code, and its own name of the model, method or functional.
    charge, spin_multiplicity
        Total charge in e, and 2S + 1.
    permittivity
        Relative permittivity of a continuum around a molecule; None for free space.

    Raises
    ------
    TheoryError
        The code is not installed.
    """
    if code == "emt":
        from ase.calculators.emt import EMT

        return EMT()
    if code == "lj":
        from ase.calculators.lj import LennardJones

        return LennardJones(sigma=1.0, epsilon=1.0, rc=10.0, smooth=True)
    _require(PACKAGES[code])
    if code in SOLVENT_CODES:
        from superionic.workflows.molecule_calculators import (
            MoleculeState,
            PySCFMolecule,
            SteadyXTB,
        )

        state = MoleculeState(charge, spin_multiplicity, permittivity)
        if code == "tblite":
            return SteadyXTB(method=model, state=state)
        return PySCFMolecule(functional=model, basis=PYSCF_BASIS, state=state)
    if code == "chgnet":
        from superionic.workflows.calculators import CHGNetFixedCell

        return CHGNetFixedCell(_load_chgnet(model, pick_device()))
    return _load_sevennet(model, pick_device())


@functools.cache
def _load_chgnet(model: str, device: str) -> Any:
    """Load a CHGNet model once a process, weights frozen (only forces are differentiated)."""
    with quiet():
        from chgnet.model.model import CHGNet

        network = CHGNet.load(model_name=model, use_device=device, verbose=False)
    network.requires_grad_(False)
    network.eval()
    return network


@functools.cache
def _load_sevennet(model: str, device: str) -> BaseCalculator:
    """Load a SevenNet calculator once a process (Park et al., doi 10.1021/acs.jctc.4c00190)."""
    with quiet():
        from sevenn.calculator import SevenNetCalculator

        return SevenNetCalculator(model=model, device=device)


def _require(module: str) -> None:
    """Raise a readable error when a code is missing."""
    if importlib.util.find_spec(module) is None:
        raise TheoryError(
            f"The Python package '{module}' is not installed here; install it, or choose another "
            "level of theory."
        )
