import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from ecgcore.data.prepare import StoreRequest, prepare
from ecgcore.data.splits import SplitRule
from ecgcore.drawing.ecg_paper import GAIN, MARGIN, ROW, SPEED, Example, strip
from ecgcore.inspection.check import describe_source, describe_store
from ecgcore.inspection.html_page import page
from ecgcore.readers.labels_csv import own_source
from ecgcore.signals.arithmetic import STANDARD_LEADS
from tests.ecgcore.data_command import main
from tests.ecgcore.raw_files import noise, small_source, write_table, write_wfdb

# As little as it takes to render a file: no network, no sandbox (tests may run as root), no first-run chatter.
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


def example(leads, *, seconds=12.0, rate=100.0):
    signal = np.zeros((len(leads), round(seconds * rate)), np.float32)
    signal[:, 150] = 1.0  # one spike of 1 mV at 1.5 s
    return Example(name="r<1>", labels=("a & b",), signal=signal, rate=rate, leads=leads, unit="mV")


def lines_of(svg):
    root = ElementTree.fromstring(svg)
    return [
        [tuple(map(float, point.split(","))) for point in line.get("points").split()] for line in root.iter("polyline")
    ]


def test_a_millivolt_is_10_mm_high_and_a_second_25_mm_wide():
    (points,) = lines_of(strip(example(("I",))))

    (spike,) = [point for point in points if point[1] != ROW]
    assert spike == pytest.approx((MARGIN + SPEED * 1.5, ROW - GAIN))
    assert points[-1][0] == pytest.approx(MARGIN + SPEED * 10.0, abs=SPEED / 100)  # the last of 1,000 samples


def test_twelve_leads_are_laid_out_as_on_paper():
    svg = strip(example(STANDARD_LEADS))

    texts = [text.text.removesuffix(" (flat)") for text in ElementTree.fromstring(svg).iter("text")]
    assert texts == ["I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6", "II"]
    widths = [line[-1][0] - line[0][0] for line in lines_of(svg)]
    assert widths == pytest.approx([SPEED * 2.5] * 12 + [SPEED * 10], abs=0.3)


def test_a_fine_signal_is_drawn_with_no_more_points_than_a_screen_shows():
    lines = lines_of(strip(example(("MLII",), rate=1000.0)))

    assert len(lines[0]) <= 2001


def test_a_flat_lead_is_named_so_and_names_of_others_cannot_become_markup():
    shown = example(("I", "<b>"))
    shown.signal[1] = 0

    svg = strip(shown)

    assert [text.text for text in ElementTree.fromstring(svg).iter("text")] == ["I", "<b> (flat)"]
    assert "r&lt;1&gt;: a &amp; b" in svg


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen, self.addresses = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def made(tmp_path):
    small_source(tmp_path / "raw")
    write_wfdb(tmp_path / "raw", "rec039x", noise(0))
    prepare(own_source(tmp_path / "raw"), tmp_path / "store", StoreRequest(rule=SplitRule(folds=2), leads=("I", "II")))
    return [describe_store(tmp_path / "store"), describe_source(own_source(tmp_path / "raw"))]


def test_a_page_is_whole_and_needs_nothing_else(tmp_path):
    read = Tags()

    read.feed(page(made(tmp_path)))

    assert read.open == []
    assert read.addresses == []
    assert not {"script", "link", "img", "iframe"} & set(read.seen)
    assert read.seen.count("svg") == 1 + 2 + 2  # the grid, and an example of each class in each folder


def test_a_page_of_a_store_shows_no_sealed_record(tmp_path):
    text = page(made(tmp_path)[:1])

    for line in (tmp_path / "store" / "sealed" / "index.csv").read_text().splitlines()[1:]:
        assert line.split(",")[0] not in text


def test_the_command_writes_the_page_and_says_so(tmp_path, capsys):
    write_wfdb(tmp_path / "raw", "a", noise(1))
    write_wfdb(tmp_path / "raw", "b", noise(2))
    write_table(tmp_path / "raw", [["a", "p", "<script>x</script>"], ["b", "q", "calm"]])

    assert main("check", f"{tmp_path}/raw", "--html", f"{tmp_path}/page.html") == 0

    assert f"{tmp_path}/page.html: written" in capsys.readouterr().out
    text = (tmp_path / "page.html").read_text()
    assert "<script" not in text
    assert "&lt;script&gt;x&lt;/script&gt;" in text


def test_a_browser_draws_the_grid_and_the_trace(tmp_path):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("needs chromium")
    file = tmp_path / "page.html"
    file.write_text(page(made(tmp_path)[:1]), encoding="utf-8")
    shot = tmp_path / "page.png"
    words = [chromium, *QUIET, f"--user-data-dir={tmp_path}/profile", "--hide-scrollbars", "--window-size=1000,2000"]

    subprocess.run([*words, f"--screenshot={shot}", file.as_uri()], check=True, capture_output=True, timeout=120)

    pixels = np.asarray(Image.open(shot).convert("RGB")).astype(int)
    red, green, blue = np.moveaxis(pixels, -1, 0)
    paper = (red > 220) & (green < 245) & (red - green > 8) & (red - blue > 8)
    rows = np.flatnonzero(paper.any(axis=1))
    area = pixels[rows[0] : rows[-1]]
    assert paper.mean() > 0.05  # the grid is there
    assert (area.max(axis=-1) < 90).mean() > 0.002  # and traces on it
