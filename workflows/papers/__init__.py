"""The papers as worked examples: one module a paper, built from the general workflows."""

from __future__ import annotations

PAPERS: tuple[str, ...] = ("nzsp", "latp", "mof", "peo")
"""Modules of this folder that have a `PAPER`, to be given to `reproduction.reproduce`."""
