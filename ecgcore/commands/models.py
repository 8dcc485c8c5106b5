"""The commands `orchestrate models` and `orchestrate parameters`: which networks and hyperparameters there are.

A mistake of the user leaves as ValueError, for the command line to print.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgcore.commands.columns import print_columns
from ecgcore.mistakes import Mistake, NotInstalled

if TYPE_CHECKING:
    from ecgcore.parameters import Parameter

# Everything else of ecgcore is imported inside the functions: this file is read for `orchestrate --help`, which would
# otherwise wait for torch.

LEADS, CLASSES, SAMPLES = 12, 5, 1000  # of the record on which networks are compared: 10 s at 100 Hz
FOOT = f"""
weights    with {LEADS} leads and {CLASSES} classes, head included
published  what the source counts, for its sizes
MACs       multiply-adds of one record, 10 s at 100 Hz of {LEADS} leads, or a chart of 224 x 224 pixels:
           convolutions and matrix products, as torch.utils.flop_counter counts them"""


def add_model_commands(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
    read_yaml: Callable[[Path], Mapping[str, Any]] | None = None,
) -> None:
    """Add `models` and `parameters`; each sets `run`, a function from the namespace to the exit code.

    read_yaml is what commands of this package are handed; these two read no YAML.
    """
    text = "show networks: weights, cost, input, source"
    models = subparsers.add_parser("models", help=text, description=text)
    models.add_argument("names", nargs="*", metavar="NAME", help="of a network, or package.module:Class (default: all)")
    models.add_argument("--json", action="store_true", help="print JSON and nothing else")
    models.set_defaults(run=_models)
    text = "show hyperparameters: kind, range, default, whose they are, meaning"
    parameters = subparsers.add_parser("parameters", help=text, description=text)
    parameters.add_argument("--model", metavar="NAME", help="only those that count beside this network")
    parameters.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parameters.set_defaults(run=_parameters)


def _models(namespace: argparse.Namespace) -> int:
    from ecgcore.models.registry import places

    found, failed = [], []
    for name in namespace.names or places():
        try:
            found.append(_facts(name))
        except ValueError as error:
            if namespace.names:
                raise
            failed.append(f"{name}: {error}")  # of another package, which shall not hide the others
    if namespace.json:
        print(json.dumps(found))
    else:
        columns = ("name", "weights", "published", "MACs", "input", "source")
        print_columns(columns, (_row(facts) for facts in found), right=("weights", "MACs"))
        print(FOOT)
    for line in [*failed, *dict.fromkeys(facts["missing"] for facts in found if "missing" in facts)]:
        print(line, file=sys.stderr)
    return 1 if failed else 0


def _facts(name: str) -> dict[str, Any]:
    from ecgcore.models.registry import network_of, place_of
    from ecgcore.models.size import Size, size_of

    network = network_of(name)
    size: Size | None = None
    missing = {}
    try:
        size = size_of(name, leads=LEADS, classes=CLASSES, samples=SAMPLES)
    except NotInstalled as error:  # of an extra: what the network declares is known all the same
        missing = {"missing": str(error)}
    return {
        "name": name,
        "weights": size and size.weights,
        "multiply_adds": size and size.multiply_adds,
        **missing,
        "published": network.published and vars(network.published),
        "takes": network.takes,
        "head": network.head,
        "input": network.input,
        "source": network.source,
        "place": place_of(name),
        "parameters": list(network.parameters),
    }


def _row(facts: Mapping[str, Any]) -> tuple[str, ...]:
    published = facts["published"]
    said = "-"
    if published:
        leads = f"{published['leads']} lead{'s' * (published['leads'] > 1)}"
        said = f"{published['weights']:,} ({leads}, {published['classes']} classes)"
    weights, cost = "-", "-"
    if "missing" not in facts:
        weights, cost = f"{facts['weights']:,}", f"{facts['multiply_adds'] / 1e6:,.1f} M"
    return facts["name"], weights, said, cost, facts["input"], facts["source"]


def _parameters(namespace: argparse.Namespace) -> int:
    from ecgcore.models.registry import network_of
    from ecgcore.training.hyperparameters import known_parameters

    if namespace.model:
        try:
            network_of(namespace.model)
        except ValueError as error:
            raise Mistake(f"--model: {error}") from None
    found = known_parameters({"model": [namespace.model]} if namespace.model else {})
    counting = {name: each for name, each in found.items() if _counts(each, namespace.model)}
    if namespace.json:
        print(json.dumps([{"name": name, "of": _owners(each), **_said(each)} for name, each in counting.items()]))
    else:
        print_columns(("name", "kind", "values", "default", "of", "meaning"), _rows(counting))
    return 0


def _counts(parameter: "Parameter", model: str | None) -> bool:
    return model is None or model in parameter.only_with.get("model", (model,))


def _owners(parameter: "Parameter") -> list[str] | None:
    """Return the networks whose own the hyperparameter is; None: it is of every one."""
    owners = parameter.only_with.get("model")
    return None if owners is None else [str(owner) for owner in owners]


def _said(parameter: "Parameter") -> dict[str, Any]:
    names = ("kind", "low", "high", "choices", "default", "help")
    return {name: getattr(parameter, name) for name in names}


def _rows(parameters: "Mapping[str, Parameter]") -> Iterator[tuple[str, ...]]:
    for name, parameter in parameters.items():
        values = f"{parameter.low:g} to {parameter.high:g}" if parameter.low is not None else ""
        if parameter.kind == "choice":
            values = ", ".join(map(str, parameter.choices))
        default = str(parameter.default).lower() if parameter.kind == "boolean" else str(parameter.default)
        owners = ", ".join(_owners(parameter) or ["all"])
        yield name, parameter.kind, values or "true, false", default, owners, parameter.help
