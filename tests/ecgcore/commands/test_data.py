import contextlib
import json
import os
import shutil
import subprocess
import sys

import pytest

from ecgcore.data.splits import fold_names
from ecgcore.data.store import open_store
from ecgcore.drawing.charts import ChartForm
from tests.ecgcore.data_command import main
from tests.ecgcore.raw_files import noise, small_source, write_wfdb


def test_synthesize_prepare_and_check_follow_one_another(tmp_path, capsys):
    assert main("synthesize", "--to", f"{tmp_path}/raw", "--records", "40", "--seed", "1") == 0
    assert main("prepare", "--reader", "own", "--from", f"{tmp_path}/raw", "--to", f"{tmp_path}/s", "--folds", "3") == 0
    assert main("check", f"{tmp_path}/s", f"{tmp_path}/raw") == 0

    assert len(open_store(tmp_path / "s").splits) == 3
    said = capsys.readouterr().out
    assert "train of fold 2: " in said
    assert "leads: I II III aVR aVL aVF V1 V2 V3 V4 V5 V6" in said
    assert "(sealed, hash " in said


def test_charts_are_drawn_where_options_ask_for_them(tmp_path, capsys):
    main("synthesize", "--to", f"{tmp_path}/raw", "--records", "40", "--seed", "1")
    words = ["prepare", "--reader", "own", "--from", f"{tmp_path}/raw", "--to", f"{tmp_path}/s"]

    assert main(*words, "--charts", "2x6", "--chart-pixels", "64") == 0

    assert "charts: 2x6, 64 px\n" in capsys.readouterr().out
    assert open_store(tmp_path / "s").charts == ChartForm(("2x6",), 64)
    for more, told in (
        (["--chart-pixels", "64"], r"--chart-pixels must come with --charts, but got 64 alone"),
        (["--charts", "3x4"], r"--charts must be 4x3 or 2x6, or both, but got '3x4'"),
        (["--charts", "4x3", "--normalise", "lead"], r"--normalise must be left out where charts are drawn"),
        (["--charts", "4x3"], r"with other options"),
    ):
        with pytest.raises(ValueError, match=told):
            main(*words, *more)


def test_preparing_again_says_that_it_was_done(tmp_path, capsys):
    small_source(tmp_path / "raw")
    words = ["prepare", "--reader", "own", "--from", f"{tmp_path}/raw", "--to", f"{tmp_path}/s", "--leads", "i,ii"]

    assert main(*words) == main(*words) == 0

    assert f"{tmp_path}/s: already prepared" in capsys.readouterr().out


def test_one_fold_is_one_hold_out_part(tmp_path):
    small_source(tmp_path / "raw")

    main(
        "prepare",
        "--reader",
        "own",
        "--from",
        f"{tmp_path}/raw",
        "--to",
        f"{tmp_path}/s",
        "--leads",
        "I,II",
        "--folds",
        "1",
    )

    (split,) = open_store(tmp_path / "s").splits
    assert (len(split.train), len(split.validation)) == (26, 6)


def test_check_opens_a_store_whose_sealed_part_is_away_and_says_so(tmp_path, capsys):
    small_source(tmp_path / "raw")
    main("prepare", "--reader", "own", "--from", f"{tmp_path}/raw", "--to", f"{tmp_path}/s", "--leads", "I,II")
    shutil.rmtree(tmp_path / "s" / "sealed")
    capsys.readouterr()

    assert main("check", f"{tmp_path}/s") == 0

    assert "a test part of 8 records (sealed/ is not here)" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["signals.f32", "sealed/index.csv", "sealed/signals.f32"])
def test_check_finds_one_changed_byte(tmp_path, name):
    small_source(tmp_path / "raw")
    main("prepare", "--reader", "own", "--from", f"{tmp_path}/raw", "--to", f"{tmp_path}/s", "--leads", "I,II")
    held = bytearray((tmp_path / "s" / name).read_bytes())
    held[-3] ^= 1
    (tmp_path / "s" / name).write_bytes(held)

    with pytest.raises(ValueError, match=f"{name.split('/')[0]}.* was changed"):
        main("check", f"{tmp_path}/s")


def test_check_of_raw_recordings_names_the_unreadable_and_fails(tmp_path, capsys):
    small_source(tmp_path / "raw")
    (tmp_path / "raw" / "rec005x.dat").write_bytes(b"torn")

    assert main("check", f"{tmp_path}/raw") == 1

    said = capsys.readouterr().out
    assert "40 records of 20 patients; calm 20, wild 20" in said
    assert "refused: 1\n  rec005x: the signal is not as long" in said


def test_check_of_a_bare_folder_needs_no_table(tmp_path, capsys):
    for number in range(3):
        path = write_wfdb(tmp_path, f"r{number}", noise(min(number, 1)))
        header = path.with_suffix(".hea")
        header.write_text(header.read_text().partition("#")[0])

    assert main("check", str(tmp_path)) == 0

    said = capsys.readouterr().out
    assert "3 records, patients and labels unknown" in said
    assert "duplicate signals: 1: r1 = r2" in said


def test_check_of_ptbxl_finds_its_copies(recordings, capsys):
    assert main("check", str(recordings / "ptbxl500")) == 0

    assert "duplicate signals: 4: 137 = 138, 145 = 463, 456 = 457, 459 = 460" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "{here}"], "must hold manifest.json (a store) or WFDB records"),
        (["prepare", "--reader", "own", "--from", "{here}/none", "--to", "{here}/s"], "is not a folder"),
        (["prepare", "--reader", "ptbxl", "--from", "{here}", "--to", "{here}/s"], "say how ptbxl is divided"),
        (
            ["prepare", "--reader", "own", "--from", "{here}", "--to", "{here}/s", "--target", "x"],
            "--target is for ptbxl",
        ),
    ],
)
def test_mistakes_are_answered_with_the_way_out(tmp_path, words, message):
    with pytest.raises(ValueError) as raised:  # noqa: PT011  the message is compared below
        main(*(word.format(here=tmp_path) for word in words))

    assert message.format(here=tmp_path) in str(raised.value)


@pytest.mark.parametrize(
    ("text", "names"),
    [(None, ()), ("9", ("9",)), ("1-3", ("1", "2", "3")), ("1-2, 7,x", ("1", "2", "7", "x")), ("site-a", ("site-a",))],
)
def test_folds_are_named_by_range_or_one_by_one(text, names):
    assert fold_names(text, "--train-folds") == names


@pytest.mark.parametrize("text", ["", "1,,2", "6-1"])
def test_folds_that_cannot_be_read_are_refused(text):
    with pytest.raises(ValueError, match="--train-folds must be folds like 1-6 or 7,8"):
        fold_names(text, "--train-folds")


def test_a_place_that_cannot_be_written_is_one_line_and_exit_code_1(tmp_path, capsys):
    (tmp_path / "file").write_text("")

    assert main("synthesize", "--to", f"{tmp_path}/file/s", "--records", "4", "--seed", "1") == 1

    assert len(capsys.readouterr().err.splitlines()) == 1


def test_help_waits_for_no_large_library():
    script = (
        "import sys, ecgcore.commands; print(sorted({'numpy', 'scipy', 'wfdb', 'sklearn', 'torch'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_progress_bar_is_drawn_on_a_terminal_only(tmp_path):
    """On a terminal standard error shows how many were read; in a pipe it stays empty, and output is the same."""
    small_source(tmp_path / "raw")
    words = [sys.executable, "-m", "tests.ecgcore.data_command", "prepare", "--reader", "own", "--leads", "I,II"]
    words += ["--from", f"{tmp_path}/raw", "--to"]
    piped = subprocess.run([*words, f"{tmp_path}/a"], capture_output=True, text=True, check=True)
    terminal, end = os.openpty()
    shown = subprocess.Popen([*words, f"{tmp_path}/b"], stdout=subprocess.PIPE, stderr=end, text=True)
    os.close(end)
    drawn = b""
    with contextlib.suppress(OSError):  # how Linux says that the other end of a terminal is closed
        while chunk := os.read(terminal, 4096):
            drawn += chunk
    os.close(terminal)
    output, _ = shown.communicate()

    assert piped.stderr == ""
    assert "40/40" in drawn.decode()
    assert output.replace(f"{tmp_path}/b", f"{tmp_path}/a") == piped.stdout


def test_readers_without_their_folders_are_refused(tmp_path):
    words = ["prepare", "--reader", "own", "--reader", "ludb", "--from", str(tmp_path), "--to", f"{tmp_path}/s"]

    with pytest.raises(ValueError, match="every --reader needs its --from, in the same order, but got 2 readers and 1"):
        main(*words)


def test_a_label_map_needs_somebody_who_reads_yaml(tmp_path):
    small_source(tmp_path / "raw")
    (tmp_path / "map.yaml").write_text("multilabel: true\n")

    with pytest.raises(ValueError, match="label maps are read by the command `orchestrate data`"):
        main("check", f"{tmp_path}/raw", "--label-map", f"{tmp_path}/map.yaml")
    with pytest.raises(ValueError, match=r"--label-map must be a YAML file, or .*beats_n_s_v or .*challenge2021 or "):
        main("check", f"{tmp_path}/raw", "--label-map", "nothing")


def test_filters_are_read_from_words(tmp_path, capsys):
    small_source(tmp_path / "raw")
    words = ["prepare", "--reader", "own", "--from", f"{tmp_path}/raw", "--to", f"{tmp_path}/s", "--leads", "I,II"]

    main(*words, "--band-pass", "0.5-40", "--normalise", "lead", "--half", "--repeats", "2", "--folds", "2")

    said = capsys.readouterr().out
    assert "processing: band pass 0.5-40, normalise lead, half, largest rounding error 0.00" in said
    assert "validation of fold 3: " in said
    with pytest.raises(ValueError, match=r"--band-pass must be LOW-HIGH in Hz, such as 0\.5-40, but got 'low'"):
        main(*words, "--band-pass", "low", "--replace")


def write_recipe(folder):
    """A recipe of the small source, as a JSON text: what `data prepare` is handed is read by somebody else."""
    recipe = {"store": "s", "recordings": {"reader": "own", "from": "raw"}, "leads": ["I", "II"], "split": {"folds": 2}}
    (folder / "recipe.yaml").write_text(json.dumps(recipe))
    return folder / "recipe.yaml"


def test_a_recipe_takes_the_place_of_all_options(tmp_path, capsys):
    small_source(tmp_path / "raw")
    recipe = str(write_recipe(tmp_path))

    assert main("prepare", recipe, read_yaml=read_json) == main("prepare", recipe, read_yaml=read_json) == 0

    said = capsys.readouterr().out
    assert f"{tmp_path}/s: prepared\n" in said
    assert f"{tmp_path}/s: already prepared\n" in said
    assert len(open_store(tmp_path / "s").splits) == 2
    with pytest.raises(ValueError, match=r"a recipe says everything, but got --from, --rate, too; write that into it"):
        main("prepare", recipe, "--from", "x", "--rate", "100", read_yaml=read_json)


def test_a_recipe_is_written_anew_where_that_is_asked_for(tmp_path, capsys):
    small_source(tmp_path / "raw")
    recipe = str(write_recipe(tmp_path))
    main("prepare", recipe, read_yaml=read_json)
    (tmp_path / "s" / "signals.f32").write_bytes(b"damaged")

    main("prepare", recipe, "--replace", read_yaml=read_json)

    assert open_store(tmp_path / "s")


def test_neither_a_recipe_nor_the_options_is_refused():
    with pytest.raises(ValueError, match="a RECIPE, or --reader, --from and --to; missing: --from, --to"):
        main("prepare", "--reader", "own")


def read_json(path):
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "{here}/s", "--leads", ""], "--leads must name one lead or more, each once, but got ''"),
        (["--to", "{here}/s", "--leads", "I,,II"], "--leads must name one lead or more, each once, but got 'I,,II'"),
        (["--to", "{here}/s", "--leads", "I,II", "--workers", "1000000000000"], "--workers must be from 1 to 1024"),
        (["--to", "{here}/s", "--leads", "I,II", "--seed", "100000000000000000000"], "--seed must be from 0 to 429496"),
        (
            ["--to", "{here}/s", "--leads", "I,II", "--folds", "1000000000"],
            "--folds must be from 1 (one hold-out part)",
        ),
        (["--to", "{here}/s", "--leads", "I,II", "--train-folds", "1-999999999"], "--train-folds must be folds like"),
        (["--to", "{here}/raw/s", "--leads", "I,II"], "--to must lie outside the recordings, but {here}/raw/s is in"),
        (["--to", "{here}/raw", "--leads", "I,II"], "--to must lie outside the recordings, but {here}/raw is in"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_written(tmp_path, words, message):
    small_source(tmp_path / "raw", patients=4)
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(ValueError) as raised:  # noqa: PT011  the message is compared below
        main("prepare", "--reader", "own", "--from", f"{tmp_path}/raw", *(word.format(here=tmp_path) for word in words))

    assert message.format(here=tmp_path) in str(raised.value)
    assert sorted(tmp_path.rglob("*")) == before
