"""What `start_from` may name: a stage or run beside this one, a run by its path, a file of weights, an MLflow model."""

import re
from pathlib import Path

from pydantic import Field

from orchestrator.specs.strict_model import StrictModel

_URI = re.compile(r"(models|runs):/.+")
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_RUN = re.compile(r"[\w-][\w.-]*(/[\w-]+)?")


class PublishedSpec(StrictModel):
    """Published weights of a known network, as a YAML file says it that `start_from` names."""

    weights: str  # the file of the state dict, relative to the YAML file; or a word by which the task knows them
    names: dict[str, str | None] = Field(default_factory=dict)  # by beginning of a name there: here, or left out
    partial: bool = False  # what does not fit stays as it was drawn; else it is a mistake


def is_plain(text: str) -> bool:
    """Return whether it can only be the name of a stage, or of a run beside this one."""
    return _PLAIN.fullmatch(text) is not None


def in_words(text: str) -> str:
    """Return what a search that starts from this is said to start from."""
    return f"the winner of {text}" if is_plain(text) else text


def is_mlflow(text: str) -> bool:
    """Return whether it is the URI of a model in MLflow."""
    return _URI.fullmatch(text) is not None


def is_published(text: str) -> bool:
    """Return whether it is a YAML file that says how published weights become ours."""
    return text.endswith((".yaml", ".yml"))


def resolved(text: str, directory: Path) -> str:
    """Return it with a path made absolute that is relative to `directory`, or else to where the command is given.

    Raises ValueError for what is neither there nor can be the name of a run or a model.
    """
    if ".." in text.split("/"):
        raise ValueError(
            f"must not lead up by `..`, which may end anywhere; give a run's name or an absolute path, got {text!r}"
        )
    if is_plain(text) or is_mlflow(text):
        return text
    for path in (directory / text, Path(text).absolute()):
        if path.is_file() or any((path / name).is_file() for name in ("journal.jsonl", "signature.json")):
            return str(path.resolve())
    if _RUN.fullmatch(text) and not Path(text).suffix:
        return text  # RUN/STAGE below the folder of runs, which only the command line knows
    raise ValueError(
        "must be a file of weights (relative to this file), a run or its folder (other/stage), an exported model's "
        f"folder, models:/NAME/VERSION or runs:/ID/model; nothing is there, got {text!r}"
    )
