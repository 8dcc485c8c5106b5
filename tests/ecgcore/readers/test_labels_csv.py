import pytest

from ecgcore.readers.labels_csv import own_source
from tests.ecgcore.raw_files import noise, small_source, write_table, write_wfdb


def mistakes(folder):
    with pytest.raises(ValueError) as raised:  # noqa: PT011  the message is the result
        own_source(folder)
    return str(raised.value).replace(str(folder / "labels.csv"), "labels.csv").splitlines()


def test_one_label_each_makes_classes_that_exclude_each_other(tmp_path):
    source = small_source(tmp_path)

    assert (source.classes, source.multilabel, len(source.records)) == (("calm", "wild"), False, 40)
    assert source.records[3].patient == "pat001x"


def test_several_labels_make_it_multilabel(tmp_path):
    for name in ("a", "sub/b"):
        write_wfdb(tmp_path, name, noise(1))
    write_table(tmp_path, [["a", "p1", "AF; LBBB"], ["sub/b.hea", "p2", "AF"]])

    source = own_source(tmp_path)

    assert source.multilabel
    assert [record.labels for record in source.records] == [("AF", "LBBB"), ("AF",)]
    assert source.records[1].name == "sub/b"


def test_a_byte_order_mark_is_no_part_of_a_column(tmp_path):
    write_wfdb(tmp_path, "a", noise(1))
    write_wfdb(tmp_path, "b", noise(2))
    write_table(tmp_path, [["a", "p", "x"], ["b", "q", "y"]], header="\ufeffrecord,patient,labels")

    assert len(own_source(tmp_path).records) == 2


def test_all_mistakes_of_a_table_are_listed_at_once_with_their_lines(tmp_path):
    write_wfdb(tmp_path, "a", noise(1))
    write_table(tmp_path, [["a", "p", "x"], ["gone", "p", "x"], ["a", "p", "x"], ["a", "", " ; "], ["a", "p"]])

    found = mistakes(tmp_path)

    assert found[0].startswith("labels.csv:3: record gone has no header")
    assert found[1].startswith("labels.csv:4: record a was listed before, in line 2")
    assert found[2].startswith("labels.csv:5: record a was listed before")
    assert found[3].startswith("labels.csv:5: patient is empty")
    assert found[4].startswith("labels.csv:5: labels is empty")
    assert found[5] == "labels.csv:6: the line must have as many fields as the first line, 3"


def test_a_table_without_patients_is_refused_with_the_way_out(tmp_path):
    write_table(tmp_path, [["a", "x", "1"]], header="record,labels,weight")

    found = mistakes(tmp_path)

    assert "the column `patient` is missing" in found[0]
    assert "repeat the record's name there" in found[0]
    assert (
        found[1]
        == "labels.csv:1: unknown column 'weight'; the columns are record, patient, labels, fold, age, sex, site"
    )


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\x00bad"])
def test_an_empty_or_unreadable_table_is_refused(tmp_path, content):
    (tmp_path / "labels.csv").write_bytes(content)

    assert mistakes(tmp_path)[0].startswith("labels.csv")


def test_one_class_is_too_few(tmp_path):
    write_wfdb(tmp_path, "a", noise(1))
    write_table(tmp_path, [["a", "p", "x"]])

    assert mistakes(tmp_path) == ["labels.csv: there must be two classes or more, but the labels are x"]


def test_a_missing_folder_or_table_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is not a folder"):
        own_source(tmp_path / "none")
    with pytest.raises(ValueError, match="name the CSV with record, patient, labels with --labels"):
        own_source(tmp_path)


def test_a_wrong_column_hides_no_wrong_line(tmp_path):
    write_wfdb(tmp_path, "a", noise(1))
    write_table(tmp_path, [["a", "x", "1"], ["gone", "", "1"], ["a"]], header="record,labels,weight")

    found = [line.partition(": ")[0] for line in mistakes(tmp_path)]

    assert found == ["labels.csv:1", "labels.csv:1", "labels.csv:3", "labels.csv:3", "labels.csv:4"]
    assert mistakes(tmp_path)[-1].endswith("as many fields as the first line, 3")
