"""Atomistic workflows for solid and quasi-solid electrolytes.

A structure goes in; a migration barrier, a binding energy or a diffusivity comes out with the
evidence that it can be believed. The four rooms are ``superionic.structures``,
``superionic.inputs``, ``superionic.analysis`` and ``superionic.workflows``.
"""

from __future__ import annotations

__version__ = "0.1.0"
