"""A fit as text and back: how it travels to the process that runs it."""

import json
from dataclasses import asdict, fields
from pathlib import Path

from orchestrator.task import Fit


def fit_to_json(fit: Fit) -> str:
    """Return the fit as text."""
    return json.dumps(asdict(fit), default=str)


def fit_from_json(text: str) -> Fit:
    """Return the fit that the text was made from."""
    values = json.loads(text)
    for name in ("directory", "start_from", "resume_from"):
        values[name] = Path(values[name]) if values[name] else None
    values["calibrate_from"] = tuple(map(Path, values["calibrate_from"]))
    assert values.keys() == {field.name for field in fields(Fit)}
    return Fit(**values)
