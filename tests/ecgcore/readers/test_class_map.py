"""Which of their classes is which of ours: by name, by a table, with what is unclear left out, and why."""

import re
from pathlib import Path

import numpy as np
import pytest

from ecgcore.mistakes import Mistake
from ecgcore.readers.class_map import NO_CLASS, SEVERAL, class_map

THEIRS, OURS = ("af", "normal", "paced", "svt"), ("fib", "normal", "tachy")


def table(folder: Path, *lines: str, header: str = "theirs,ours") -> Path:
    path = folder / "map.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_equal_names_need_nothing_and_a_table_has_the_last_word(tmp_path: Path) -> None:
    assert {"normal": "normal"} == class_map(THEIRS, OURS).ours_of
    stated = class_map(THEIRS, OURS, table(tmp_path, "af,fib", "normal,", "svt,tachy", "flutter,fib"))
    assert {"af": "fib", "svt": "tachy"} == stated.ours_of
    assert ({"normal"}, ("paced",), ("flutter",)) == (stated.none_of_ours, stated.unknown, stated.absent)


def test_several_of_theirs_may_be_one_of_ours(tmp_path: Path) -> None:
    stated = class_map(THEIRS, OURS, table(tmp_path, "af,fib", "svt,fib"))
    labels = stated.labels(np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]], np.float32))
    assert [[1, 0, 0], [0, 1, 0], [0, 0, 0]] == labels.tolist()


def test_what_a_label_set_cannot_say_is_left_out(tmp_path: Path) -> None:
    """A record that is known to be none of ours is one without any, if records may have several or none."""
    stated = class_map(THEIRS, OURS, table(tmp_path, "af,fib", "svt,"))
    theirs = np.array([[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 1, 1], [0, 0, 1, 1]], np.float32)
    assert {0: SEVERAL, 1: NO_CLASS, 2: NO_CLASS, 3: NO_CLASS, 4: NO_CLASS} == stated.left_out(theirs, multilabel=False)
    assert {1: NO_CLASS, 4: NO_CLASS} == stated.left_out(theirs, multilabel=True), "paced may be of ours: nobody said"


def test_every_mistake_of_a_table_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = table(tmp_path, "af,fob", "af,fib", "svt", "normal,\x07")
    with pytest.raises(Mistake) as told:
        class_map(THEIRS, OURS, path)
    rules = [
        "map.csv:2: ours must be a class of the model, fib, normal, tachy, or empty for none, got 'fob'",
        "map.csv:3: af was listed before",
        "map.csv:4: the line must be theirs,ours, but is 'svt'",
        "map.csv:5: the line must be text without control characters",
    ]
    for rule in rules:
        assert re.search(re.escape(rule), str(told.value)), (rule, str(told.value))


@pytest.mark.parametrize("header", ["ours,theirs", "theirs;ours"])
def test_another_header_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(Mistake, match=r"map.csv:1: the first line must be theirs,ours"):
        class_map(THEIRS, OURS, table(tmp_path, header=header))


def test_no_class_in_common_is_a_mistake_that_names_both() -> None:
    with pytest.raises(Mistake, match="the model's, fib, tachy; the other store has af, paced; say in a CSV"):
        class_map(("af", "paced"), ("fib", "tachy"))
