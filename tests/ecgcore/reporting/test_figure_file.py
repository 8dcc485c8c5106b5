import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import numpy as np
from PIL import Image

from ecgcore.reporting.figure_file import drawn, legible, styles


def draw(folder, name, title="a title"):
    with drawn(folder, name) as drawing:
        axes = drawing.subplots()
        axes.plot(np.linspace(0, 1, 500), np.sin(np.linspace(0, 20, 500)))
        axes.set_title(title)
    return (folder / f"{name}.svg").read_text()


def test_a_drawing_is_an_svg_with_its_texts_and_a_png_for_their_owner_alone(tmp_path):
    svg = draw(tmp_path, "one", "<b> & $x_1$ 右")
    texts = [element.text for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")]
    assert "<b> & $x_1$ 右" in texts  # escaped, not read as mathematics
    assert svg.startswith("<svg")
    with Image.open(tmp_path / "one.png") as image:
        assert image.size == (900, 600)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "one.svg": 0o600,
        "one.png": 0o600,
    }


def test_equal_drawings_are_equal_bytes_whatever_the_machines_own_style(tmp_path):
    first = draw(tmp_path, "first")
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9}):
        assert draw(tmp_path, "second") == first
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()
    assert len(first) < 20_000


def test_a_path_as_steps_is_the_path_that_was_drawn(tmp_path):
    """Each point lies where the ends of its axes say, to a tenth of a point: steps do not add up their roundings."""
    with drawn(tmp_path, "line", width=2, height=1) as drawing:
        drawing.set_layout_engine("none")
        axes = drawing.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, 144), ylim=(72, 0))
        axes.set_axis_off()
        x = np.arange(0, 140, 0.37)
        y = 36 + 30 * np.sin(x)
        axes.plot(x, y)
    svg = (tmp_path / "line.svg").read_text()
    path = max(svg.split(' d="')[1:], key=len).split('"')[0]
    steps = np.array([[float(number) for number in step.split()] for step in path.lstrip("M").split("l")])
    points = np.cumsum(steps, axis=0)
    assert np.abs(np.interp(points[:, 0], x, y) - points[:, 1]).max() < 2.5
    assert np.abs(points[[0, -1]] - np.array([[x[0], y[0]], [x[-1], y[-1]]])).max() < 0.11


def test_a_name_is_shortened_in_its_middle_and_never_hidden():
    assert legible("N") == "N"
    assert legible("a very long name that ends with 27") == "a very long…ds with 27"
    assert legible("_x").strip() == "_x"
    assert not legible("_x").startswith("_")  # which matplotlib would leave out of a legend
    assert legible("a\x00b") == "a?b"


def test_eight_lines_differ_in_colour_and_in_pattern():
    assert len({style["color"] for style in styles(8)}) == len({str(style["linestyle"]) for style in styles(8)}) == 8
