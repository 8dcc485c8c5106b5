import shutil
from collections import Counter

import pytest

from ecgcore.readers.ptbxl import DATABASE, STATEMENTS, ptbxl_source


def counts(source):
    return dict(Counter(label for record in source.records for label in record.labels))


def test_superclasses_are_those_of_the_database(recordings):
    source = ptbxl_source(recordings / "ptbxl500")

    assert counts(source) == {"NORM": 261, "MI": 65, "STTC": 80, "HYP": 33, "CD": 67}
    assert source.classes == ("NORM", "MI", "STTC", "CD", "HYP")
    assert len(source.records) + source.left_out["without a superclass"] == 434


def test_rhythms_are_those_of_the_database(recordings):
    source = ptbxl_source(recordings / "ptbxl500", target="rhythm")

    assert counts(source) == {"SR": 354, "SBRAD": 8, "SARRH": 20, "AFLT": 5, "AFIB": 11, "STACH": 5, "PACE": 5}


def test_folds_and_patients_are_read_as_whole_numbers(recordings):
    first = ptbxl_source(recordings / "ptbxl500").records[0]

    assert (first.name, first.patient, first.fold, first.labels) == ("1", "15709", "3", ("NORM",))


def test_the_rate_chooses_the_files(recordings):
    folder = recordings / "ptbxl500"

    assert ptbxl_source(folder, rate=100).records[0].path.name == "00001_lr"
    assert ptbxl_source(folder, rate=250).records[0].path.name == "00001_hr"


def test_a_folder_that_is_not_ptbxl_is_refused(tmp_path):
    with pytest.raises(ValueError, match="--from must be the folder of PTB-XL"):
        ptbxl_source(tmp_path)


def test_an_unknown_target_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match="--target must be superclass, rhythm, codes, diagnostic for ptbxl, but got 'form'"
    ):
        ptbxl_source(tmp_path, target="form")


def test_codes_are_never_run_and_all_bad_rows_are_named(recordings, tmp_path):
    shutil.copy(recordings / "ptbxl500" / STATEMENTS, tmp_path)
    (tmp_path / DATABASE).write_text(
        "ecg_id,patient_id,scp_codes,strat_fold,filename_lr,filename_hr\n"
        f"1,7.0,\"open('{tmp_path}/ran', 'w')\",1,a,b\n"
        "2,nobody,{'NORM': 1.0},1,a,b\n"
    )

    with pytest.raises(ValueError, match=f"{DATABASE}:2: scp_codes must be a dict") as raised:
        ptbxl_source(tmp_path)

    assert f"{DATABASE}:3: patient_id must be a whole number, but got 'nobody'" in str(raised.value)
    assert not (tmp_path / "ran").exists()


def test_a_diagnostic_code_counts_from_half_of_certainty(recordings, tmp_path):
    shutil.copy(recordings / "ptbxl500" / STATEMENTS, tmp_path)
    (tmp_path / DATABASE).write_text(
        "ecg_id,patient_id,scp_codes,strat_fold,filename_lr,filename_hr\n"
        "1,7.0,\"{'IMI': 50.0, 'LVH': 35.0, 'NDT': 100.0, 'SR': 100.0, 'ABQRS': 80.0}\",1,a,b\n"
        "2,8.0,\"{'LVH': 15.0, 'SR': 0.0}\",1,a,b\n"
    )

    source = ptbxl_source(tmp_path, target="diagnostic")

    assert [record.labels for record in source.records] == [("IMI", "NDT")]
    assert source.left_out == {"without a diagnostic": 1}


def test_diagnostic_codes_are_those_of_the_database(recordings):
    source = ptbxl_source(recordings / "ptbxl500", target="diagnostic")

    assert len(source.records) == 411
    assert counts(source).items() >= {"NORM": 261, "NDT": 32, "LVH": 26, "LAFB": 25, "IMI": 19, "IRBBB": 18}.items()
