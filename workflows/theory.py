"""Levels of theory by name: what computes energies and forces, and what it may be asked.

Workflows take a name such as ``"chgnet-0.3.0"`` or ``"sevennet-l3i5+d3bj"`` and never a
calculator class.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from superionic.structures.errors import TheoryError, UnknownElementError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ase.calculators.calculator import BaseCalculator

    from superionic.structures.structure import Structure

Code = Literal["chgnet", "sevennet", "emt", "lj"]

CHGNET_MODELS = {"0.3.0": "0.3.0", "r2scan": "r2scan"}
SEVENNET_MODELS = {"0": "7net-0", "l3i5": "7net-l3i5"}
CUTOFFS_ANG = {"chgnet": 6.0, "sevennet": 5.0, "emt": 6.0, "lj": 10.0}
"""Reach of one interaction in angstrom; a vacuum thinner than this lets images meet."""
UNTRAINED = {
    "0.3.0": frozenset({"Po", "At", "Rn", "Fr", "Ra"}),
    "r2scan": frozenset({"Po", "At", "Rn", "Fr", "Ra", "Yb"}),
}
"""Elements up to Pu that a CHGNet model takes in but was never trained on: 89 of the 94 occur in
its data (doi 10.1038/s42256-023-00716-3); the reference energies of these are as initialised."""
D3_FUNCTIONALS = {"chgnet-0.3.0": "pbe", "sevennet-0": "pbe", "sevennet-l3i5": "pbe"}
"""Functional whose D3(BJ) parameters fit a model's training data."""


@dataclass(frozen=True)
class Theory:
    """A level of theory.

    Attributes
    ----------
    name : str
        ``code-model`` with ``+d3bj`` where dispersion is added.
    code : {"chgnet", "sevennet", "emt", "lj"}
        Which code computes it.
    model : str
        The code's own name of the model.
    dispersion : {"", "d3bj"}
        Added dispersion correction.
    functional : str
        What the model was trained to reproduce; empty for toys.
    """

    name: str
    code: Code
    model: str
    dispersion: str
    functional: str

    @property
    def cutoff_ang(self) -> float:
        """Reach of a single interaction in angstrom (dispersion left out)."""
        return CUTOFFS_ANG[self.code]

    def check(self, structure: Structure) -> None:
        """Raise unless every element of the structure is known to this level of theory.

        Raises
        ------
        UnknownElementError
            Names the unknown elements.
        """
        unknown = sorted(set(structure.symbols) - known_elements(self.name))
        if unknown:
            raise UnknownElementError(
                f"{self.name} has no parameters for {', '.join(unknown)}. Choose another level of "
                f"theory ({', '.join(theory_names())})."
            )

    def calculator(self) -> BaseCalculator:
        """Return an ASE calculator; the model behind it is loaded once a process.

        Raises
        ------
        TheoryError
            The code is not installed.
        """
        base = _base_calculator(self.code, self.model)
        if not self.dispersion:
            return base
        from ase.calculators.mixing import SumCalculator

        return SumCalculator([base, _dispersion(D3_FUNCTIONALS[self.name.split("+")[0]])])


def theory_names() -> tuple[str, ...]:
    """Return the names of all levels of theory, without their ``+d3bj`` variants."""
    models = [f"chgnet-{m}" for m in CHGNET_MODELS] + [f"sevennet-{m}" for m in SEVENNET_MODELS]
    return (*models, "emt", "lj")


def get_theory(name: str) -> Theory:
    """Look up a level of theory.

    Parameters
    ----------
    name
        ``chgnet-0.3.0``, ``chgnet-r2scan``, ``sevennet-0``, ``sevennet-l3i5``, ``emt`` or ``lj``;
        the models trained on PBE also with ``+d3bj``.

    Raises
    ------
    TheoryError
        No such level; the message lists them.
    """
    base, plus, dispersion = name.partition("+")
    if base not in theory_names() or (plus and dispersion != "d3bj"):
        raise TheoryError(
            f"Unknown level of theory '{name}'. Known: {', '.join(theory_names())}; with '+d3bj' "
            f"also {', '.join(D3_FUNCTIONALS)}."
        )
    if dispersion and base not in D3_FUNCTIONALS:
        raise TheoryError(
            f"'{name}': D3(BJ) is parametrised here for models trained on PBE only "
            f"({', '.join(D3_FUNCTIONALS)})."
        )
    code, _, model = base.partition("-")
    functional = {"chgnet-r2scan": "r2scan"}.get(base, "pbe" if model else "")
    return Theory(
        name=name,
        code=code,  # type: ignore[arg-type]
        model={**CHGNET_MODELS, **SEVENNET_MODELS}.get(model, model),
        dispersion=dispersion,
        functional=functional,
    )


@functools.cache
def known_elements(name: str) -> frozenset[str]:
    """Return the chemical symbols a level of theory has parameters for."""
    from ase.data import chemical_symbols

    theory = get_theory(name)
    if theory.code == "emt":
        from ase.calculators.emt import parameters

        return frozenset(parameters)
    if theory.code == "lj":
        return frozenset(chemical_symbols[1:])
    if theory.code == "chgnet":
        return frozenset(chemical_symbols[1:95]) - UNTRAINED[theory.model]
    calculator: Any = _base_calculator(theory.code, theory.model)
    return frozenset(chemical_symbols[z] for z in calculator.type_map)


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


def _base_calculator(code: Code, model: str) -> BaseCalculator:
    """Return the calculator of one code without dispersion."""
    if code == "emt":
        from ase.calculators.emt import EMT

        return EMT()
    if code == "lj":
        from ase.calculators.lj import LennardJones

        return LennardJones(sigma=1.0, epsilon=1.0, rc=10.0, smooth=True)
    _require({"chgnet": "chgnet", "sevennet": "sevenn"}[code])
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


def _dispersion(functional: str) -> BaseCalculator:
    """Return a D3(BJ) calculator (Grimme et al., doi 10.1002/jcc.21759)."""
    _require("dftd3")
    from dftd3.ase import DFTD3

    return DFTD3(method=functional, damping="d3bj")


def _require(module: str) -> None:
    """Raise a readable error when a code is missing."""
    if importlib.util.find_spec(module) is None:
        raise TheoryError(
            f"The Python package '{module}' is not installed here; install it, or choose another "
            "level of theory."
        )
