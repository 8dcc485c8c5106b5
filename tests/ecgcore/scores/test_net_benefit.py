import numpy as np
import pytest

from ecgcore.scores.net_benefit import benefit_of_treating_all, net_benefit


def test_net_benefit_is_that_of_a_calculation_by_hand():
    """At .2 a false positive costs a quarter of what a true one is worth; at .5 as much; .5 itself is treated."""
    probability, truth = np.array([0.9, 0.5, 0.3, 0.6, 0.1]), np.array([True, True, True, False, False])
    found = net_benefit(probability, truth, np.array([0.2, 0.5, 0.95]))
    assert found == pytest.approx([(3 - 1 / 4) / 5, (2 - 1) / 5, 0])


def test_a_model_that_treats_everybody_is_worth_as_much_as_treating_everybody():
    truth, thresholds = np.arange(10) < 3, np.array([0.1, 0.4])
    everybody = benefit_of_treating_all(truth, thresholds)
    assert everybody == pytest.approx([0.3 - 0.7 / 9, 0.3 - 0.7 * 2 / 3])
    assert net_benefit(np.ones(10), truth, thresholds) == pytest.approx(everybody)
