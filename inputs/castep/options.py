"""What a deck of CASTEP says beyond the specification: pseudopotentials, other keywords."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from superionic.structures.errors import DeckError

DEFAULT_LIBRARY = "C19"
"""On-the-fly ultrasoft set of CASTEP 19 (delta 0.44 meV against all-electron references)."""
LIBRARIES = (
    "C7", "C8", "C9", "C17", "C18", "C19", "QC5", "HARD", "MS", "NCP", "NCP9", "NCP17", "NCP18",
    "NCP19",
)  # fmt: skip
"""Sets of pseudopotentials that CASTEP makes on the fly."""


@dataclass(frozen=True)
class CastepOptions:
    """How CASTEP is told.

    Attributes
    ----------
    library : str
        Set of pseudopotentials that CASTEP makes on the fly, or a file ending in ``.otfglib``;
        empty for the default of its version.
    potentials : dict of str to str
        Potential of an element where it is another: a library, the text that CASTEP makes one
        from, or a file such as ``O_00PBE.usp``.
    seed : str
        Name of the files before ``.cell`` and ``.param``.
    extra_param, extra_cell : dict of str
        Other keywords. One that the specification decides is refused.

    Raises
    ------
    DeckError
        An unknown library or keyword, or a seed that no file can have.
    """

    library: str = DEFAULT_LIBRARY
    potentials: Mapping[str, str] = field(default_factory=dict)
    seed: str = "castep"
    extra_param: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    extra_cell: Mapping[str, str | int | float | bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Validate."""
        from superionic.inputs.castep.keys import SPEC_CELL, SPEC_PARAM, as_text
        from superionic.inputs.keywords import check_keywords
        from superionic.inputs.typed import did_you_mean

        known = ("", *LIBRARIES)
        if self.library not in known and not self.library.endswith(".otfglib"):
            raise DeckError(
                f"CASTEP has no library of pseudopotentials '{self.library}'. "
                f"{did_you_mean(self.library.upper(), LIBRARIES)}"
            )
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", self.seed):
            raise DeckError(
                f"A seed is letters, digits, '-' and '_', since files are named after it; got "
                f"'{self.seed}'."
            )
        for name, kind, owned in (
            ("extra_param", "param", SPEC_PARAM),
            ("extra_cell", "cell", SPEC_CELL),
        ):
            extra = {k.lower(): as_text(v) for k, v in getattr(self, name).items()}
            check_keywords(kind, extra, where="CASTEP options")
            for key in extra:
                if key in owned:
                    raise DeckError(
                        f"{key} is decided by the specification ({owned[key]}); change it there, "
                        f"not in {name}."
                    )
            object.__setattr__(self, name, extra)
        object.__setattr__(self, "potentials", dict(self.potentials))
