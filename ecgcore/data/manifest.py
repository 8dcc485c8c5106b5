"""The file that says that a store is complete, and what is in it: written last, checked first. Reads no signal."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ecgcore.mistakes import Mistake
from ecgcore.readers.source import BY_PATIENT
from ecgcore.whole_files import replacing

FORMAT = 1
NAME = "manifest.json"
INDEX, SPLITS, SEALED = "index.csv", "splits.json", "sealed"
SIGNALS, HALF_SIGNALS, CHARTS = "signals.f32", "signals.f16", "charts.u8"
LARGE = (SIGNALS, HALF_SIGNALS, CHARTS)  # checked by size when a store is opened, by hash only by `data check`


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """What a file must be to be the one that was written."""

    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Content:
    """What the content hash covers: everything but the sealed part."""

    classes: tuple[str, ...]
    leads: tuple[str, ...]
    rate: float  # Hz
    units: str  # of the signals: mV, or 1 where they are normalised
    multilabel: bool
    records: int
    patients: int
    counts: Mapping[str, Any]  # per part: records, patients, records of each class
    files: Mapping[str, FileFacts]
    processing: Mapping[str, Any] = field(default_factory=dict)  # how signals were changed; empty: resampled at most
    divided_by: str = BY_PATIENT  # record: one patient's records are in several parts, and each counts as a patient
    charts: Mapping[str, Any] = field(default_factory=dict)  # their form, see drawing/charts.py; empty: there are none

    @property
    def signals(self) -> str:
        """Return the name of the file of signals."""
        return HALF_SIGNALS if HALF_SIGNALS in self.files else SIGNALS

    @property
    def large(self) -> tuple[str, ...]:
        """Return the names of the files of signals and charts, which the sealed part has, too."""
        return tuple(name for name in LARGE if name in self.files)

    def plain(self) -> dict[str, Any]:
        """Return plain types, without charts where there are none: what was before there were any."""
        return {name: value for name, value in asdict(self).items() if name != "charts" or value}


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """All of manifest.json. Of the sealed part it holds the number of records and a hash, and nothing more."""

    content: Content
    sealed_records: int
    sealed_hash: str
    source: Mapping[str, Any]  # reader, folder, how it was asked for; for people
    input_hash: str  # of the request and the bytes of the source: the same again is recognised by it
    left_out: Mapping[str, int]  # why -> how many records of the source were not asked for
    refused: Mapping[str, str]  # record -> why it could not be read
    dropped: Mapping[str, str]  # record -> why it was read and not used
    unknown_codes: Mapping[str, int] = field(default_factory=dict)  # code that the label map lacks -> records with it
    corrected: Mapping[str, str] = field(default_factory=dict)  # record -> what its header states wrongly

    @property
    def content_hash(self) -> str:
        """Identity of the open part of the store."""
        content = self.content.plain()
        if not content["processing"]:  # as if it were unknown, so that what was opened before is recognised
            del content["processing"]
        if self.content.divided_by == BY_PATIENT:
            del content["divided_by"]
        return digest_of(content)


def digest_of(value: object) -> str:
    """Return the sha256 of a value of plain types, independent of the order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def file_facts(path: Path) -> FileFacts:
    """Read a whole file and return its size and sha256."""
    with path.open("rb") as file:
        return FileFacts(bytes=path.stat().st_size, sha256=hashlib.file_digest(file, "sha256").hexdigest())


def sealed_hash(directory: Path, large: Iterable[str]) -> str:
    """Return the hash of the sealed part below a store, from the bytes of its files; nothing of them is looked at.

    large: the names of the files beside its index, see `Content.large`.
    """
    return digest_of({name: file_facts(directory / SEALED / name).sha256 for name in (INDEX, *large)})


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Write manifest.json, with both hashes, whole or not at all."""
    text = {
        "format": FORMAT,
        "content_hash": manifest.content_hash,
        **asdict(manifest),
        "content": manifest.content.plain(),
    }
    with replacing(directory / NAME) as beside:
        beside.write_text(json.dumps(text, indent=2) + "\n", encoding="utf-8")


def read_manifest(directory: Path) -> Manifest:
    """Return the manifest of a store. Raises ValueError, with the way out, if there is none or it was changed."""
    path = directory / NAME
    if not path.is_file():
        raise Mistake(
            f"{directory} is not a prepared store: it has no {NAME}; make one with "
            f"`orchestrate data prepare --reader READER --from FOLDER --to {directory}`"
        )
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        version, stated = found.pop("format"), found.pop("content_hash")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise _damaged(path, f"it cannot be read ({error})") from error
    if version != FORMAT:
        raise Mistake(
            f"{path}: the format must be {FORMAT}, but got {version!r}; prepare the store again with --replace"
        )
    try:
        manifest = _from_json(found)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"a part is missing or misshapen ({error})") from error
    if manifest.content_hash != stated:
        raise _damaged(path, "its content hash does not fit its content")
    return manifest


def _from_json(found: dict[str, Any]) -> Manifest:
    content = found.pop("content")
    files = {name: FileFacts(**facts) for name, facts in content.pop("files").items()}
    classes, leads = tuple(content.pop("classes")), tuple(content.pop("leads"))
    return Manifest(content=Content(classes=classes, leads=leads, files=files, **content), **found)


def _damaged(path: Path, why: str) -> ValueError:
    return ValueError(
        f"{path} is damaged: {why}; prepare the store again with `orchestrate data prepare ... --replace`"
    )
