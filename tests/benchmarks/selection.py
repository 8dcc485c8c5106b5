"""Rules of selection beside each other where the truth is known: searches whose scores are drawn again and again.

python -m tests.benchmarks.selection [--searches 1000] [--trials 20] [--spread 1] [--gain 0] [--seed 1]

The unit is the standard deviation of a fit's own noise. A score is the trial's true value, what these data add to the
trial (shared by all its fits: at worst, with the share that Nadeau and Bengio assume, and none), what the fit's seed
and fold add to every trial, and noise. An ensemble of k ties is taken to be worth the mean of its members and
gain x (1 - 1/k): averages gain by as much as their members disagree, which scores alone do not say, so the gain is
stated and not simulated; printed beside it is the gain with which it would equal the product's rule.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from orchestrator.search.comparison import CONFIDENCE, Comparison, compare
from orchestrator.search.selection import simplest

FOLDS, SEEDS = 4, 2
RATIO = 1 / (FOLDS - 1)  # validation over train records
OF_FIT = 2.0  # sd of what a seed and fold add to every trial
BAD = 4.0  # by how much the bad half is worse
Floats = NDArray[np.float64]


def all_equal(random: np.random.Generator, trials: int, spread: float) -> Floats:
    return np.zeros(trials)


def random_default(random: np.random.Generator, trials: int, spread: float) -> Floats:
    return random.normal(0, spread, trials)


def strong_default(random: np.random.Generator, trials: int, spread: float) -> Floats:
    """Trial 0 is the one at the 90th percentile."""
    truth = np.sort(random.normal(0, spread, trials))
    return np.roll(truth, -int(0.9 * (trials - 1)))


def half_bad(random: np.random.Generator, trials: int, spread: float) -> Floats:
    """The default is of the good half."""
    return random.normal(0, spread, trials) - BAD * (np.arange(trials) % 2)


SETTINGS = {
    "all equal": all_equal,
    "random default": random_default,
    "strong default": strong_default,
    "half of the space bad": half_bad,
}


def one_error(found: Comparison, cost: Mapping[int, tuple[bool, float]]) -> list[int]:
    return [min(found.within_one_error, key=lambda number: number != 0)]


def unless_significant(found: Comparison, cost: Mapping[int, tuple[bool, float]]) -> list[int]:
    return [0 if 0 in found.ties else found.best]


def product(found: Comparison, cost: Mapping[int, tuple[bool, float]]) -> list[int]:
    return [simplest(found, default=0, cost=dict.fromkeys(cost, (False, 0.0)))]


def product_with_sizes(found: Comparison, cost: Mapping[int, tuple[bool, float]]) -> list[int]:
    return [simplest(found, default=0, cost=cost)]


Rule = Callable[[Comparison, Mapping[int, tuple[bool, float]]], list[int]]  # gives the trials that are shipped
RULES: dict[str, Rule] = {
    "argmax": lambda found, cost: [found.best],
    "one standard error alone": one_error,
    "default unless significant": unless_significant,
    "product's": product,
    "product's, three sizes": product_with_sizes,  # the size says nothing of the truth
    "ensemble of ties": lambda found, cost: list(found.ties),
}


@dataclass(frozen=True, kw_only=True)
class Search:
    """What came of one search."""

    truth: Floats  # by trial; trial 0 is the untuned default
    ties: tuple[int, ...]
    shipped: Mapping[str, Sequence[int]]  # by rule


def searched(random: np.random.Generator, truth: Floats, *, of_data: float) -> Search:
    """Run one search; of_data: variance of what the data add to a trial."""
    trials, fits = len(truth), FOLDS * SEEDS
    scores = (truth + random.normal(0, of_data**0.5, trials))[:, None] + random.normal(0, OF_FIT, fits)
    rows = (scores + random.normal(0, 1, (trials, fits))).tolist()
    found = compare(dict(enumerate(rows)), largest=True, test_over_train=RATIO)
    cost = {number: (False, float(size)) for number, size in enumerate(random.integers(3, size=trials))}
    return Search(truth=truth, ties=found.ties, shipped={name: rule(found, cost) for name, rule in RULES.items()})


def simulated(setting: str, *, of_data: float, searches: int, trials: int, spread: float, seed: int) -> list[Search]:
    random = np.random.default_rng(seed)
    drawn = SETTINGS[setting]
    return [searched(random, drawn(random, trials, spread), of_data=of_data) for _ in range(searches)]


def ties_hold_the_best(searches: Sequence[Search]) -> float:
    """In which share of the searches the ties contain a trial than which none is truly better."""
    return fmean(max(one.truth[list(one.ties)]) == one.truth.max() for one in searches)


def default_kept(searches: Sequence[Search], rule: str) -> float:
    return fmean(list(one.shipped[rule]) == [0] for one in searches)


def over_default(searches: Sequence[Search], rule: str, gain: float) -> Floats:
    values = [
        fmean(one.truth[list(one.shipped[rule])]) + gain * (1 - 1 / len(one.shipped[rule])) - one.truth[0]
        for one in searches
    ]
    return np.array(values)


def told(setting: str, searches: Sequence[Search], *, of_data: float, gain: float) -> str:
    possible = np.array([one.truth.max() - one.truth[0] for one in searches])
    lines = [
        f"\n{setting}; data add {of_data:.2f} of a fit's variance: the ties contain the true best in "
        f"{ties_hold_the_best(searches):.1%} ({fmean(len(one.ties) for one in searches):.1f} of "
        f"{len(searches[0].truth)}); the best is {possible.mean():.3f} above the default",
        f"  {'rule':<28}{'default kept':>14}{'regret':>9}{'over default':>20}{'worse than it':>15}{'on average':>12}",
    ]
    for rule in RULES:
        gained = over_default(searches, rule, gain if rule == "ensemble of ties" else 0.0)
        error = gained.std(ddof=1) / len(gained) ** 0.5
        worse = gained[gained < -1e-12]
        by = f"{-worse.mean():.3f}" if len(worse) else ""
        lines.append(
            f"  {rule:<28}{default_kept(searches, rule):>14.1%}{(possible - gained).mean():>9.3f}"
            f"{gained.mean():>+11.3f} ± {error:.3f}{len(worse) / len(gained):>15.1%}{by:>12}"
        )
    share = fmean(1 - 1 / len(one.ties) for one in searches)
    lacking = over_default(searches, "product's", 0).mean() - over_default(searches, "ensemble of ties", 0).mean()
    return "\n".join([*lines, f"  the ensemble equals the product's rule with a gain of {lacking / share:.3f}"])


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", type=int, default=1000)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--spread", type=float, default=1.0, help="sd of the true values")
    parser.add_argument("--gain", type=float, default=0.0, help="of an ensemble of infinitely many, over its members")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(words)
    missed = []
    for setting in SETTINGS:
        for of_data in (RATIO, 0.0):
            how = {"searches": given.searches, "trials": given.trials, "spread": given.spread, "seed": given.seed}
            found = simulated(setting, of_data=of_data, **how)
            print(told(setting, found, of_data=of_data, gain=given.gain), flush=True)
            shares = {"the ties contain the true best": ties_hold_the_best(found)}
            if setting == "all equal":
                shares["the product's rule keeps the default"] = default_kept(found, "product's")
            missed += [
                f"{setting}, data {of_data:.2f}: {what} in {share:.1%}"
                for what, share in shares.items()
                if share < CONFIDENCE
            ]
    print("\n" + "\n".join([f"must be at least {CONFIDENCE:.0%}: {line}" for line in missed] or ["all as it must be"]))
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
