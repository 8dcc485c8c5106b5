"""Published weights of a known network as a start: a state dict, and a map from its names to ours.

The map is a JSON file: `weights` (the file of the state dict; or `torchvision`, see imagenet_start.py), `names` (by
beginning of a name there, the beginning here, or null to leave it out), `partial` (whether what does not fit stays as
it was drawn). On which records they were trained, it does not say; of ImageNet's it is known that none was ours.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ecgcore.mistakes import Mistake
from ecgcore.models.charts_backbone import ChartsBackbone
from ecgcore.models.classifier import Classifier
from ecgcore.training.imagenet_start import NAME, imagenet_file, is_imagenet, names_of

log = logging.getLogger(__name__)

NESTED = ("state_dict", "model_state_dict", "model")  # under which training scripts keep it beside other things
NAMED = 10  # weights in a message
Names = Mapping[str, str | None]


def is_published(path: Path) -> bool:
    """Return whether a start is a map of published weights."""
    return path.suffix == ".json"


def load_published(model: Classifier, path: Path) -> bool:
    """Load what the map leads to; return whether nobody knows on which records it was trained.

    Raises ValueError naming all that does not fit; with `partial`, that is logged.
    """
    told, ours = json.loads(path.read_text()), model.state_dict()
    file, names, unknown = _weights(told["weights"], told["names"], model.backbone)
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
    return unknown


def _weights(named: str, names: Names, backbone: nn.Module) -> tuple[Path, Names, bool]:
    """Return the file, the names there and here, and whether its history is unknown: of ImageNet's it is known."""
    if not isinstance(backbone, ChartsBackbone):
        if not Path(named).is_absolute():
            raise Mistake(f"weights: {named}: must be a file for a network that is not torchvision's")
        return Path(named), names, True
    if named != NAME and not Path(named).is_absolute():
        raise Mistake(f"weights: {named}: must be a file, or {NAME}: its own ImageNet weights of the network")
    file = imagenet_file(backbone) if named == NAME else Path(named)
    return file, names or names_of(backbone), not is_imagenet(file, backbone)


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
