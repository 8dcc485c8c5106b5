"""What every model of a YAML file is: frozen, of exactly its own keys, without conversions such as of "1" to 1."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """Checked once, at construction, and trusted afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)
