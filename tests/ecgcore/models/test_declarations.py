"""What a network declares is read off its file; only where that cannot be is the file imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from ecgcore.models.declarations import declaration_of
from ecgcore.models.registry import places
from ecgcore.parameters import choice, integer

LITERAL = """
import loud_import
from ecgcore.models.network import Network, Published as Counted
from ecgcore.parameters import integer, choice as one_of

class Net:
    network = Network(
        input="one lead",
        source="a" " b",
        published=Counted(12, leads=1, classes=2),
        parameters={"kernel": integer(5, low=-3, high=15, help="samples"), "way": one_of("a", ("a", "b"), help="w")},
    )
"""
COMPUTED = """
from ecgcore.models.network import Network
from ecgcore.parameters import integer

MOST = 15

class Plain:
    pass

class Net:
    network = Network(input="one lead", source="a", parameters={"kernel": integer(5, low=3, high=MOST, help="s")})

class Child(Net):
    pass

class Wrong:
    network = Network(input="one lead", source="a", parameters={"kernel": integer(50, low=3, high=15, help="s")})
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_declaration_of_literals_is_read_without_importing_the_file(folder: Path) -> None:
    """The file imports what is not there, and is read all the same."""
    (folder / "literal_net.py").write_text(LITERAL)

    declared = declaration_of("literal_net:Net")

    assert ("one lead", "a b", "linear") == (declared.input, declared.source, declared.head)
    assert declared.published is not None
    assert (12, 1, 2) == (declared.published.weights, declared.published.leads, declared.published.classes)
    assert declared.parameters == {
        "kernel": integer(5, low=-3, high=15, help="samples"),
        "way": choice("a", ("a", "b"), help="w"),
    }
    assert "literal_net" not in sys.modules


@pytest.mark.parametrize("name", ["Net", "Child"])
def test_any_other_declaration_is_read_by_importing_the_file(folder: Path, name: str) -> None:
    (folder / f"computed_{name.lower()}.py").write_text(COMPUTED.split("class Wrong")[0])

    declared = declaration_of(f"computed_{name.lower()}:{name}")

    assert declared.parameters == {"kernel": integer(5, low=3, high=15, help="s")}


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (
            None,
            "no_such_net:Net",
            "there is no module no_such_net; install its package here, or name its folder",
        ),
        (None, "no_such.nets:Net", r"no_such.nets cannot be found \(ModuleNotFoundError.*install its package"),
        (COMPUTED.split("class Wrong")[0], "wrong_a:Nett", "wrong_a has no class Nett; give package.module:Class"),
        (COMPUTED.split("class Wrong")[0], "wrong_b:Plain", "must have `network = Network"),
        (COMPUTED, "wrong_c:Wrong", r"wrong_c cannot be imported \(Mistake: kernel: its default must be a whole"),
        ("class Net(:\n", "wrong_d:Net", r"wrong_d cannot be imported \(SyntaxError"),
        (LITERAL.replace("high=15", "top=15"), "wrong_e:Net", "loud_import"),
        ("raise RuntimeError('no')\n", "wrong_f:Net", r"wrong_f cannot be imported \(RuntimeError: no\)"),
    ],
)
def test_a_network_that_cannot_be_read_is_a_mistake_with_its_way_out(
    folder: Path, text: str | None, place: str, message: str
) -> None:
    if text is not None:
        (folder / f"{place.split(':')[0]}.py").write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        declaration_of(place)
    assert str(error.value).startswith(f"{place}: ")


def test_every_shipped_declaration_is_read_without_torch() -> None:
    code = (
        "import sys\n"
        "from ecgcore.models.registry import network_of, places\n"
        "print(len([network_of(name) for name in places()]), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"{len(places())} False\n" == done.stdout
