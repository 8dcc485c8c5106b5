"""From `package.module:Class` to what that network declares, without importing it: a plan need not wait for torch.

Only calls of the constructors below with literal values are understood; any other declaration is read by importing its
module.
"""

import ast
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ecgcore.mistakes import Mistake
from ecgcore.models.network import Network, Published, stochastic_depth
from ecgcore.parameters import boolean, choice, integer, number

CONSTRUCTORS: Mapping[tuple[str, str], Callable[..., Any]] = {
    (constructor.__module__, constructor.__name__): constructor
    for constructor in (Network, Published, boolean, choice, integer, number, stochastic_depth)
}


@cache
def declaration_of(place: str) -> Network:
    """Return what the class at `package.module:Class` declares. Raises ValueError naming what is missing."""
    module, _, name = place.partition(":")
    source = _source_of(module, place)
    if source is not None:
        try:
            return _read(ast.parse(source.read_text(encoding="utf-8")), name)
        except (LookupError, TypeError, ValueError, SyntaxError):
            pass  # not literal, or wrong: importing it gives the declaration, or says better what is wrong
    return _declared(import_network(place), place)


def import_network(place: str) -> type[Any]:
    """Import the class at `package.module:Class`. Raises ValueError naming what is missing, and the way out."""
    module, _, name = place.partition(":")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except Exception as error:  # a module of the user's may fail in any way
        raise Mistake(
            f"{place}: {module} cannot be imported ({type(error).__name__}: {error}); "
            "install its package here, or name its folder in PYTHONPATH"
        ) from None
    if not isinstance(found, type):
        raise Mistake(f"{place}: {module} has no class {name}; give package.module:Class")
    return found


def networks_in(path: Path) -> list[str]:
    """Return the names of the classes of a file that declare a network in their body."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.ClassDef) and _declaring(node) is not None]


def _source_of(module: str, place: str) -> Path | None:
    """Return the module's file; None where it has none that is text."""
    try:
        spec = importlib.util.find_spec(module)  # of a module in a package, this runs the package's own __init__
    except Exception as error:
        raise Mistake(
            f"{place}: {module} cannot be found ({type(error).__name__}: {error}); "
            "install its package here, or name its folder in PYTHONPATH"
        ) from None
    if spec is None:
        raise Mistake(
            f"{place}: there is no module {module}; install its package here, or name its folder in PYTHONPATH"
        )
    return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None


def _declared(found: type[Any], place: str) -> Network:
    declared = getattr(found, "network", None)
    if not isinstance(declared, Network):
        raise Mistake(f"{place}: must have `network = Network(...)` in its class, see ecgcore/models/network.py")
    return declared


def _read(tree: ast.Module, name: str) -> Network:
    """Raise LookupError, TypeError or ValueError where the class or its declaration cannot be read off the text."""
    (found,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    declaration = _declaring(found)
    if declaration is None:
        raise LookupError(name)
    network = _value(declaration, _known(tree))
    if not isinstance(network, Network):
        raise TypeError(name)
    return network


def _declaring(found: ast.ClassDef) -> ast.expr | None:
    """Return what the class body assigns to `network`."""
    for node in found.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["network"]:
            return node.value
    return None


def _known(tree: ast.Module) -> dict[str, Callable[..., Any]]:
    """Return the constructors that the file imports, by the names that it gives them."""
    return {
        alias.asname or alias.name: CONSTRUCTORS[node.module or "", alias.name]
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (node.module, alias.name) in CONSTRUCTORS
    }


def _value(node: ast.expr, known: Mapping[str, Callable[..., Any]]) -> Any:
    """Return the value of an expression of literals and known constructors. Raises LookupError or ValueError."""
    if isinstance(node, ast.Call):
        named = {str(keyword.arg): _value(keyword.value, known) for keyword in node.keywords}  # `**` becomes None=...
        return known[ast.unparse(node.func)](*(_value(each, known) for each in node.args), **named)
    if isinstance(node, ast.Dict) and all(node.keys):
        return {
            ast.literal_eval(key): _value(value, known)
            for key, value in zip(node.keys, node.values, strict=True)
            if key
        }
    return ast.literal_eval(node)
