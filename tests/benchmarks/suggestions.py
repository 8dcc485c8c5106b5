"""What a suggestion costs in CPU time after very many trials: a parabola by TPE; journal and fits are left out.

python -m tests.benchmarks.suggestions [--trials 10000] [--window 1000]
"""

import argparse
import time
from datetime import UTC, datetime

from orchestrator.history.ledger import Ledger
from orchestrator.history.records import State, Tell
from orchestrator.search.suggestions import Suggestions
from tests.orchestrator.in_process import toy_spec
from tests.toy_task import ToyTask

SPACE = {
    "x": {"uniform": [-1, 1]},
    "y": {"uniform": [0, 1]},
    "layers": {"integer": [1, 8]},
    "kind": {"choice": ["plain", "bent"]},
    "turns": {"integer": [1, 4], "when": {"kind": "bent"}},
}
SHOWN = 10  # suggestions that a figure is the mean of


def seconds_of_suggestions(trials: int, *, window: int | None) -> list[float]:
    """Return how long each suggestion of a search took, the telling of the trial before it included."""
    spec = toy_spec(trials=trials, space=SPACE, window=window)
    ledger, now = Ledger(), datetime.now(UTC)
    suggestions = Suggestions(
        spec, ledger, defaults={name: entry.default for name, entry in ToyTask().parameters().items()}, final=False
    )
    taken = []
    for number in range(trials):
        begun = time.process_time()
        asked = suggestions.next()
        taken.append(time.process_time() - begun)
        ledger.apply(asked, now)
        suggestions.asked(asked, replay=False)
        x, y = float(asked.config["x"] or 0), float(asked.config["y"] or 0)
        repeats = ledger.trials[number].duplicate_of is not None
        told = Tell(trial=number, state=State.DUPLICATE if repeats else State.COMPLETE, value=1 - (x - 0.3) ** 2 - y)
        ledger.apply(told, now)
        suggestions.told(told)
        taken[-1] = time.process_time() - begun
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--window", type=int, default=1000)
    words = parser.parse_args()
    taken = seconds_of_suggestions(words.trials, window=words.window)
    for number in sorted({max(1, words.trials // part) for part in (100, 10, 2, 1)}):
        last = taken[max(0, number - SHOWN) : number]
        print(f"suggestion {number:6d} {1000 * sum(last) / len(last):8.1f} ms")
    print(f"all {words.trials} in {sum(taken):.0f} s")


if __name__ == "__main__":
    main()
