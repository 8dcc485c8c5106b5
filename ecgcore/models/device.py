"""Where tensors live."""

import torch


def best_device() -> torch.device:
    """Return the first GPU if there is one, set to repeatable convolutions; else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    # cudnn's autotuner picks kernels by timing: two runs of one seed would differ.
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    return torch.device("cuda")
