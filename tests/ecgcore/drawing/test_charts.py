import numpy as np
import pytest

from ecgcore.drawing.charts import LAYOUTS, PAPER, ChartForm, draw
from ecgcore.signals.arithmetic import STANDARD_LEADS

RATE = 100.0
# Of each layout: what a row is high in mV, and its leads, column by column.
ROWS = {
    "4x3": (4, [["I", "aVR", "V1", "V4"], ["II", "aVL", "V2", "V5"], ["III", "aVF", "V3", "V6"]]),
    "2x6": (3, [["I", "V1"], ["II", "V2"], ["III", "V3"], ["aVR", "V4"], ["aVL", "V5"], ["aVF", "V6"]]),
}
CELLS = [
    (layout, lead, row, column)
    for layout, (_, rows) in ROWS.items()
    for row, names in enumerate(rows)
    for column, lead in enumerate(names)
]


def signal_of(*, seconds=10.0, rate=RATE, **leads):
    """Return standard leads that are 0 but for those given, as functions of time in s."""
    time = np.arange(round(seconds * rate)) / rate
    return np.stack([np.asarray(leads.get(name, np.zeros_like)(time), np.float32) for name in STANDARD_LEADS])


def chart(signal, layout="4x3", pixels=320, *, rate=RATE, leads=STANDARD_LEADS):
    return draw(signal, ChartForm((layout,), pixels), rate=rate, leads=leads)[0]


def ink(signal, layout="4x3", pixels=320, **how):
    """Return how much the signal changed each pixel of the paper: (pixels, pixels)."""
    paper = chart(signal_of(), layout, pixels).astype(int)
    return np.abs(chart(signal, layout, pixels, **how).astype(int) - paper).sum(axis=0)


def height(inked, column):
    """Return at which y the trace crosses a column of pixels."""
    darkness = inked[:, column]
    return (np.arange(len(darkness)) * darkness).sum() / darkness.sum()


def waves(time):
    return np.sin(2 * np.pi * 7 * time)


@pytest.mark.parametrize(("layout", "pixels", "pixels_per_millivolt"), [("4x3", 320, 20), ("2x6", 360, 20)])
def test_a_millivolt_is_as_high_as_the_grid_says(layout, pixels, pixels_per_millivolt):
    inked = ink(signal_of(II=lambda time: time >= 1.5), layout, pixels)
    row = inked[-pixels // 4 :] if layout == "4x3" else inked  # the strip below

    low, high = height(row, pixels // 20), height(row, pixels // 5)

    assert pixels_per_millivolt == pytest.approx(low - high, abs=0.2)


@pytest.mark.parametrize(("layout", "lead", "row", "column"), CELLS)
def test_a_lead_is_drawn_in_its_own_cell(layout, lead, row, column):
    pixels, (_, rows) = 360, ROWS[layout]
    width, high = pixels / len(rows[0]), pixels / (4 if layout == "4x3" else 6)

    inked = ink(signal_of(**{lead: waves}), layout, pixels)
    if layout == "4x3" and lead == "II":
        assert inked[-90:].any(axis=0).all(), "lead II is drawn once more, over all 10 s"
        inked[-90:] = 0

    down, across = np.nonzero(inked > 30)
    assert column * width - 1 <= across.min() < column * width + 2
    assert (column + 1) * width - 3 < across.max() <= (column + 1) * width
    assert row * high < down.min() < down.max() < (row + 1) * high


@pytest.mark.parametrize("rate", [100.0, 257.0, 500.0])
def test_what_happens_is_drawn_at_its_time(rate):
    """Columns show different seconds: V1 has the time from 2.5 s to 5 s no more than a printer would give it."""

    def beat(time):
        return np.abs(time - 6.2) < 0.6 / rate

    inked = ink(signal_of(V1=beat, V4=beat, II=beat, rate=rate), pixels=1000, rate=rate)

    peak = inked[80:115].sum(axis=0)  # above the noise: the first row's baseline is at 125
    assert np.flatnonzero(peak > peak.max() / 2).mean() == pytest.approx(620, abs=4)
    assert not peak[:600].any()
    assert not peak[640:].any()


def test_only_the_first_ten_seconds_are_shown():
    longer = signal_of(II=waves, V4=waves, seconds=60)
    changed = longer.copy()
    changed[:, 1001:] += 1

    assert np.array_equal(chart(longer), chart(changed))


def test_a_short_record_leaves_the_rest_of_its_paper_empty():
    inked = ink(signal_of(**dict.fromkeys(STANDARD_LEADS, waves), seconds=4.0))

    across = np.flatnonzero(inked.any(axis=0))
    assert across.min() == 0
    assert across.max() == pytest.approx(127, abs=1)  # 4 s of 10, of 320 pixels


def test_a_lead_that_is_flat_is_not_drawn():
    assert not ink(signal_of(V1=np.ones_like)).any()


@pytest.mark.parametrize("huge", [50.0, 1e9, -1e9])
def test_what_is_too_high_for_the_chart_leaves_it_and_comes_back_nowhere(huge):
    inked = ink(signal_of(V4=lambda time: huge * (np.abs(time - 8) < 0.05)))

    down, across = np.nonzero(inked > 30)
    assert 240 - 1 <= across.min()
    beyond = down[(across > 250) & (across < 262)]  # where it spikes
    assert (beyond.max() if huge > 0 else 80 - beyond.min()) <= 41, "of the baseline at 40, only on the spike's side"


def test_the_order_and_the_spelling_of_leads_do_not_matter():
    signal = signal_of(II=waves, V4=lambda time: time % 1)
    order = np.random.default_rng(0).permutation(12)

    shuffled = chart(signal[order], leads=[STANDARD_LEADS[index].upper() for index in order])

    assert np.array_equal(chart(signal), shuffled)


def test_missing_leads_are_named():
    with pytest.raises(ValueError, match=r"missing: III, V6; .* \(charts show the 12 standard leads\)"):
        chart(signal_of()[:10], leads=[lead for lead in STANDARD_LEADS if lead not in ("III", "V6")])


@pytest.mark.parametrize("pixels", [64, 150, 224, 301, 1024])
def test_charts_of_any_size_are_one_array_of_all_views(pixels):
    drawn = draw(signal_of(II=waves), ChartForm(LAYOUTS, pixels), rate=RATE, leads=STANDARD_LEADS)

    assert (2, 3, pixels, pixels) == drawn.shape
    assert (np.uint8, True) == (drawn.dtype, drawn.flags.c_contiguous)
    assert drawn.nbytes == ChartForm(LAYOUTS, pixels).size
    for view, layout in zip(drawn, LAYOUTS, strict=True):
        assert np.array_equal(view, chart(signal_of(II=waves), layout, pixels))


def test_drawing_leaves_the_paper_clean_for_the_next():
    before = chart(signal_of())
    chart(signal_of(**dict.fromkeys(STANDARD_LEADS, waves)))

    assert np.array_equal(before, chart(signal_of()))


@pytest.mark.parametrize(
    ("pixels", "columns", "lines"),
    [(1000, 250, 160), (750, 250, 160), (749, 50, 32), (224, 50, 32), (150, 50, 32), (149, 0, 0)],
)
def test_a_grid_that_would_be_too_dense_is_left_out(pixels, columns, lines):
    paper = chart(signal_of(), pixels=pixels)
    red = (paper != np.array(PAPER)[:, None, None]).any(axis=0)

    strip = red[-pixels // 4 + pixels // 20 + 10 :, pixels // 10 :]  # without borders and names
    assert columns * 0.9 == pytest.approx(strip.all(axis=0).sum(), abs=1.1)
    assert lines / 4 * (len(strip) / (pixels / 4)) == pytest.approx(strip.all(axis=1).sum(), abs=1.1)


def test_all_mistakes_of_a_form_are_told_at_once():
    for layouts in ((), ("4x3", "4x3"), ("4x3", "3x4")):
        with pytest.raises(ValueError, match=r"--charts must be 4x3 or 2x6(.|\n)*--chart-pixels must .* got 63"):
            ChartForm(layouts, 63)


def test_a_form_is_what_it_describes():
    form = ChartForm(("2x6",), 300)

    assert {"layouts": ["2x6"], "pixels": 300} == form.described()
    assert form == ChartForm.of(form.described())
