import pytest

from ecgcore.training.early_stopping import Patience
from ecgcore.training.hyperparameters import Hyperparameters


def epochs(values: list[float], *, score: str, patience: int, final: bool = False) -> int:
    """How many epochs a fit with these scores is given."""
    one = Patience.of(Hyperparameters.read({"patience": patience, "stop_on": score}), final=final)
    best: tuple[float | None, int] = (None, 0)
    for step, value in enumerate(values, start=1):
        best = one.best({score: value}, step, before=best)
        if one.is_over(step, best=best[1]):
            return step
    return len(values)


def test_a_fit_ends_when_it_has_not_become_better_for_so_many_epochs():
    assert epochs([3, 2, 2.5, 2, 2.1, 1], score="val_loss", patience=3) == 5
    assert epochs([0.5, 0.7, 0.6, 0.8, 0.7, 0.8, 0.9], score="macro_auc", patience=2) == 6


@pytest.mark.parametrize("more", [{"patience": 0}, {"patience": 2, "final": True}])
def test_without_patience_and_in_a_final_every_epoch_is_trained(more):
    assert epochs([1, 2, 3, 4, 5, 6], score="val_loss", **more) == 6
