"""What a recipe's YAML may say: its keys and the kind of each value, checked with every mistake at once.

The keys are the options of `orchestrate data prepare`, and mean the same. What the values amount to: recipe_file.py.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ecgcore.data.automatic_folds import AUTO
from ecgcore.data.manifest import digest_of
from ecgcore.drawing.charts import PIXELS
from ecgcore.mistakes import Mistake
from ecgcore.readers.label_map import SHIPPED
from ecgcore.readers.source import BY_PATIENT

Pair = Annotated[list[float], Field(min_length=2, max_length=2)]


def _fold_text(value: Any) -> Any:
    """Accept 9, 1-6 and [7, 8]: YAML reads the first as a number and the last as a list."""
    listed = value if isinstance(value, list) else [value]
    if all(isinstance(one, int | str) and not isinstance(one, bool) for one in listed):
        return ",".join(map(str, listed))
    raise Mistake(f"must be folds like 1-6, [7, 8] or 9, got {value!r}")


Folds = Annotated[str | None, BeforeValidator(_fold_text)]


def _fold_count(value: Any) -> Any:
    if value is None or value == AUTO or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise Mistake(f"must be a whole number, or auto, got {value!r}")


def _read_map(value: Any) -> Any:
    if value is None or (isinstance(value, Mapping) and "file" in value):
        return dict(value or {}) or None
    raise Mistake(f"must be the path of a YAML file, such as {SHIPPED / 'challenge2021.yaml'}, got {value!r}")


class _Keys(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Download(_Keys):
    """Where one gets recordings that are not there."""

    url: str
    size: str


class Synthetic(_Keys):
    """Recordings that are made when they are not there."""

    records: int
    seed: int
    cohort: str = "A"
    rate: float = 100.0
    seconds: float = 10.0
    noise: float = 1.0


class Folder(_Keys):
    """One folder of recordings, and how it is read."""

    reader: str
    from_: str = Field(alias="from")
    labels: str | None = None
    target: str | None = None
    window: Pair | None = None
    piece: float | None = None
    paced: bool = False
    array_rate: float | None = None
    array_leads: list[str] = []
    array_unit: str | None = None
    synthesize: Synthetic | None = None
    download: Download | None = None


class Charts(_Keys):
    """Pictures that are drawn of every record."""

    layouts: list[str]
    pixels: int = PIXELS


class Split(_Keys):
    """Who is in which part."""

    folds: Annotated[int | Literal["auto"] | None, BeforeValidator(_fold_count)] = None
    repeats: int = 1
    test_share: float | None = None
    seed: int = 0
    train_folds: Folds = None
    validation_folds: Folds = None
    test_folds: Folds = None
    fold_table: str | None = None
    by: str = BY_PATIENT


class Content(_Keys):
    """All of a recipe."""

    file: str  # where it lies; whoever read it says so
    store: str
    recordings: Annotated[
        list[Folder], Field(min_length=1), BeforeValidator(lambda one: [one] if isinstance(one, Mapping) else one)
    ]
    label_map: Annotated[dict[str, Any] | None, BeforeValidator(_read_map)] = None
    most_frequent: int | None = None
    leave_out: list[str] = []
    leads: list[str] | None = None
    rate: float | None = None
    band_pass: Pair | None = None
    notch: float | None = None
    normalise: str | None = None
    half: bool = False
    charts: Charts | None = None
    split: Split = Split()
    allow_refused: float = 5.0


def content_from(mapping: Mapping[str, Any], file: Path) -> tuple[Content, list[str]]:
    """Check keys and kinds; return what is right, and the mistakes, each as `file: key: rule, value`.

    What is wrong is left out as a whole, so that the rest can be checked, too.
    """
    try:
        return Content.model_validate(mapping), []
    except ValidationError as error:
        several = isinstance(mapping.get("recordings"), list)
        mistakes = list(_sentences(error, file, several=several))
        places = [one["loc"] for one in error.errors() if one["loc"]]
    left = {key: value for key, value in mapping.items() if (key,) not in [place[:1] for place in places]}
    stand_in = {"reader": "own", "from": "left-out"}
    folders = mapping.get("recordings")
    folders = folders if isinstance(folders, list) else [folders]
    left_out = {place[1] for place in places if place[0] == "recordings" and len(place) > 1}
    whole = ("recordings",) in places
    kept = [stand_in if whole or number in left_out else folder for number, folder in enumerate(folders)]
    return Content.model_validate({"store": "left-out", **left, "recordings": kept or [stand_in]}), mistakes


def digest_of_content(content: Content) -> str:
    """Return the hash of what decides about the content: not of where the store lies or where one gets recordings."""
    said = content.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"file", "store"})
    for folder in said["recordings"]:
        folder.pop("download", None)
    if "label_map" in said:
        said["label_map"] = {**said["label_map"], "file": Path(said["label_map"]["file"]).stem}
    return digest_of(said)


def _sentences(error: ValidationError, file: Path, *, several: bool) -> Iterator[str]:
    for one in error.errors():
        # A single folder is read as a list of one, which its file does not know.
        named = one["loc"] if several or one["loc"][:1] != ("recordings",) else ("recordings", *one["loc"][2:])
        place = f"{file}: {'.'.join(map(str, named))}"
        if one["type"] == "missing":
            yield f"{place}: is required"
        elif one["type"] == "extra_forbidden":
            above = tuple(part for part in one["loc"][:-1] if not isinstance(part, int))
            keys = [field.alias or name for name, field in _MODELS[above].model_fields.items() if name != "file"]
            yield f"{place}: unknown key; the keys here are {', '.join(keys)}"
        else:
            rule = one["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
            value = "" if "got " in rule else f", got {one['input']!r}"
            yield f"{place}: {rule}{value}"


_MODELS: Mapping[tuple[str | int, ...], type[BaseModel]] = {
    (): Content,
    ("recordings",): Folder,
    ("recordings", "synthesize"): Synthetic,
    ("recordings", "download"): Download,
    ("charts",): Charts,
    ("split",): Split,
}
