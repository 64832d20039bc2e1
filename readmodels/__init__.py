"""
The read models: one file a question. All of it may be dropped and rebuilt.

A file that has a `projection` is a read model; the others are what some of them share.
"""

import pkgutil
from importlib import import_module

_modules = (
    import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)
)

ALL = tuple(m.projection for m in _modules if hasattr(m, "projection"))
