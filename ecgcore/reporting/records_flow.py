"""Where a run's recordings come from and where they went: a flow diagram, classes by part. From the manifest alone."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

from ecgcore.data.manifest import Content, Manifest
from ecgcore.data.outer_parts import OuterPart
from ecgcore.readers.source import BY_RECORD
from ecgcore.reporting.figure_file import WIDTH, Axes, bare_axes, drawn, legible
from ecgcore.reporting.section import Figure, Section, Table
from ecgcore.reporting.tested_files import Tested
from ecgcore.reporting.words import records_text, share_text

NAMED = 3  # records that stand for those that a reason took out
REASONS = 6  # that the diagram gives, the most frequent
LETTERS, LINE = 38, 0.17  # of a line of text in a box: how many at most, and its height in inch
VALIDATION = "validation of fold "
Box = tuple[str, ...]  # lines of text


def flow_section(manifest: Manifest, tested: Tested | None, figures: Path, *, outer: OuterPart | None) -> Section:
    """Return the section; `tested` is what the store's own records were tested for, or None."""
    content, away = manifest.content, taken_out(manifest)
    used = content.records + manifest.sealed_records
    listed = used + sum(count for count, _ in away.values())
    reasons = sorted(away.items(), key=lambda item: -item[1][0])
    more = sum(count for _, (count, _) in reasons[REASONS:])
    out = (
        f"{records_text(listed - used)} not used",
        *(f"{count:,} {why}" for why, (count, _) in reasons[:REASONS]),
        *([f"{more:,} for other reasons"] if more else []),
    )
    first = (f"{records_text(listed)} in the source", f"reader: {manifest.source.get('reader', 'unknown')}")
    last = (_open_part(content), _sealed_part(manifest))
    _draw(first, out if away else (), (f"{records_text(used)} used",), last, figures)
    told = "; ".join(", ".join(box).replace(":,", ":") for box in (first, out if away else (), *last) if box)
    return Section(
        title="Recordings",
        about="data",
        paragraphs=_warnings(content, outer),
        tables=(_classes(content, tested), *([_taken_out(away)] if away else [])),
        figures=(Figure(name="records", caption=f"Flow of the records: {told}."),),
    )


def taken_out(manifest: Manifest) -> dict[str, tuple[int, Sequence[str]]]:
    """Return by reason how many records of the source are in no part, and names of some where they are known."""
    found: dict[str, tuple[int, Sequence[str]]] = {why: (count, ()) for why, count in manifest.left_out.items()}
    if manifest.refused:
        examples = [f"{name} ({why})" for name, why in list(manifest.refused.items())[:NAMED]]
        found["could not be read"] = (len(manifest.refused), examples)
    for why, count in Counter(manifest.dropped.values()).items():
        found[why] = (count, [name for name, reason in manifest.dropped.items() if reason == why][:NAMED])
    return found


def _open_part(content: Content) -> Box:
    sizes = [part["records"] for name, part in content.counts.items() if name.startswith(VALIDATION)]
    patients = "" if content.divided_by == BY_RECORD else f" of {content.patients:,} patients"
    between = f"{min(sizes):,}" if min(sizes) == max(sizes) else f"{min(sizes):,} to {max(sizes):,}"
    how = f"{len(sizes)} folds, each judged on" if len(sizes) > 1 else "1 fold, judged on"
    return ("open part:", f"{records_text(content.records)}{patients}", f"{how} {between}")


def _sealed_part(manifest: Manifest) -> Box:
    if not manifest.sealed_records:
        return ("no sealed test part",)
    return ("sealed test part:", records_text(manifest.sealed_records), "seen by no fit")


def _warnings(content: Content, outer: OuterPart | None) -> tuple[str, ...]:
    found = []
    if content.divided_by == BY_RECORD:
        found.append(
            "The parts are divided by record: one patient's records are in several of them. Scores say nothing about "
            "new patients."
        )
    if outer is not None:
        found.append(
            f"This run did without outer part {outer} of the open records, and was tested on that; the sealed part was "
            "not opened for it. The numbers here are those of the whole store."
        )
    return tuple(found)


def _classes(content: Content, tested: Tested | None) -> Table:
    """Count each class in the open part, in what the folds are judged on, and in what was tested."""
    judged = [part for name, part in content.counts.items() if name.startswith(VALIDATION)]
    train = next(part for name, part in content.counts.items() if not name.startswith(VALIDATION))
    open_ = {name: judged[0]["classes"][name] + train["classes"][name] for name in content.classes}
    whole = judged[0]["records"] + train["records"]
    known = tested is not None and tested.classes == content.classes
    rows = []
    for index, name in enumerate(content.classes):
        counts = [part["classes"][name] for part in judged]
        between = f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,}"
        row = [name, share_text(open_[name], whole), between]
        if tested is not None and known:
            row.append(share_text(int(tested.labels[:, index].sum()), len(tested.records)))
        rows.append(row)
    several = " Records may have several." if content.multilabel else ""
    caption = f"Records with each class, of {records_text(whole)} in the train and validation part of a fold.{several}"
    columns = ("class", "train and validation", "validation of a fold", *(["test"] if known else []))
    return Table(caption=caption, columns=columns, rows=rows)


def _taken_out(away: dict[str, tuple[int, Sequence[str]]]) -> Table:
    rows = [[why, f"{count:,}", "; ".join(names)] for why, (count, names) in away.items()]
    return Table(caption="Records of the source that are in no part.", columns=("why", "records", "such as"), rows=rows)


def _draw(first: Box, out: Box, used: Box, last: Sequence[Box], figures: Path) -> None:
    """Draw boxes below each other, what was taken out at the side of the way, the parts side by side at its end."""
    beside = [line for text in out for line in wrap(text, LETTERS, subsequent_indent="   ")]
    heights = [0.35 + LINE * len(lines) for lines in (first, beside or ("",), used, max(last, key=len))]
    total = sum(heights) + 0.2 * len(heights)
    with drawn(figures, "records", height=total) as drawing:
        axes = bare_axes(drawing, WIDTH, total)
        tops = [sum(heights[:number]) + 0.2 * number + 0.1 for number in range(4)]
        middles = [top + height / 2 for top, height in zip(tops, heights, strict=True)]
        _arrow(axes, (1.7, middles[0]), (1.7, middles[2] - 0.22))
        if beside:
            _arrow(axes, (1.7, middles[1]), (3.05, middles[1]))
            _box(axes, 3.1, middles[1], tuple(beside), align="left")
        for place in (1.5, 4.5):
            _arrow(axes, (1.7, middles[2]), (place, middles[3] - heights[3] / 2 + 0.05))
        _box(axes, 1.7, middles[0], first)
        _box(axes, 1.7, middles[2], used)
        for place, box in zip((1.5, 4.5), last, strict=True):
            _box(axes, place, middles[3], box)


def _box(axes: Axes, x: float, y: float, lines: Box, *, align: str = "center") -> None:
    text = "\n".join(legible(line, longest=LETTERS) for line in lines)
    frame = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": "black", "linewidth": 0.8}
    axes.text(x, y, text, ha=align, va="center", multialignment=align, bbox=frame, fontsize=9)


def _arrow(axes: Axes, begin: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, begin, arrowprops={"arrowstyle": "->", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0})
