"""Published weights of a known network as a start: a state dict, and a map from its names to ours.

The map is a JSON file: `weights` (the state dict), `names` (by beginning of a name there, the beginning here, or null
to leave it out), `partial` (whether what does not fit stays as it was drawn). On which records they were trained, it
does not say.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from ecgcore.mistakes import Mistake
from ecgcore.models.classifier import Classifier

log = logging.getLogger(__name__)

NESTED = ("state_dict", "model_state_dict", "model")  # under which training scripts keep it beside other things
NAMED = 10  # weights in a message
Names = Mapping[str, str | None]


def is_published(path: Path) -> bool:
    """Return whether a start is a map of published weights."""
    return path.suffix == ".json"


def load_published(model: Classifier, path: Path) -> None:
    """Load what the map leads to. Raises ValueError naming all that does not fit; with `partial`, that is logged."""
    told = json.loads(path.read_text())
    file, names, ours = Path(told["weights"]), told["names"], model.state_dict()
    theirs = {renamed(name, names): value for name, value in read_state_dict(file).items()}
    given = {name: value for name, value in theirs.items() if name is not None}
    fitting = {name: value for name, value in given.items() if name in ours and value.shape == ours[name].shape}
    mistakes = list(misfits(given, ours))
    if mistakes and (not told["partial"] or not fitting):
        more = [f"and {len(mistakes) - NAMED} more"] if len(mistakes) > NAMED else []
        raise Mistake(
            "\n".join(f"{file}: {mistake}" for mistake in [*mistakes[:NAMED], *more])
            + "\nmend `names`, leave a name out with null, or say partial: true"
        )
    for mistake in mistakes:
        log.warning("%s: %s", file, mistake)
    model.load_state_dict({**ours, **fitting})


def renamed(name: str, names: Names) -> str | None:
    """Return a weight's name here: by the longest beginning that the map has; None: it is left out."""
    beginnings = [one for one in names if name == one or name.startswith(f"{one}.") or one == ""]
    if not beginnings:
        return name
    longest = max(beginnings, key=len)
    here, rest = names[longest], name.removeprefix(longest).removeprefix(".")
    return None if here is None else ".".join(part for part in (here, rest) if part)


def misfits(given: Mapping[str, Tensor], ours: Mapping[str, Tensor]) -> Iterator[str]:
    """Yield every weight that leads nowhere or has another shape, and every one of the backbone that gets none."""
    for name, value in given.items():
        if name not in ours:
            yield f"{name}: the network has no such weight"
        elif value.shape != ours[name].shape:
            yield f"{name}: must have shape {tuple(ours[name].shape)}, got {tuple(value.shape)}"
    for name in ours:
        if name.startswith("backbone.") and name not in given and not name.endswith("num_batches_tracked"):
            yield f"{name}: no weight leads to it"


def read_state_dict(file: Path) -> dict[str, Tensor]:
    """Read a state dict that torch.save wrote. Raises ValueError for anything else; runs no code of the file."""
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or foreign file makes torch raise nearly anything
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Mistake(f"{file}: cannot be read as a state dict ({reason})") from None
    for name in NESTED:
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            content = content[name]
            break
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise Mistake(f"{file}: must hold a state dict, names to tensors; save `model.state_dict()`")
    return content
