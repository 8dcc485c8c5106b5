"""Findings as one self-contained HTML page: tables, facts, and example strips. Needs no script, no font, no network."""

from collections.abc import Iterator, Sequence
from html import escape

from ecgcore.drawing.ecg_paper import grid, strip
from ecgcore.inspection.check import Findings

DRAWN = 8  # examples of a folder, at most one a class
_STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a;
  background: #fff; }
h2 { margin-top: 2.5rem; overflow-wrap: anywhere; font-size: 1.2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.75rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 1rem 0; } figcaption { margin-bottom: 0.25rem; }
.paper { width: 100%; height: auto; border: 1px solid #e89a9a; }
"""


def page(findings: Sequence[Findings]) -> str:
    """Return the page of one folder or several."""
    return "\n".join(
        [
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Recordings</title>',
            # Names come from files of others: whatever they hold, nothing is loaded and nothing is run.
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<style>{_STYLE}</style></head><body>",
            grid(),
            "<h1>Recordings</h1>",
            *(line for one in findings for line in _section(one)),
            "</body></html>\n",
        ]
    )


def _section(findings: Findings) -> Iterator[str]:
    yield f"<section><h2>{escape(findings.title)}</h2>"
    if findings.parts:
        yield from _table(findings)
    yield "<dl>"
    for what, values in _grouped(findings.facts):
        yield f"<dt>{escape(what)}</dt>"
        yield from (
            f"<dd>{escape(value)}</dd>" if number == 0 else f"<dt></dt><dd>{escape(value)}</dd>"
            for number, value in enumerate(values)
        )
    yield "</dl>"
    for example in findings.examples[:DRAWN]:
        label = escape(", ".join(example.labels) or "label unknown")
        scale = "10 mm/mV" if example.unit == "mV" else "10 mm per standard deviation"
        yield (
            f"<figure><figcaption><strong>{escape(example.name)}</strong> {label} (25 mm/s, {scale})</figcaption>"
            f"{strip(example)}</figure>"
        )
    yield "</section>"


def _table(findings: Findings) -> Iterator[str]:
    classes = list(findings.parts[0].classes)
    heads = ["part", "records", "patients", *classes]
    yield '<div class="wide"><table><thead><tr>'
    yield from (f"<th>{escape(head)}</th>" for head in heads)
    yield "</tr></thead><tbody>"
    for part in findings.parts:
        cells = [
            part.name,
            part.records,
            "" if part.patients is None else part.patients,
            *(part.classes[name] for name in classes),
        ]
        yield f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in cells)}</tr>"
    yield "</tbody></table></div>"


def _grouped(facts: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Group `what: value` lines by what they are about; a line that is indented belongs to the one before."""
    groups: dict[str, list[str]] = {}
    what = ""
    for fact in facts:
        if fact.startswith("  "):
            groups.setdefault(what, []).append(fact.strip())
            continue
        what, _, value = fact.partition(": ")
        groups.setdefault(what, []).append(value)
    return list(groups.items())
