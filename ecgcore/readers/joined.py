"""Several sources as one, and records taken out of one by name: for pretraining on all that there is but the target."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from ecgcore.mistakes import Mistake
from ecgcore.readers.source import BY_PATIENT, BY_RECORD, Listed, Source, directories


def together(sources: Sequence[Source]) -> Source:
    """Return one source; names of records and patients begin with their reader's, `ludb/17`. One comes back as it is.

    Raises ValueError if two are of the same reader, since names might then meet, or if they have no lead in common or
    not one unit.
    """
    if len(sources) == 1:
        return sources[0]
    twice = [reader for reader, count in Counter(source.reader for source in sources).items() if count > 1]
    if twice:
        raise Mistake(f"each --reader may be given once, but got {', '.join(twice)} more than once")
    if any(source.units != sources[0].units for source in sources):
        raise Mistake(
            f"{directories(source.directory for source in sources)}: the sources must have one unit, but "
            + ", ".join(f"{source.reader} has {source.units}" for source in sources)
        )
    leads = [lead for lead in sources[0].leads if all(lead in source.leads for source in sources)]
    if not leads:
        raise Mistake(f"{directories(source.directory for source in sources)}: the sources have no lead in common")
    return Source(
        reader="+".join(source.reader for source in sources),
        directory=directories(source.directory for source in sources),
        target="+".join(source.target for source in sources),
        classes=tuple(dict.fromkeys(name for source in sources for name in source.classes)),
        multilabel=any(source.multilabel for source in sources),
        records=tuple(_prefixed(listed, source.reader) for source in sources for listed in source.records),
        tables=tuple(table for source in sources for table in source.tables),
        left_out=dict(sum((Counter(source.left_out) for source in sources), Counter())),
        leads=tuple(leads),
        joined=tuple(folder for source in sources for folder in source.folders),
        units=sources[0].units,
        divided_by=BY_RECORD if any(source.divided_by == BY_RECORD for source in sources) else BY_PATIENT,
        corrected={f"{source.reader}/{name}": what for source in sources for name, what in source.corrected.items()},
    )


def without(source: Source, patterns: Sequence[str]) -> Source:
    """Leave out the records whose names match a pattern such as `challenge/ptb-xl/*`, and count them.

    Raises ValueError for a pattern that matches no record, or if none is left.
    """
    matched = {
        pattern: {listed.name for listed in source.records if fnmatchcase(listed.name, pattern)} for pattern in patterns
    }
    idle = [pattern for pattern, names in matched.items() if not names]
    if idle:
        raise Mistake(
            f"--leave-out must match records, but {', '.join(idle)} matches none; a name is {source.records[0].name}"
        )
    names = set().union(*matched.values()) if matched else set()
    kept = tuple(listed for listed in source.records if listed.name not in names)
    if not kept:
        raise Mistake(f"--leave-out must leave a record, but {' '.join(patterns)} matches all of them")
    left_out = {f"left out by name ({pattern})": len(found) for pattern, found in matched.items()}
    return replace(source, records=kept, left_out={**source.left_out, **left_out})


def _prefixed(listed: Listed, reader: str) -> Listed:
    fold = f"{reader}/{listed.fold}" if listed.fold not in ("", "test") else listed.fold
    return replace(listed, name=f"{reader}/{listed.name}", patient=f"{reader}/{listed.patient}", fold=fold)
