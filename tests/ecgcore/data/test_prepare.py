import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace as with_changes

import numpy as np
import pytest

from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.sealed import open_sealed
from ecgcore.data.splits import SplitRule
from ecgcore.data.store import open_store
from ecgcore.readers.labels_csv import own_source
from ecgcore.readers.ptbxl import ptbxl_source
from tests.ecgcore.raw_files import noise, small_source, write_wfdb

TWO = StoreRequest(rule=SplitRule(folds=2), leads=("I", "II"))
OFFICIAL = SplitRule(
    train=tuple(map(str, range(1, 7))),
    validation=("7", "8"),
    test=("9",),
)


@pytest.fixture
def source(tmp_path):
    return small_source(tmp_path / "source")


def beside(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_same_again_is_already_prepared(source, tmp_path):
    first, written = prepare(source, tmp_path / "store", TWO)
    again, rewritten = prepare(source, tmp_path / "store", TWO)

    assert (written, rewritten) == (True, False)
    assert again.content_hash == first.content_hash


def test_the_hash_names_content_not_place(source, tmp_path):
    """Copied elsewhere and prepared again, the same recordings make the same store, byte for byte but for the place."""
    shutil.copytree(source.directory, tmp_path / "copy")

    one, _ = prepare(source, tmp_path / "one", TWO)
    two, _ = prepare(own_source(tmp_path / "copy"), tmp_path / "two", TWO)

    assert (one.content_hash, one.sealed_hash, one.input_hash) == (two.content_hash, two.sealed_hash, two.input_hash)


def test_other_options_need_replace(source, tmp_path):
    prepare(source, tmp_path / "store", TWO)
    other = with_changes(TWO, rate=50.0)
    with pytest.raises(ValueError, match=r"holds a store of other recordings or with other options .*--replace"):
        prepare(source, tmp_path / "store", other)
    assert open_store(tmp_path / "store").rate == 100

    prepare(source, tmp_path / "store", other, replace=True)

    assert open_store(tmp_path / "store").rate == 50
    assert beside(tmp_path) == ["source", "store"]


def test_a_changed_recording_needs_replace(source, tmp_path):
    prepare(source, tmp_path / "store", TWO)
    write_wfdb(source.directory, "rec000x", noise(999))

    with pytest.raises(ValueError, match="--replace"):
        prepare(source, tmp_path / "store", TWO)


def test_records_keep_their_lengths_and_are_resampled(tmp_path):
    small_source(tmp_path / "raw")
    write_wfdb(tmp_path / "raw", "rec000x", noise(1, samples=333), rate="300")

    prepare(
        own_source(tmp_path / "raw"),
        tmp_path / "store",
        with_changes(TWO, rate=50.0, rule=SplitRule(folds=2, test_share=0)),
    )

    records = open_store(tmp_path / "store").records
    assert records.lengths[0] == round(333 * 50 / 300)
    assert set(records.lengths[1:]) == {100}
    assert records.signal(0).shape == (2, records.lengths[0])


def test_several_rates_need_a_choice(tmp_path):
    small_source(tmp_path / "raw")
    write_wfdb(tmp_path / "raw", "rec007x", noise(1), rate="300")

    manifest, _ = prepare(own_source(tmp_path / "raw"), tmp_path / "store", TWO)

    assert manifest.refused == {
        "rec007x": "its rate is 300 Hz, that of the records before it 100; choose one with --rate"
    }


def test_a_refused_record_is_listed_and_the_rest_is_used(source, tmp_path):
    (source.directory / "rec004x.dat").write_bytes(b"torn")

    manifest, _ = prepare(source, tmp_path / "store", TWO)

    assert list(manifest.refused) == ["rec004x"]
    assert "the signal is not as long" in manifest.refused["rec004x"]
    assert manifest.content.records + manifest.sealed_records == 39


def test_too_many_refused_records_write_nothing_and_are_all_named(source, tmp_path):
    torn = [f"rec{number:03d}x" for number in (4, 8, 9)]
    for name in torn:
        (source.directory / f"{name}.dat").write_bytes(b"torn")

    with pytest.raises(ValueError, match=r"at most 5 % .* 3 of 40 are; .*--allow-refused") as raised:
        prepare(source, tmp_path / "store", TWO)

    assert [line.split(":")[0].strip() for line in str(raised.value).splitlines()[1:]] == torn
    assert beside(tmp_path) == ["source"]
    prepare(source, tmp_path / "store", with_changes(TWO, allow_refused=10))


def test_copies_under_two_patients_are_on_one_side(tmp_path):
    """Records 0 and 39 are one recording under two names, and differ in one lead: the worst real case."""
    small_source(tmp_path / "raw")
    original = noise(0)
    original[1] += 1
    write_wfdb(tmp_path / "raw", "rec039x", original)
    for seed in range(5):
        request = with_changes(TWO, rule=SplitRule(folds=2, seed=seed))

        prepare(own_source(tmp_path / "raw"), tmp_path / f"store{seed}", request)

        store = open_store(tmp_path / f"store{seed}")
        parts = [
            set(open_sealed(tmp_path / f"store{seed}").ids),
            *({store.records.ids[i] for i in split.validation} for split in store.splits),
        ]
        assert [{"rec000x", "rec039x"} <= part for part in parts].count(True) == 1


def test_a_copy_of_a_test_record_in_a_given_train_fold_is_dropped_and_told(tmp_path):
    rows = small_source(tmp_path / "raw").records
    write_wfdb(tmp_path / "raw", "rec000x", noise(39))
    folds = {
        record.name: "test" if number >= 30 else ("1" if number < 16 else "2") for number, record in enumerate(rows)
    }
    lines = [f"{record.name},{record.patient},{record.labels[0]},{folds[record.name]}" for record in rows]
    (tmp_path / "raw" / "labels.csv").write_text("\n".join(["record,patient,labels,fold", *lines]) + "\n")

    manifest, _ = prepare(
        own_source(tmp_path / "raw"), tmp_path / "store", StoreRequest(rule=SplitRule(), leads=("I", "II"))
    )

    assert manifest.dropped == {"rec000x": "the same signal is in the test part"}
    assert manifest.sealed_records == 10
    assert "rec000x" not in open_store(tmp_path / "store").records.ids


def test_a_failure_while_writing_leaves_nothing(source, tmp_path):
    """A rule that cannot be met fails after every signal was written beside."""
    with pytest.raises(ValueError, match="99 parts need 99 patients"):
        prepare(source, tmp_path / "store", with_changes(TWO, rule=SplitRule(folds=99)))

    assert beside(tmp_path) == ["source"]


def test_a_test_part_of_one_class_is_refused_before_anybody_opens_it(source, tmp_path):
    folds = ["test" if number in (0, 1, 4, 5) else "ab"[number // 4 % 2] for number in range(len(source.records))]
    rows = [f"{r.name},{r.patient},{r.labels[0]},{fold}" for r, fold in zip(source.records, folds, strict=True)]
    (source.directory / "labels.csv").write_text("\n".join(["record,patient,labels,fold", *rows]) + "\n")

    with pytest.raises(ValueError, match=r"the test part must hold records with and without some class, .*\(4\)"):
        prepare(own_source(source.directory), tmp_path / "store", StoreRequest(rule=SplitRule(), leads=("I", "II")))

    assert beside(tmp_path) == ["source"]


def test_all_mistakes_of_a_request_are_told_at_once():
    with pytest.raises(ValueError, match="--rate must be") as raised:
        StoreRequest(rule=SplitRule(), leads=("I", "i"), rate=-1, allow_refused=101)

    assert len(str(raised.value).splitlines()) == 3


def test_the_official_folds_of_ptbxl_give_the_known_counts(recordings, tmp_path):
    manifest, _ = prepare(ptbxl_source(recordings / "ptbxl500"), tmp_path / "store", StoreRequest(rule=OFFICIAL))
    store, sealed = open_store(tmp_path / "store"), open_sealed(tmp_path / "store")

    (split,) = store.splits
    total = np.concatenate([store.records.labels, sealed.labels]).sum(axis=0)
    assert dict(zip(store.classes, total, strict=True)) == {"NORM": 261, "MI": 65, "STTC": 80, "CD": 67, "HYP": 33}
    assert (len(split.train), len(split.validation), len(sealed)) == (264, 88, 72)
    assert Counter(store.records.lengths.tolist()) == {1000: 352}
    assert (manifest.refused, manifest.dropped, manifest.left_out) == ({}, {}, {"without a superclass": 10})


def test_a_full_disk_leaves_nothing(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small disk")
    small_source(tmp_path / "source", patients=40)
    (tmp_path / "disk").mkdir()
    script = f"""
set -e
mount -t tmpfs -o size=64k tmpfs {tmp_path}/disk
set +e
{sys.executable} -m tests.ecgcore.data_command prepare --reader own --from {tmp_path}/source \
    --to {tmp_path}/disk/store --leads I,II --folds 2
echo "exit $?"
ls -A {tmp_path}/disk
"""
    ran = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False)
    if "exit" not in ran.stdout:
        pytest.skip(f"needs to mount a small disk: {ran.stderr.strip()}")

    assert ran.stdout == "exit 1\n"
    (line,) = ran.stderr.splitlines()
    assert "No space left on device; nothing was left behind: free some space and repeat the command" in line


def test_a_manifest_is_for_people_too(source, tmp_path):
    prepare(source, tmp_path / "store", TWO)

    found = json.loads((tmp_path / "store" / "manifest.json").read_text())

    assert found["source"]["request"]["rule"]["folds"] == 2
    assert found["content"]["counts"]["validation of fold 1"] == {
        "records": 16,
        "patients": 8,
        "classes": {"calm": 8, "wild": 8},
    }
