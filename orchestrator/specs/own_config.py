"""The user's own configuration, of all runs: ORCHESTRATE_CONFIG, else orchestrate/config.yaml below ~/.config."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from orchestrator.errors import UserError
from orchestrator.specs.strict_model import StrictModel
from orchestrator.specs.strict_yaml import read_yaml
from orchestrator.specs.validation import validated


class Notify(StrictModel):
    """Whom a run tells how it stands: a command, which reads JSON on its standard input, or an address to POST it to.

    The address is a secret: whoever knows it may write there.
    """

    command: list[str] | None = Field(default=None, min_length=1)
    url: str | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _is_one(self) -> "Notify":
        if (self.command is None) == (self.url is None):
            raise ValueError("must have either a command (a list of words) or a url")
        if self.url is not None and not self.url.startswith(("https://", "http://")):
            raise ValueError("url must begin with https:// or http://")
        return self


class OwnConfig(StrictModel):
    """What the file may say."""

    notify: Notify | None = None

    @field_validator("notify", mode="before")
    @classmethod
    def _without_its_value(cls, given: Any) -> Any:
        """Refuse another kind of value without saying it, as pydantic would: it may be the address."""
        if isinstance(given, Mapping):
            if not isinstance(given.get("url", ""), str | None):
                raise ValueError("url must be one address, got another kind of value")
        elif given is not None:
            raise ValueError("must be `{command: [...]}` or `{url: ...}`, got another kind of value")
        return given


def read_own_config() -> OwnConfig:
    """Read it; without a file nothing is configured. Raises UserError with every mistake, and for a named file that
    is not there.
    """
    named = os.environ.get("ORCHESTRATE_CONFIG")
    place = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "orchestrate" / "config.yaml"
    path = Path(named).absolute() if named else place
    if not path.exists():
        if named:
            raise UserError(f"ORCHESTRATE_CONFIG: {path} is not there; write it, or unset the variable")
        return OwnConfig()
    return validated(OwnConfig, read_yaml(path))
