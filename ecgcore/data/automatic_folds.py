"""How many folds, drawn how often, the data needs for its trials to be told apart. A number of people in, two out."""

from typing import Final

AUTO: Final = "auto"
JUDGEMENTS = 1000  # people judged over all folds and repeats: a share of .9 then has a standard error of .01
MOST_REPEATS = 3  # more cost more fits, and say ever less that is new: it is the same people again


def automatic_folds(people: int) -> tuple[int, int]:
    """Return folds and repeats for so many `people` (patients, linked records counting as one) who are not sealed.

    Up to five: each in turn. Below 2,000: five folds, drawn anew until 1,000 people are judged, three times at most.
    From 2,000: three folds. From 10,000: one hold-out part of a fifth, which has 2,000. People are counted, and
    not records, because records of one person say much the same.
    """
    if people >= 10 * JUDGEMENTS:
        return 1, 1
    if people >= 2 * JUDGEMENTS:
        return 3, 1
    if people <= 5:
        return max(2, people), 1  # drawn anew, they would be the same
    return 5, min(MOST_REPEATS, -(-JUDGEMENTS // people))
