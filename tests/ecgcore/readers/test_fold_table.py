import pytest

from ecgcore.data.sealed import open_sealed
from ecgcore.data.store import open_store
from ecgcore.readers.fold_table import with_folds
from tests.ecgcore.data_command import main
from tests.ecgcore.raw_files import small_source


def table(folder, rows, header="record,fold"):
    path = folder / "folds.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def fold_of(number):
    return ["test", "a", "b"][number // 2 % 3]


def test_two_stores_of_other_options_share_the_split_of_a_table(tmp_path):
    source = small_source(tmp_path / "raw")
    path = table(tmp_path, [f"{record.name},{fold_of(n)}" for n, record in enumerate(source.records)])
    words = ["prepare", "--reader", "own", "--from", f"{tmp_path}/raw", "--leads", "I,II", "--fold-table", str(path)]

    main(*words, "--to", f"{tmp_path}/s")
    main(*words, "--to", f"{tmp_path}/t", "--rate", "50", "--normalise", "lead")

    parts = []
    for name in ("s", "t"):
        store = open_store(tmp_path / name)
        held_out = [[store.records.ids[index] for index in split.validation] for split in store.splits]
        parts.append((open_sealed(tmp_path / name).ids, held_out))
    assert parts[0] == parts[1]
    assert set(parts[0][0]) == {record.name for n, record in enumerate(source.records) if fold_of(n) == "test"}


def test_records_that_the_table_lacks_are_counted(tmp_path):
    source = small_source(tmp_path / "raw")
    path = table(tmp_path, ["rec000x,a", "rec001x,b", "of another store,a"])

    divided = with_folds(source, path)

    assert [(record.name, record.fold) for record in divided.records] == [("rec000x", "a"), ("rec001x", "b")]
    assert divided.left_out == {"not in folds.csv": 38}
    assert divided.tables[-1] == path


def test_all_mistakes_of_a_table_are_told_at_once(tmp_path):
    source = small_source(tmp_path / "raw")

    with pytest.raises(ValueError, match=r"folds\.csv:2: the line must be record,fold, but is 'rec000x'") as raised:
        with_folds(source, table(tmp_path, ["rec000x", "rec001x,a", "rec001x,b", ",a"]))
    assert len(str(raised.value).splitlines()) == 3
    with pytest.raises(ValueError, match=r"must name records of .*, but names none; one is rec000x"):
        with_folds(source, table(tmp_path, ["x,a"]))
    with pytest.raises(ValueError, match=r"folds\.csv:1: the first line must be record,fold"):
        with_folds(source, table(tmp_path, ["x,a"], header="name,fold"))
