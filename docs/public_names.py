"""What the reference shows of a class: methods by name, not those that Python itself calls.

Of a module it shows what `__all__` names, or what has no underscore (`filters: public`).
"""

from __future__ import annotations

from typing import Any

import griffe


class NamedMethods(griffe.Extension):
    """Leave methods such as ``__post_init__`` to those who read the source."""

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        """Take them off; ``__init__`` stays, as its parameters are those of the class."""
        for name in [n for n in cls.members if n.startswith("__") and n != "__init__"]:
            cls.del_member(name)
