"""WFDB files by hand, so that a test can write what no writer would; and small sources made of them."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgcore.readers.labels_csv import own_source
from ecgcore.readers.source import Source


def write_wfdb(
    folder: Path,
    name: str,
    digital: NDArray[np.int16],
    *,
    leads: Sequence[str] = ("I", "II"),
    rate: str = "100",
    gain: str = "1000/mV",
    mat: bool = False,
    header_name: str | None = None,
) -> Path:
    """Write (leads, samples) of raw integers as `.hea` with `.dat` or MATLAB v4 `.mat`; return the path, no suffix."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    stem, (count, samples) = (folder / name).name, digital.shape
    file, form = (f"{stem}.mat", "16+24") if mat else (f"{stem}.dat", "16")
    preamble = np.array([30, count, samples, 0, 4], "<i4").tobytes() + b"val\0" if mat else b""
    (folder / name).with_name(file).write_bytes(preamble + np.ascontiguousarray(digital.T, "<i2").tobytes())
    lines = [
        f"{header_name or stem} {count} {rate} {samples}",
        *(f"{file} {form} {gain} 16 0 0 0 0 {x}" for x in leads),
    ]
    (folder / name).with_name(f"{stem}.hea").write_text("\n".join(lines) + "\n#Age: NaN\n#Dx: 1,,2\n", encoding="utf-8")
    return folder / name


def noise(seed: int, *, leads: int = 2, samples: int = 200) -> NDArray[np.int16]:
    return np.random.default_rng(seed).integers(-500, 500, (leads, samples)).astype(np.int16)


def write_table(folder: Path, rows: Sequence[Sequence[str]], header: str = "record,patient,labels") -> Path:
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        file.write(header + "\n")
        csv.writer(file, lineterminator="\n").writerows(rows)
    return folder / "labels.csv"


def small_source(folder: Path, *, patients: int = 20, seed: int = 0) -> Source:
    """Two records of each patient, two classes; names, patients and labels are words that are easy to search for."""
    rows = []
    for number in range(2 * patients):
        write_wfdb(folder, f"rec{number:03d}x", noise(1000 * seed + number))
        rows.append([f"rec{number:03d}x", f"pat{number // 2:03d}x", ["calm", "wild"][number // 2 % 2]])
    write_table(folder, rows)
    return own_source(folder)
