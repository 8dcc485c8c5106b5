"""torchvision's ImageNet weights as a start: where their file lies or comes from, and whether it is what it says."""

import hashlib
from pathlib import Path

import torch

from ecgcore.mistakes import Mistake
from ecgcore.models.charts_backbone import ChartsBackbone

NAME = "torchvision"  # in place of a file


def imagenet_file(network: ChartsBackbone) -> Path:
    """Return the file of the network's ImageNet weights in torch's cache, downloaded if it is not there.

    Raises ValueError with the way out where it cannot be.
    """
    file = Path(torch.hub.get_dir()) / "checkpoints" / network.imagenet_file
    if not file.is_file():
        url = f"{network.imagenet_origin}/{network.imagenet_file}"
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(file), hash_prefix=_digits(network), progress=False)
        except (OSError, RuntimeError) as error:  # no network, or a file that is not whole
            raise Mistake(
                f"weights: {NAME}: {url} cannot be downloaded here ({error}); where there is a network, fetch it and "
                f"put it at {file}, or anywhere, and write `weights: PATH/{file.name}`"
            ) from None
    return file


def is_imagenet(file: Path, network: ChartsBackbone) -> bool:
    """Return whether a file holds the network's ImageNet weights, by its content: no record of ours was in those.

    Raises ValueError for one that bears their name and is something else.
    """
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    found = digest.startswith(_digits(network))
    if file.name == network.imagenet_file and not found:
        raise Mistake(
            f"{file}: damaged, or something else: its sha256 must begin with {_digits(network)}, as its name says, got "
            f"{digest[:8]}; delete it and fetch {network.imagenet_origin}/{file.name} again"
        )
    return found


def names_of(network: ChartsBackbone) -> dict[str, str | None]:
    """Return torchvision's names and ours, for published_start.py: all but the last layer."""
    return {"": "backbone.encoder", network.imagenet_head: None}


def _digits(network: ChartsBackbone) -> str:
    """Return with what the file's sha256 begins: torchvision writes it into the name."""
    return Path(network.imagenet_file).stem.rpartition("-")[2]
