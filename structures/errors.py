"""Exceptions: one base class, and leaves that also inherit the builtin they refine."""

from __future__ import annotations


class SuperionicError(Exception):
    """Base of every error this package raises on purpose.

    A message says what was expected, what came, and what to do about it.
    """


class InvalidStructureError(SuperionicError, ValueError):
    """A structure is malformed: wrong shapes, non-finite numbers, overlapping atoms."""


class PartialOccupancyError(InvalidStructureError):
    """A structure with partial occupancies was given where whole atoms are needed."""


class StructureFileError(SuperionicError, ValueError):
    """A structure file is missing, truncated or in a format that cannot be read."""


class UnknownMoleculeError(SuperionicError, LookupError):
    """No packaged molecule goes by that name."""


class ConformerError(SuperionicError, RuntimeError):
    """No three-dimensional geometry of a molecule was found."""


class AdsorptionError(SuperionicError, ValueError):
    """A molecule does not fit on a slab, or no clash-free place for it was found."""


class PackingError(SuperionicError, ValueError):
    """A box cannot be made: its composition has no whole numbers, or its molecules do not fit."""


class InvalidSlabError(SuperionicError, ValueError):
    """A slab is polar, non-stoichiometric or too thin in vacuum, and was not declared so."""


class InvalidHopError(SuperionicError, ValueError):
    """A hop is not a single-ion move between two distinct sites."""


class NoHopFoundError(SuperionicError, LookupError):
    """No mobile ion, or no hop within the asked-for length, exists in the structure."""


class UnknownElementError(SuperionicError, ValueError):
    """The level of theory has no parameters for an element of the structure."""


class TheoryError(SuperionicError, ValueError):
    """A level of theory is unknown, or its code is not installed."""


class ProtocolError(SuperionicError, ValueError):
    """A protocol file has an unknown, missing or ill-typed setting."""


class DeckError(SuperionicError, ValueError):
    """Input files of a DFT code ask for something wrong, or cannot be written or read."""


class NotConvergedError(SuperionicError, RuntimeError):
    """A calculation ended before its convergence criterion was met; it has no value."""


class EvidenceError(SuperionicError, ValueError):
    """A number was asked for without the evidence that would support it."""


class RunFolderError(SuperionicError, OSError):
    """A run folder belongs to other inputs, or cannot be written."""


class TaskFailedError(SuperionicError, RuntimeError):
    """A task of a run failed; the message carries its reason."""


class TrajectoryError(SuperionicError, ValueError):
    """A trajectory is wrapped, out of order, cut off, not finite, or lacks its cell."""


class UnstableRunError(SuperionicError, RuntimeError):
    """A molecular dynamics run blew up; its last good state is kept."""


class ForceFieldError(SuperionicError, ValueError):
    """A force field does not fit a box: a molecule it cannot type, charges that do not add up."""


class MissingParametersError(SuperionicError, LookupError):
    """A force field has no row for an atom or a bonded term of a box."""


class ClusterError(SuperionicError, RuntimeError):
    """A cluster is not configured, refuses a job, or does not answer."""
