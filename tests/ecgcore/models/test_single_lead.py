import numpy as np
import pytest
import torch

from ecgcore.models.classifier import Classifier, build_classifier
from ecgcore.serving.ensemble import ensemble_of
from ecgcore.serving.prediction import predict_records
from ecgcore.training.checkpoints import read_checkpoint
from tests.ecgcore.tiny import TinyFit, run, tiny_store

LENGTHS = torch.tensor([100, 80])


@pytest.fixture
def model() -> Classifier:
    torch.manual_seed(1)
    return build_classifier("cnn1d", leads=3, classes=2, single_lead=True).eval()


@pytest.fixture
def signals() -> torch.Tensor:
    values = torch.randn(2, 3, 100)
    values[1, :, 80:] = 0
    return values


def test_judged_it_averages_what_a_network_of_one_lead_makes_of_each(model: Classifier, signals: torch.Tensor) -> None:
    alone = [model.features(signals[:, [lead]], LENGTHS) for lead in range(3)]
    torch.testing.assert_close(model.features(signals, LENGTHS), torch.stack(alone).mean(0))


def test_a_lead_that_was_not_recorded_is_passed_over(model: Classifier, signals: torch.Tensor) -> None:
    signals[0, 1] = 0
    without = model.features(signals[:, [0, 2]], LENGTHS)[0]
    torch.testing.assert_close(model.features(signals, LENGTHS)[0], without)
    signals[0] = 0  # nothing was: it has an answer all the same
    assert torch.isfinite(model.features(signals, LENGTHS)).all()


def test_in_training_each_visit_sees_one_lead_and_over_many_every_recorded_one(signals: torch.Tensor) -> None:
    model = build_classifier("strided_cnn", leads=3, classes=2, single_lead=True)
    model.backbone.train()
    for module in model.backbone.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.eval()  # else what it makes of a lead depends on the other record's
    signals[0, 1] = 0
    alone = torch.stack([model.features(signals[:, [lead]], LENGTHS)[0] for lead in range(3)])
    seen = {int((model.features(signals, LENGTHS)[0] - alone).abs().sum(1).argmin()) for _ in range(40)}
    assert seen == {0, 2}


def test_its_weights_are_those_of_one_lead() -> None:
    def weights(model: Classifier) -> int:
        return sum(weight.numel() for weight in model.parameters())

    many = build_classifier("rhythm_mcu", leads=12, classes=4, single_lead=True)
    assert weights(many) == weights(build_classifier("rhythm_mcu", leads=1, classes=4)) == 30_912


@pytest.mark.parametrize("normalise", ["none", "record", "train"])
def test_it_is_trained_goes_on_and_is_served_as_it_was_judged(normalise, tmp_path) -> None:
    store = tiny_store(multilabel=False)
    config = {"single_lead": True, "normalise": normalise, "learning_rate": 3e-3}
    whole, last = run(TinyFit(config=config, directory=tmp_path / "whole", max_steps=3), store)
    cut = TinyFit(config=config, directory=tmp_path / "whole", max_steps=3,
                  resume_from=tmp_path / "whole" / "checkpoint-000002.pt")  # fmt: skip
    assert run(cut, store)[0] == whole[2:]
    held = read_checkpoint(last).predictions
    assert held is not None
    answers = predict_records(ensemble_of([last])[0], store.records.only(store.splits[0].validation))[0]
    shares = torch.softmax(torch.from_numpy(held.logits), 1).numpy()
    assert np.allclose(answers, shares, atol=1e-6)
