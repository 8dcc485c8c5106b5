"""YAML means what people mean by it, and every mistake of a file is named at once with its line."""

import os
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import UserError
from orchestrator.specs.strict_yaml import read_yaml, write_yaml


def read(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    return read_yaml(path).data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1E5", 1e5),
        (".5", 0.5),
        ("-3", -3),
        ("3.", 3.0),
        ("true", True),
        ("null", None),
        ("", None),
        ('"no"', "no"),
        ("1.2.3", "1.2.3"),
        ("12:30", "12:30"),
        ("2026-11-21", "2026-11-21"),
        ("cnn1d", "cnn1d"),
        ("1_000", "1_000"),
    ],
)
def test_a_scalar_is_read_as_what_it_looks_like(tmp_path: Path, text: str, value: object) -> None:
    found = read(tmp_path, f"a: {text}")["a"]
    assert (value, type(value)) == (found, type(found))


def test_a_duplicate_key_a_tag_a_merge_and_an_old_boolean_are_all_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, "a: 1\nb: no\na: 2\nc: !!python/name:os.system x\nd: {<<: {e: 1}}\n")
    lines = str(caught.value).splitlines()
    assert 4 == len(lines)
    assert "x.yaml:2: `no` is read as a truth value by some" in lines[0]
    assert "x.yaml:3: a: the key is given twice (first in line 1)" in lines[1]
    assert "x.yaml:4: the tag" in lines[2]
    assert "x.yaml:5: a key must be plain text, and `<<` is not supported" in lines[3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.yaml: the file is empty"),
        ("# only a comment\n", "x.yaml: the file is empty"),
        ("- a\n- b\n", "x.yaml:1: the file must hold a mapping"),
        ("a: [1, 2\nb: 3\n", "x.yaml:2: not YAML"),
        ("a: 1\n\tb: 2\n", "x.yaml:2: not YAML"),
        ("a: 1\nb: .nan\n", "x.yaml:2: a number must be finite, got .nan"),
        ("a: 1e999\n", "x.yaml:1: a number must be finite, got 1e999"),
    ],
)
def test_what_is_no_mapping_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.yaml: cannot be read \(No such file or directory\)"):
        read_yaml(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(UserError, match="is not UTF-8 text"):
        read_yaml(tmp_path / "binary.yaml")


def test_written_yaml_is_read_back_as_it_was(tmp_path: Path) -> None:
    data = {"b": [1, 2.5, 1e-05, "no", "1e-4", None, True], "a": {"x": "text: with colon"}}
    assert data == read(tmp_path, write_yaml(data))


def bomb(levels: int) -> str:
    return "\n".join(["a0: &a0 [1, 1]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels))])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: " + "[" * 5000 + "]" * 5000, "x.yaml:1: lists and mappings may be nested 50 levels deep, got more"),
        (bomb(9), "aliases may make a file 100000 values long and 50 levels deep, got more"),
        ("a: &a [*a]", "x.yaml:1: aliases may make a file 100000 values long and 50 levels deep, got more"),
        ("a: 1" + "0" * 400, "x.yaml:1: a whole number must lie between -9223372036854775807 and 922337203685477"),
        ("a: " + "1" * 5000, "... (5002 characters); write a name of digits in quotes"),
        ("a: 9223372036854775808", "got '9223372036854775808'; write a name of digits in quotes"),
        ("a: " + "x" * 2**20, "x.yaml: must have at most 1048576 bytes; is it another file than is meant?"),
        ('a: "\\UFFFFFFFF"', "x.yaml: not YAML: "),
    ],
)
def test_a_file_that_no_reader_survives_is_refused_at_once(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 500


def test_aliases_and_long_numbers_that_people_write_are_read(tmp_path: Path) -> None:
    assert {"a": [1], "b": [1], "n": -9223372036854775807} == read(
        tmp_path, "a: &a [1]\nb: *a\nn: -9223372036854775807\n"
    )


def test_pipes_and_devices_are_not_read(tmp_path: Path) -> None:
    """They would be waited for, or read, for ever."""
    os.mkfifo(tmp_path / "pipe.yaml")
    for path in (tmp_path / "pipe.yaml", Path("/dev/zero"), tmp_path):
        with pytest.raises(UserError, match=f"^{path}: is no plain file; give the path of a YAML file$"):
            read_yaml(path)
