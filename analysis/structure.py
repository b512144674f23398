"""The structure of liquids and melts: names to import in notebooks."""

from __future__ import annotations

from superionic.analysis.coordination import Shell, coordination_number, first_shell
from superionic.analysis.rdf import RDF, PairCounter, rdf

__all__ = ["RDF", "PairCounter", "Shell", "coordination_number", "first_shell", "rdf"]
