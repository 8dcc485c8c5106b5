import tracemalloc

import numpy as np
import pytest

from ecgcore.signals.arithmetic import STANDARD_LEADS, band_pass, normalised, resample
from ecgcore.signals.same_recording import ALIKE, BLOCK, Outline, outline, shared
from ecgcore.synthetic.database import Synthesis, recordings
from tests.ecgcore.data_command import main


def drawn(*, seed, count=8, rate=200.0):
    return [one.signal for one in recordings(Synthesis(records=count, seed=seed, rate=rate, seconds=8.0))]


def outlines(signals, prefix, *, rate=200.0, leads=STANDARD_LEADS):
    return [outline(f"{prefix}{n}", signal, rate=rate, leads=leads) for n, signal in enumerate(signals)]


CHANGES = {
    "another rate": lambda signal: (resample(signal, rate=200.0, to=100.0), 100.0),
    "filtered": lambda signal: (band_pass(signal, rate=200.0, low=0.5, high=40), 200.0),
    "normalised": lambda signal: (normalised(signal, together=False), 200.0),
    "another gain": lambda signal: (5 * signal + 1, 200.0),
    "longer": lambda signal: (np.concatenate([signal, signal[:, ::-1]], axis=1), 200.0),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_recording_is_known_however_it_was_changed(change):
    originals = drawn(seed=1)
    others = outlines(drawn(seed=2), "other")
    for number in (2, 5):
        signal, rate = CHANGES[change](originals[number])
        others[number] = outline(f"copy{number}", signal, rate=rate, leads=STANDARD_LEADS)

    assert shared(outlines(originals, "r"), others) == [("r2", "copy2"), ("r5", "copy5")]


def test_missing_leads_and_short_recordings_are_like_nobody():
    signals = drawn(seed=1)
    flat, short = np.zeros_like(signals[0]), signals[1][:, :400]
    flat[0] = signals[0][0]

    found = shared(outlines([flat, short], "a"), outlines([flat, short, signals[0]], "b"))

    assert found == [("a0", "b0"), ("a0", "b2")]  # by the one lead that is there


@pytest.mark.slow
def test_check_of_two_folders_names_the_recordings_of_ptbxl_in_the_challenge(recordings, capsys):
    """HR00001 to HR00010 are PTB-XL 1 to 10 at five times the rate; number 9 is not in the folder of PTB-XL."""
    folders = [recordings / "challenge2021_mix" / "ptb-xl", recordings / "ptbxl500"]
    if not folders[0].is_dir():
        pytest.skip(f"needs challenge2021_mix in {recordings}")

    assert main("check", *map(str, folders)) == 0

    copies = ", ".join(f"HR{number:05d} = {number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 10))
    assert f"{folders[0]} and {folders[1]}: 9: {copies}\n" in capsys.readouterr().out


@pytest.mark.slow
def test_check_of_a_store_for_pretraining_finds_none_of_the_target(recordings, tmp_path, capsys):
    """What --leave-out was for: a store without PTB-XL's part of the challenge shares no recording with PTB-XL."""
    words = ["--reader", "challenge", "--from", str(recordings / "challenge2021_mix"), "--leave-out", "ptb-xl/*"]
    if not (recordings / "challenge2021_mix").is_dir():
        pytest.skip(f"needs challenge2021_mix in {recordings}")
    main("prepare", *words, "--rate", "100", "--test-share", "0", "--folds", "1", "--to", f"{tmp_path}/s")

    main("check", f"{tmp_path}/s", str(recordings / "ptbxl500"))

    assert f"recordings in both {tmp_path}/s and {recordings / 'ptbxl500'}: none\n" in capsys.readouterr().out


def test_many_recordings_are_compared_in_blocks_with_the_answer_of_all_at_once():
    """Noise in three leads, some of them missing; every seventh of the first is a copy in one to three leads."""
    random, leads = np.random.default_rng(0), ("I", "II", "V1")

    def shape():
        values = random.normal(size=300)
        values -= values.mean()
        return (values / np.linalg.norm(values)).astype(np.float32)

    def drawn_outlines(prefix, count):
        return [
            Outline(name=f"{prefix}{n}", shapes={lead: shape() for lead in leads if random.random() < 0.8})
            for n in range(count)
        ]

    one, other = drawn_outlines("a", 2 * BLOCK + 88), drawn_outlines("b", 1500)
    for n in range(0, len(one), 7):
        other[2 * n].shapes.update(list(one[n].shapes.items())[: n % 4])
    together = {lead: [np.stack([o.shapes.get(lead, np.zeros(300)) for o in side]) for side in (one, other)]
                for lead in leads}  # fmt: skip
    votes = sum((first @ second.T > ALIKE).astype(int) for first, second in together.values())
    present = sum(np.outer(first.any(1), second.any(1)).astype(int) for first, second in together.values())
    expected = [(one[a].name, other[b].name) for a, b in np.argwhere((votes > 0) & (2 * votes > present))]

    tracemalloc.start()
    found = shared(one, other)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found == expected
    assert len(found) > 30
    assert most < 8 * len(one) * len(other)  # the votes alone would be that large in one table
