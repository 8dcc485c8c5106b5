import numpy as np
import pytest

from ecgcore.reporting.groups_of_people import groups_by
from ecgcore.reporting.subgroups import subgroups, subgroups_section
from ecgcore.reporting.words import score_text
from ecgcore.scores.metrics import macro_auc, macro_f1
from tests.ecgcore.reporting.some_answers import some_answers


def answers():
    """Of 60 records: sex of 30 and 24, the others' unknown; ages of 10 and 50; all of one device but for three."""
    about = {
        f"r{index}": {
            **({"sex": "female"} if index < 30 else {"sex": "male"} if index < 54 else {}),
            "age": "17" if index < 10 else "40",
            "device": "old" if index < 3 else "new",
        }
        for index in range(60)
    }
    return some_answers(about=about)


def test_a_subgroup_has_the_scores_of_its_own_records_and_an_interval_around_them():
    own = answers()
    by_name = {group.name: group for group in subgroups(own)}
    female = by_name["sex: female"]
    assert (female.records, female.patients, female.classes) == (30, 15, 3)
    assert female.area.value == pytest.approx(macro_auc(own.scores[:30], own.labels[:30]))
    assert female.f1.value == pytest.approx(macro_f1(own.called[:30], own.labels[:30]))
    assert female.area.low < female.area.value < female.area.high
    assert by_name["all"].area.high - by_name["all"].area.low < female.area.high - female.area.low


def test_small_groups_and_groups_of_one_class_have_no_score_and_say_so(tmp_path):
    own = answers()
    section = subgroups_section(own, tmp_path)
    rows = {row[0]: row[1:] for row in section.tables[0].rows}
    assert rows["age: under 18"] == ["10", "5", "too few", "too few"]
    assert rows["sex: unknown"][0] == "6"
    assert rows["device: old"][2] == "too few"
    assert list(rows) == [
        *("all", "age: under 18", "age: 40 to 59", "sex: female", "sex: male", "sex: unknown"),
        *("device: new", "device: old"),
    ]
    svg = (tmp_path / "subgroups.svg").read_text()
    assert "sex: female (30)" in svg
    assert "under 18" not in svg
    same = some_answers(
        records=60, about={f"r{index}": {"site": "one" if index % 3 == 0 else "two"} for index in range(60)}
    )
    assert {group.name: group.why_none for group in subgroups(same)}["site: one"] == "too few: one class only"


def test_where_nothing_is_known_there_are_no_subgroups(tmp_path):
    assert subgroups_section(some_answers(), tmp_path) is None


def test_of_many_sites_the_largest_are_groups_and_the_rest_is_one():
    sites = np.repeat([f"site {number:02d}" for number in range(30)], np.arange(31, 1, -1))
    about = {str(index): {"site": site} for index, site in enumerate(sites)}
    groups = groups_by("site", list(about), about)
    assert len(groups) == 13
    assert len(groups["18 others"]) == sum(range(2, 20))


def test_a_score_is_written_as_the_page_writes_scores():
    assert score_text(0.84811, (0.808, 1.0)) == ".848 [.808, 1.000]"
    assert score_text(0.0) == ".000"
    assert score_text(0.5, (float("nan"), float("nan"))) == ".500"
    assert score_text(float("nan")) == "undefined"
