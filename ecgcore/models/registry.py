"""Which networks there are, by name: the files of networks/, those that packages register, and one's own by its place.

Imports none of them, see declarations.py.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from ecgcore.fit import Scalar
from ecgcore.mistakes import Mistake
from ecgcore.models.declarations import declaration_of, import_network, networks_in
from ecgcore.models.network import Network
from ecgcore.parameters import Parameter

GROUP = "orchestrate.networks"  # of entry points: a name, and package.module:Class


@cache
def places() -> Mapping[str, str]:
    """Return every network that has a name, and its place: `package.module:Class`. A shipped one keeps its name."""
    registered = {found.name: found.value for found in metadata.entry_points(group=GROUP)}
    return {**shipped(), **{name: place for name, place in registered.items() if name not in shipped()}}


@cache
def shipped() -> Mapping[str, str]:
    """Return the networks of the folder networks/: a file is named as its network, and declares one."""
    files = sorted(path for path in (Path(__file__).parent / "networks").glob("*.py") if path.stem != "__init__")
    found = {path.stem: networks_in(path) for path in files}
    assert all(len(names) == 1 for names in found.values()), found
    return {stem: f"ecgcore.models.networks.{stem}:{name}" for stem, (name,) in found.items()}


def place_of(name: str) -> str:
    """Return where the network lies. Raises ValueError for a name that is neither known nor a place."""
    if ":" in name:
        return name
    if name not in places():
        raise Mistake(
            f"must be one of {', '.join(places())}, or your own as package.module:Class, got {name!r}; "
            f"a network that a package registers is known where that package is installed"
        )
    return places()[name]


def network_of(name: str) -> Network:
    """Return what the network declares. Raises ValueError where there is no such one, or it cannot be read."""
    return declaration_of(place_of(name))


def class_of(name: str) -> type[Any]:
    """Import the network. Raises ValueError where there is no such one."""
    return import_network(place_of(name))


def own_values(name: str, config: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return the network's own hyperparameters in a config; one that is not there has its default."""
    return {key: config.get(key, parameter.default) for key, parameter in network_of(name).parameters.items()}


def own_parameters(named: Sequence[str], *, taken: Container[str]) -> dict[str, Parameter]:
    """Return every network's own hyperparameters, each counting only beside `model` being a network that has it.

    named: the networks in question. What the others declare is there too, so that it can be said whose it is; but where
    they cannot be read, or declare another thing by the same name, they do not count. taken: names that no network may
    have for its own. Raises ValueError, a mistake a line, where a network in question cannot be read, or two disagree.
    """
    mistakes: list[str] = []
    found: dict[str, Parameter] = {}
    owners: dict[str, list[str]] = {}
    for name in dict.fromkeys([*named, *places()]):
        try:
            declared = network_of(name)
        except ValueError as error:
            mistakes += [str(error)] * (name in named)
            continue
        for key, parameter in declared.parameters.items():
            if key in taken:
                mistakes += [f"{name} declares {key}, which every network has; give its own another name"] * (
                    name in named
                )
            elif found.setdefault(key, parameter) == parameter:
                owners.setdefault(key, []).append(name)
            else:
                mistakes += [
                    f"{owners[key][0]} and {name} both declare {key}, and not the same; rename one, or search them in "
                    "two files"
                ] * (name in named)
    if mistakes:
        raise Mistake("\n".join(mistakes))
    return {key: replace(parameter, only_with={"model": tuple(owners[key])}) for key, parameter in found.items()}
