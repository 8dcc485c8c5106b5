"""The table of networks as README has it: `python -m tests.model_table` prints it, to be pasted there."""

import json
from collections.abc import Iterator

from ecgcore.models.registry import shipped
from tests.orchestrator.command import orchestrate


def lines() -> Iterator[str]:
    """Yield the table line by line, from what `orchestrate models` says of the shipped networks."""
    yield "| `model` | weights | published (leads, classes) | multiply-adds | own hyperparameters | input | source |"
    yield "|---|---|---|---|---|---|---|"
    for facts in json.loads(orchestrate("models", *shipped(), "--json").stdout):
        published = facts["published"]
        said = f"{published['weights']:,} ({published['leads']}, {published['classes']})" if published else ""
        own = ", ".join(f"`{name}`" for name in facts["parameters"])
        cost = f"{facts['multiply_adds'] / 1e6:,.1f} M"
        cells = [f"`{facts['name']}`", f"{facts['weights']:,}", said, cost, own, facts["input"], facts["source"]]
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print("\n".join(lines()))
