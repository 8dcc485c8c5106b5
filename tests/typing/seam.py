"""Read by mypy, never run: the seam as the orchestrator states it, and the classes that claim to fit it."""

from ecgcore import fit as ecg
from ecgcore.parameters import Parameter as EcgParameter
from ecgcore.task import ArrhythmiaTask
from orchestrator.simulation.recorded_task import RecordedTask
from orchestrator.task import (
    BoundedTask,
    Doing,
    Fit,
    Parameter,
    PreparableTask,
    Report,
    ScepticalTask,
    SealedTask,
    Task,
)
from tests.toy_task import ToyParameter, ToyTask


def tasks(ecg_task: ArrhythmiaTask, toy_task: ToyTask, recorded_task: RecordedTask) -> list[Task]:
    return [ecg_task, toy_task, recorded_task]


def preparable(ecg_task: ArrhythmiaTask) -> PreparableTask:
    return ecg_task


def bounded(ecg_task: ArrhythmiaTask) -> BoundedTask:
    return ecg_task


def sceptical(ecg_task: ArrhythmiaTask) -> ScepticalTask:
    return ecg_task


def sealed(ecg_task: ArrhythmiaTask) -> SealedTask:
    return ecg_task


def parameters(ecg_one: EcgParameter, toy: ToyParameter) -> list[Parameter]:
    return [ecg_one, toy]


def what_the_orchestrator_hands_over(fit: Fit, report: Report, doing: Doing) -> tuple[ecg.Fit, ecg.Report, ecg.Doing]:
    return fit, report, doing
