"""Which searches answer the same question, so that their trials may stand in one ranking; and why others do not.

The score, its direction, the step at which it is taken, the folds, and the data by content: with another of these, a
larger number is not a better model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from orchestrator.atomic import read_json
from orchestrator.history.ledger import Ledger
from orchestrator.history.run_folder import RunFolder
from orchestrator.search.same_data import data_of
from orchestrator.task import Scalar


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a trial's value answers."""

    metric: str
    mode: str
    judged: str  # the spec's score_at
    folds: int
    data: str
    # What the task said of its data, to say in words what differs; the data's content tells whether something does.
    facts: Mapping[str, Scalar] = field(default_factory=dict, compare=False, hash=False)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Searches that may be ranked together, by the names under which they stand in a table."""

    question: Question
    names: tuple[str, ...]


def question_of(ledger: Ledger, folder: RunFolder) -> Question:
    """Return what the trials of a search answer."""
    spec = ledger.spec
    assert spec is not None
    return Question(
        metric=spec.metric,
        mode=spec.mode,
        judged=spec.score_at,
        folds=int(ledger.facts.get("folds") or spec.folds or 1),
        data=data_of(ledger),
        facts=_described(folder),
    )


def grouped(questions: Mapping[str, Question], *, first: Sequence[str] = ()) -> list[Group]:
    """Return groups of what is comparable, in the order given, those that hold one of `first` before others."""
    names: dict[Question, list[str]] = {}
    for name, question in questions.items():
        names.setdefault(question, []).append(name)
    groups = [Group(question=question, names=tuple(found)) for question, found in names.items()]
    return sorted(groups, key=lambda group: not set(group.names) & set(first))


def why_apart(group: Group, other: Group) -> str:
    """Say in one sentence what two groups do not share."""
    mine, theirs = asdict(group.question), asdict(other.question)
    said = [
        f"{name} {mine[name]}, there {theirs[name]}"
        for name in ("metric", "mode", "judged", "folds")
        if mine[name] != theirs[name]
    ]
    if mine["data"] != theirs["data"]:
        facts, others = group.question.facts, other.question.facts
        known = [
            f"{name} {_short(facts[name])}, there {_short(others[name])}"
            for name in facts
            if name != "data" and name in others and facts[name] != others[name]
        ]
        said.append(f"other data ({'; '.join(known) or 'by content'})")
    return f"not ranked with {', '.join(other.names)}: {'; '.join(said)}"


def _described(folder: RunFolder) -> dict[str, Scalar]:
    """Return the task's description of the data as the run's provenance has it; empty where it was taken away."""
    if not folder.provenance.exists():
        return {}
    described: dict[str, dict[str, Scalar]] = read_json(folder.provenance)["data"]
    return described.get(folder.name, {})


def _short(value: Scalar) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
