from pathlib import Path

import pytest

from ecgcore.commands.source_options import LABEL_MAPS
from ecgcore.readers.challenge import challenge_source
from ecgcore.readers.label_map import label_map_from, with_classes
from ecgcore.readers.ludb import ludb_source
from ecgcore.readers.ptbxl import ptbxl_source
from orchestrator.specs.strict_yaml import read_yaml
from tests.ecgcore.raw_files import noise, write_wfdb
from tests.orchestrator.command import orchestrate

SHIPPED = LABEL_MAPS
PATH = Path("map.yaml")


def source_of_codes(folder, *codes):
    for number, own in enumerate(codes):
        write_wfdb(folder, f"X{number}", noise(number))
        header = folder / f"X{number}.hea"
        header.write_text(header.read_text().replace("#Dx: 1,,2", f"#Dx: {own}"))
    return challenge_source(folder)


def test_several_codes_make_one_class_and_the_map_gives_the_order(tmp_path):
    source = source_of_codes(tmp_path, "2,3", "1", "3")
    content = {"multilabel": True, "classes": {"late": [2, "3"], "early": [1]}}

    mapped = with_classes(source, label_map_from(content, PATH))

    assert [record.labels for record in mapped.records] == [("late",), ("early",), ("late",)]
    assert (mapped.classes, mapped.multilabel, mapped.target) == (("late", "early"), True, "map")
    assert mapped.tables[-1] == PATH


def test_what_a_map_leaves_over_is_counted_and_named(tmp_path):
    source = source_of_codes(tmp_path, "1", "9", "1,2", "1,7", "8")
    content = {"multilabel": False, "classes": {"a": [1], "b": [2]}, "ignored": [8]}

    mapped = with_classes(source, label_map_from(content, PATH))

    assert [record.name for record in mapped.records] == ["X0", "X3"]
    assert mapped.unknown_codes == {"9": 1, "7": 1}
    assert mapped.left_out == {
        "without a class of the label map": 2,
        "with more than one class of a label map whose classes exclude each other": 1,
    }


def test_a_map_that_fits_nothing_is_refused_with_the_codes_that_are_there(tmp_path):
    content = {"multilabel": True, "classes": {"a": [100], "b": [200]}}

    with pytest.raises(ValueError, match=r"map\.yaml: no record of .* has one of its codes; the records have 1, 2"):
        with_classes(source_of_codes(tmp_path, "1", "2"), label_map_from(content, PATH))


def test_all_mistakes_of_a_map_are_told_at_once():
    content = {
        "multi": True,
        "multilabel": "yes",
        "classes": {"a;b": [1], "c": "2", "d": [1, None]},
        "ignored": [1],
    }

    with pytest.raises(ValueError, match=r"map\.yaml: unknown key multi") as raised:
        label_map_from(content, PATH)

    assert [line.split(": ", 1)[1].split(",")[0].split(" must")[0] for line in str(raised.value).splitlines()] == [
        "unknown key multi; the keys are multilabel",
        "multilabel",
        "a class",
        "classes.c",
        "classes.d: a code",
        "classes.d: code 1 is in a;b already; a code has one class",
        "ignored: code 1 is in class d",
    ]


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_map_is_a_map(path):
    label_map = label_map_from(read_yaml(path).data, path)

    assert len(label_map.classes) > 2


def test_the_scored_classes_are_those_of_the_challenge(recordings):
    """The weights of the challenge name 26 classes, some of them by two codes."""
    weights = recordings / "metadata" / "challenge2021_weights.csv"
    if not weights.is_file():
        pytest.skip(f"needs metadata in {recordings}")
    path = SHIPPED / "challenge2021.yaml"
    label_map = label_map_from(read_yaml(path).data, path)

    columns = weights.read_text().splitlines()[0].split(",")[1:]
    assert {frozenset(column.split("|")) for column in columns} == {
        frozenset(code for code, name in label_map.class_of.items() if name == each) for each in label_map.classes
    }


def test_the_map_for_pretraining_knows_every_word_of_ludb(recordings):
    if not (recordings / "ludb").is_dir():
        pytest.skip(f"needs ludb in {recordings}")
    path = SHIPPED / "challenge_ludb.yaml"

    mapped = with_classes(ludb_source(recordings / "ludb", target="codes"), label_map_from(read_yaml(path).data, path))

    assert mapped.unknown_codes == {}
    assert len(mapped.records) + sum(mapped.left_out.values()) == 170


def test_the_program_reads_a_label_map_as_strictly_as_any_yaml(tmp_path):
    source_of_codes(tmp_path / "raw", "1", "2", "1,7")
    (tmp_path / "map.yaml").write_text("multilabel: true\nclasses:\n  a: [1]\n  b: [2]\n")

    done = orchestrate("data", "check", tmp_path / "raw", "--label-map", tmp_path / "map.yaml")

    assert done.returncode == 0, done.stderr
    assert "3 records of 3 patients; a 2, b 1 (reader challenge)" in done.stdout
    assert "codes without a class: 1: 7 (1)" in done.stdout
    (tmp_path / "map.yaml").write_text("multilabel: yes\nclasses:\n  a: [1]\n  a: [2]\n")
    done = orchestrate("data", "check", tmp_path / "raw", "--label-map", tmp_path / "map.yaml")
    assert done.returncode == 2
    assert f"{tmp_path}/map.yaml:1: `yes` is read as a truth value" in done.stderr
    assert f"{tmp_path}/map.yaml:4: a: the key is given twice" in done.stderr


def test_codes_of_ptbxl_become_classes(recordings):
    content = {"multilabel": False, "classes": {"fibrillation": ["AFIB"], "sinus": ["SR", "SBRAD", "STACH"]}}
    source = ptbxl_source(recordings / "ptbxl500", target="codes")

    mapped = with_classes(source, label_map_from(content, PATH))

    assert sum(record.labels == ("fibrillation",) for record in mapped.records) == 11
    assert len(mapped.records) + sum(mapped.left_out.values()) == 434
    assert mapped.unknown_codes["NORM"] == 261
