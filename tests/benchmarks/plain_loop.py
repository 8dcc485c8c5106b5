"""The measure that a search has to beat: a plain training loop, as one writes it without searching, on outer splits.

One network, one configuration, chosen once and never tuned on any of these recordings. Takes nothing of ecgcore but a
prepared store's open records, its outer parts, and the scores.

python -m tests.benchmarks.plain_loop STORE --outer 10 --seeds 3 [--beside runs/NAME-audit]
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ecgcore.data.outer_parts import OuterPart
from ecgcore.data.store import Records, Split, Store, open_store
from ecgcore.scores.metrics import decide, macro_auc, macro_f1, record_log_loss
from tests.benchmarks.beside_audit import beside

SECONDS = 30  # shorter records are padded with zeros to this, longer ones cut
WIDTHS = (32, 64, 64, 128, 128)
EPOCHS, BATCH, PEAK, NOISE = 20, 16, 3e-3, 0.05  # noise in mV

Indices = NDArray[np.int64]
Floats = NDArray[np.float32]


def network(leads: int, classes: int) -> nn.Module:
    """Five convolutions, each halving the rate; the mean over time; one linear layer."""
    blocks = [
        nn.Sequential(nn.Conv1d(inputs, outputs, 7, stride=2, padding=3), nn.BatchNorm1d(outputs), nn.ReLU())
        for inputs, outputs in zip((leads, *WIDTHS), WIDTHS, strict=False)
    ]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(WIDTHS[-1], classes))


def plain_loop(store: Store, split: Split, *, seed: int, epochs: int = EPOCHS) -> Floats:
    """Train on the split's train part; return probabilities (records, classes) of its other part."""
    torch.manual_seed(seed)
    signals, labels = padded(store.records, store.rate), torch.from_numpy(store.records.labels)
    model = network(len(store.leads), len(store.classes))
    positives = labels[split.train].sum(dim=0)
    weights = (len(split.train) - positives) / positives.clamp(min=1)
    batches = -(-len(split.train) // BATCH)
    optimiser = torch.optim.AdamW(model.parameters(), lr=PEAK)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=PEAK, total_steps=epochs * batches)
    for _ in range(epochs):
        model.train()
        for chosen in np.array_split(split.train[torch.randperm(len(split.train)).numpy()], batches):
            logits = model(signals[chosen] + NOISE * torch.randn_like(signals[chosen]))
            if store.multilabel:
                loss = F.binary_cross_entropy_with_logits(logits, labels[chosen], pos_weight=weights)
            else:
                loss = F.cross_entropy(logits, labels[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch
            optimiser.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        logits = torch.cat([model(signals[part]) for part in np.array_split(split.validation, 8)])
    scores = logits.sigmoid() if store.multilabel else logits.softmax(dim=1)
    return np.asarray(scores.numpy(), np.float32)


def padded(records: Records, rate: float) -> Tensor:
    """Return every record (records, leads, samples) in mV: its first 30 s, with zeros behind a shorter one's end."""
    samples = min(round(SECONDS * rate), int(records.lengths.max()))
    signals = torch.zeros(len(records), records.leads, samples)
    for index in range(len(records)):
        signal = torch.from_numpy(records.signal(index)[:, :samples].copy())
        signals[index, :, : signal.shape[1]] = signal
    return signals


def outer_splits(store: Store, *, outer: int) -> list[Split]:
    """Return the very parts that `orchestrate audit` holds out of a store's open records: each judges what is left."""
    everyone = np.arange(len(store.records))
    parts = [OuterPart(number, outer).of(store.records, multilabel=store.multilabel) for number in range(outer)]
    return [Split(np.setdiff1d(everyone, part), part) for part in parts]


def scores_of(store: Store, split: Split, probabilities: Floats) -> dict[str, float]:
    """Return the scores of the split's held-out part, by the names that an audit gives them."""
    labels = store.records.labels[split.validation]
    called = decide(probabilities, multilabel=store.multilabel)
    losses = record_log_loss(probabilities, labels, multilabel=store.multilabel)
    return {
        "macro_auc": macro_auc(probabilities, labels),
        "macro_f1": macro_f1(called, labels),
        "log_loss": float(losses.mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, help="a prepared store; its sealed part is not touched")
    parser.add_argument("--outer", type=int, default=10, help="outer splits: a multiple of 5 (default 10)")
    parser.add_argument("--seeds", type=int, default=1, help="networks whose probabilities are averaged (default 1)")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help=f"(default {EPOCHS})")
    parser.add_argument("--beside", type=Path, help="the finished audit of that store, with as many parts")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    store = open_store(arguments.store)
    table = []
    for number, split in enumerate(outer_splits(store, outer=arguments.outer)):
        fits = [plain_loop(store, split, seed=seed, epochs=arguments.epochs) for seed in range(arguments.seeds)]
        table.append(scores_of(store, split, np.mean(fits, axis=0)))
        print(f"outer {number}: " + ", ".join(f"{name} {value:.4f}" for name, value in table[-1].items()), flush=True)
    for name in table[0]:
        values = [row[name] for row in table]
        print(f"{name}: mean {np.mean(values):.4f} (sd {np.std(values, ddof=1):.4f})")
    if arguments.beside:
        print(beside(arguments.beside, table, what="plain loop"))


if __name__ == "__main__":
    main()
