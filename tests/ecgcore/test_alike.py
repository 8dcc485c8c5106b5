import numpy as np
import pytest

from ecgcore.alike import outline, shared
from ecgcore.signals import STANDARD_LEADS, band_pass, normalised, resample
from ecgcore.synthetic import Synthesis, recordings
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


def test_check_of_two_folders_names_the_recordings_of_ptbxl_in_the_challenge(recordings, capsys):
    """HR00001 to HR00010 are PTB-XL 1 to 10 at five times the rate; number 9 is not in the folder of PTB-XL."""
    folders = [recordings / "challenge2021_mix" / "ptb-xl", recordings / "ptbxl500"]
    if not folders[0].is_dir():
        pytest.skip(f"needs challenge2021_mix in {recordings}")

    assert main("check", *map(str, folders)) == 0

    copies = ", ".join(f"HR{number:05d} = {number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 10))
    assert f"{folders[0]} and {folders[1]}: 9: {copies}\n" in capsys.readouterr().out


def test_check_of_a_store_for_pretraining_finds_none_of_the_target(recordings, tmp_path, capsys):
    """What --leave-out was for: a store without PTB-XL's part of the challenge shares no recording with PTB-XL."""
    words = ["--reader", "challenge", "--from", str(recordings / "challenge2021_mix"), "--leave-out", "ptb-xl/*"]
    if not (recordings / "challenge2021_mix").is_dir():
        pytest.skip(f"needs challenge2021_mix in {recordings}")
    main("prepare", *words, "--rate", "100", "--test-share", "0", "--folds", "1", "--to", f"{tmp_path}/s")

    main("check", f"{tmp_path}/s", str(recordings / "ptbxl500"))

    assert f"recordings in both {tmp_path}/s and {recordings / 'ptbxl500'}: none\n" in capsys.readouterr().out
