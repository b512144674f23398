"""What a deck of VASP says beyond the specification: potentials, precision, other INCAR tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from superionic.inputs.dft_parts import check_choice
from superionic.structures.errors import DeckError

Precision = Literal["Normal", "Accurate", "Single", "Low", "Medium", "High"]


@dataclass(frozen=True)
class VaspOptions:
    """How VASP is told.

    Attributes
    ----------
    precision : str
        PREC.
    potential_set : str
        Released set of potentials, such as ``PBE_54``.
    potentials : dict of str to str
        Potential of an element, such as ``{"Ti": "Ti_pv"}``; those left out take the one that the
        VASP Wiki recommends (`superionic.inputs.vasp.potentials`).
    extra : dict of str
        Other INCAR tags. A tag that the specification decides is refused.

    Raises
    ------
    DeckError
        An unknown precision, tag or element.
    """

    precision: Precision = "Accurate"
    potential_set: str = "PBE_54"
    potentials: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, str | int | float | bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Validate."""
        from superionic.inputs.keywords import check_keywords
        from superionic.inputs.vasp.tags import SPEC_TAGS, as_text

        check_choice("precision", self.precision, Precision)
        extra = {k.upper(): as_text(v) for k, v in self.extra.items()}
        check_keywords("INCAR", extra, where="VASP options")
        for tag in extra:
            if tag in SPEC_TAGS:
                raise DeckError(
                    f"{tag} is decided by the specification ({SPEC_TAGS[tag]}); change it there, "
                    "not among the extra tags."
                )
        object.__setattr__(self, "extra", extra)
        object.__setattr__(self, "potentials", dict(self.potentials))
        for element, label in self.potentials.items():
            if label.split("_")[0].split(".")[0] != element:
                raise DeckError(
                    f"The potential '{label}' is not one of {element}; a label starts with its "
                    "element, as in Ti_pv."
                )
