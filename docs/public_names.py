"""What the reference shows of a class: methods by name, not those that Python itself calls.

Of a module it shows what `__all__` names, or what has no underscore (`filters: public`).
"""

from __future__ import annotations

from typing import Any

import griffe


class NamedMethods(griffe.Extension):
    """Leave methods with two underscores on either side to those who read the source."""

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        """Take a method with underscores off the pages."""
        if func.name.startswith("_"):
            func.public = False
