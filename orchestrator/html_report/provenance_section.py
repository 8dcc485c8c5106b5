"""Where the result comes from: code, versions, data, seeds, host, the plan's hash, every opening of the test part."""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.history.openings import openings_of, part_opened_by
from orchestrator.history.spec_hash import spec_hash
from orchestrator.html_report.section import Section, Table, facts_table
from orchestrator.results.whole_run import WholeRun

MOST_DIFF = 20_000  # characters of uncommitted changes that the page shows


def provenance_section(run: WholeRun, provenance: Mapping[str, Any]) -> Section:
    """Return what was written down when the run began, and every opening."""
    tables = [facts_table("When the run began.", list(_facts(run, provenance)))]
    dirty = provenance.get("code", {}).get("dirty")
    if dirty:
        lines = dirty[:MOST_DIFF].splitlines()
        note = ", cut" if len(dirty) > MOST_DIFF else ""
        tables.append(
            Table(
                caption=f"Uncommitted changes{note}.",
                columns=("change",),
                rows=[(line,) for line in lines],
                folded=True,
            )
        )
    tables += _openings(run)
    return Section(title="Provenance", paragraphs=[_plan(run)], tables=tables)


def _facts(run: WholeRun, told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not told:
        yield "provenance", "not written down by this run"
        return
    code = told.get("code", {})
    yield "begun", str(told.get("begun", "not known"))
    yield "command", " ".join(map(str, told.get("command", []))) or "not known"
    yield "commit", str(code.get("commit") or code.get("why") or "not known")
    if code.get("commit"):
        changed = len([line for line in str(code.get("dirty", "")).splitlines() if line.startswith(("+", "-"))])
        yield "uncommitted changes", f"{changed} lines" if changed else "none"
    yield "Python", str(told.get("python", "not known"))
    yield "packages", ", ".join(f"{name} {version}" for name, version in told.get("packages", {}).items())
    hashes = dict.fromkeys(
        str(facts.get("data")) for facts in told.get("data", {}).values() if isinstance(facts, Mapping)
    )
    yield "data, by content", ", ".join(hashes) or "not known"
    seeds = told.get("seeds", {})
    stages = seeds if all(isinstance(one, Mapping) for one in seeds.values()) else {run.folder.name: seeds}
    said = (f"{name}: first seed {one.get('seed')}, {one.get('seeds')} a trial" for name, one in stages.items())
    yield "seeds", "; ".join(said)
    host = told.get("host", {})
    yield (
        "host",
        ", ".join(
            f"{value} {unit}".strip()
            for value, unit in (
                (host.get("name"), ""),
                (host.get("system"), ""),
                (host.get("cpus"), "CPUs"),
                (host.get("memory_gib"), "GiB"),
            )
            if value is not None
        ),
    )


def _plan(run: WholeRun) -> str:
    now = spec_hash(run.folder)
    told = (run.tested or {}).get("spec_hash")
    if told:
        at = (run.tested or {}).get("opened_at")
        changed = "" if told == now else f" The journal's spec has another hash today ({now})."
        return f"The resolved spec had the hash {told} when the test part was opened ({at} UTC).{changed}"
    said = ", computed for this page: it was not said before the test part was opened" if run.tested else ""
    return f"The resolved spec has the hash {now}{said} (SHA-256 of the spec in journal.jsonl, first 12 digits)."


def _openings(run: WholeRun) -> Iterator[Table]:
    if run.tested is None:
        return
    found = openings_of(part_opened_by(run.folder.final), run.folder.final)
    yield Table(
        caption=f"Every opening of this test part that is known, by this run and others: {len(found)}. Known are those "
        "of the same folder of runs and those written down beside the data.",
        columns=("when (UTC)", "by"),
        rows=[(f"{one.at:%Y-%m-%d %H:%M}", str(one.final)) for one in found],
    )
