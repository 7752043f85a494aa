"""The child's way to a file of the user's."""

from __future__ import annotations

import importlib.util
import pathlib
import sys
from types import ModuleType


def loaded(path: pathlib.Path, name: str) -> ModuleType:
    """The file as the module `name`; its folder is on the path, as for a script."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent))
    sys.argv = [str(path)]
    spec.loader.exec_module(module)
    return module
