"""MIT-BIH-style records with beat and rhythm annotations (`.atr`) -> a Source of beats, or of pieces of one rhythm.

Moody & Mark 2001; AAMI classes of beats (EC57); division by patient into DS1 and DS2 as in de Chazal et al. 2004.
Leads are found by name, since their order differs. Reads annotations, no signal.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ecgcore.mistakes import Mistake
from ecgcore.readers.header import header_lines, header_path
from ecgcore.readers.record import Annotations, read_annotations
from ecgcore.readers.source import Listed, Source

AAMI = ("N", "S", "V", "F", "Q")
CLASS_OF = {symbol: name for name, symbols in zip(AAMI, ("NLRej", "AaJS", "VE", "F", "/fQ"), strict=True)
            for symbol in symbols}  # fmt: skip
PACED = frozenset({"102", "104", "107", "217"})
WITHOUT_CLASS = frozenset("Bnr?")  # marks of beats, too, but of none of the five classes
SAME_PERSON = {"202": "201"}  # the one of the two names that both have here
DS2 = frozenset(
    {"100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210"}
    | {"212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234"}
)
# Hz of MIT-BIH: records of other databases (Long-Term AF, 128 Hz) have the same names, and are of other people.
RATE_OF_MITDB = 360.0
TARGETS = ("beats", "rhythm")
ANNOTATOR = "atr"


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Which pieces are cut out of the records."""

    target: str = "beats"
    before: float = 0.3  # s of a beat's window before its annotation, which is at the R peak or near it
    after: float = 0.5  # s after it
    piece: float = 10.0  # s of a piece of one rhythm
    paced: bool = False  # with the records of paced hearts, which the AAMI leaves out
    given_test: bool = True  # DS2 is the test part; False: parts are drawn

    def __post_init__(self) -> None:
        mistakes = []
        if self.target not in TARGETS:
            mistakes.append(f"--target must be {' or '.join(TARGETS)} for mitdb, but got {self.target!r}")
        if not (0 <= self.before <= 30 and 0 <= self.after <= 30 and self.before + self.after >= 0.05):
            mistakes.append(f"--window must be BEFORE,AFTER in s, 0 to 30 each, but got {self.before:g},{self.after:g}")
        if not 1 <= self.piece <= 1800:
            mistakes.append(f"--piece must be from 1 to 1800 s, but got {self.piece:g}")
        if mistakes:
            raise Mistake("\n".join(mistakes))


DEFAULT = Cut()


def mitdb_source(directory: Path, *, cut: Cut = DEFAULT) -> Source:
    """List the beats, or the pieces of one rhythm, of every record below `directory` that has annotations.

    What is not listed is counted by reason: paced records, record 201 where 202 is tested (one person), beats whose
    mark has no class or whose window leaves the record, what remains of a rhythm. Raises ValueError if no record has
    annotations.
    """
    paths = sorted(header.with_suffix("") for header in directory.rglob("*.hea"))
    paths = [path for path in paths if path.with_name(f"{path.name}.{ANNOTATOR}").is_file()]
    if not paths:
        raise Mistake(f"{directory} must hold WFDB records with annotations (.{ANNOTATOR}), but has none")
    left_out: Counter[str] = Counter()
    records: list[Listed] = []
    known = {path for path in paths if _extent(path)[0] == RATE_OF_MITDB}  # whose name says who it is
    tested = cut.given_test and any(path.name in DS2 for path in known)
    both = {SAME_PERSON.get(path.name) for path in known} if tested else set()
    for path in paths:
        pieces = list(_pieces(path, directory, cut, left_out))
        if path in known and path.name in PACED and not cut.paced:
            left_out[f"of the paced record {path.name}"] += len(pieces)
        elif path in known and path.name in both:
            left_out[f"of record {path.name}, the same person as 202 of the test part DS2"] += len(pieces)
        else:
            records += pieces
    found = {label for listed in records for label in listed.labels}
    return Source(
        reader="mitdb",
        directory=directory,
        target=cut.target,
        classes=AAMI if cut.target == "beats" else tuple(sorted(found)),
        multilabel=False,
        records=tuple(records),
        tables=tuple(path.with_name(f"{path.name}.{ANNOTATOR}") for path in paths),
        left_out=dict(left_out),
        leads=("MLII",),
    )


def rhythm_spans(annotations: Annotations, *, end: int) -> list[tuple[str, int, int]]:
    """Return (rhythm, begin, end) in samples: a rhythm lasts from its mark `+` (`(AFIB`) to the next, or to the end."""
    marks = [
        (note.lstrip("("), int(sample))
        for sample, symbol, note in zip(annotations.samples, annotations.symbols, annotations.notes, strict=True)
        if symbol == "+" and note.startswith("(")
    ]
    ends = [begin for _, begin in marks[1:]] + [end]
    return [(name, begin, stop) for (name, begin), stop in zip(marks, ends, strict=True)]


def _pieces(path: Path, directory: Path, cut: Cut, left_out: Counter[str]) -> Iterable[Listed]:
    rate, samples = _extent(path)
    annotations = read_annotations(path, ANNOTATOR)
    known = rate == RATE_OF_MITDB
    person = SAME_PERSON.get(path.name, path.name) if known else path.name
    of_the_test_part = known and path.name in DS2
    name = path.relative_to(directory).as_posix()

    def listed(label: str, sample: int, begin: float, length: float) -> Listed:
        return Listed(
            name=f"{name}@{sample}",
            path=path,
            patient=person,
            labels=(label,),
            fold="test" if of_the_test_part and cut.given_test else "",
            span=(begin, length),
            test_part_unused=of_the_test_part and not cut.given_test,
        )

    if cut.target == "rhythm":
        for label, begin, end in rhythm_spans(annotations, end=samples):
            count = int((end - begin) / rate // cut.piece)
            for number in range(count):
                start = begin / rate + number * cut.piece
                yield listed(label, round(start * rate), start, cut.piece)
            if (end - begin) / rate > count * cut.piece:
                left_out[f"shorter than {cut.piece:g} s, at the end of a rhythm"] += 1
        return
    for sample, symbol in zip(annotations.samples.tolist(), annotations.symbols, strict=True):
        if symbol in WITHOUT_CLASS:
            left_out[f"of beats marked {symbol}, which has no class"] += 1
            continue
        if symbol not in CLASS_OF:
            continue  # a change of rhythm or of noise, not a beat
        begin, length = sample / rate - cut.before, cut.before + cut.after
        if begin < 0 or (begin + length) * rate > samples - 1:
            left_out[f"of class {CLASS_OF[symbol]} whose window leaves the recording"] += 1
        else:
            yield listed(CLASS_OF[symbol], sample, begin, length)


def _extent(path: Path) -> tuple[float, int]:
    """Return rate in Hz and number of samples, as the header states them."""
    fields = header_lines(header_path(path))[0].split()
    try:
        return float(fields[2].partition("/")[0]), int(fields[3])
    except (IndexError, ValueError):
        raise Mistake(
            f"{path.name}: its header must state rate and number of samples, but begins with {fields}"
        ) from None
