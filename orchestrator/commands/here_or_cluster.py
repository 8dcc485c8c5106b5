"""Runs a search, an experiment, an audit or a final where the options say: here, or on a cluster, followed.

From values to what is printed at the end. Imports the rest when it runs, since cli.py reads this file for --help.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for annotations only: importing them costs seconds
    from orchestrator.history.run_contents import Audit
    from orchestrator.history.run_folder import RunFolder
    from orchestrator.results.mlflow_copy import Copied
    from orchestrator.runs.driver import OpenSession
    from orchestrator.specs.experiment import Experiment
    from orchestrator.specs.specs import FinalSpec, SearchSpec


def run_search_somewhere(spec: "SearchSpec", folder: "RunFolder", given: argparse.Namespace) -> None:
    """Run a search to its end, or go on with it, and print its best trials."""
    from orchestrator.results.last_screen import search_report

    if getattr(given, "cluster", None):
        from orchestrator.cluster.following import follow
        from orchestrator.cluster.profile import read_profile
        from orchestrator.cluster.submit import submit_search

        follow(folder, submit_search(spec, folder, read_profile(given.cluster)), quiet=given.json)
        print(search_report(folder, as_json=given.json))
    else:
        from orchestrator.runs.driver import drive_search

        _prepare([spec], given)
        logged = _said(drive_search(spec, folder, _here(folder, given, [spec])))
        print(search_report(folder, as_json=given.json, logged=logged))


def run_experiment_somewhere(
    experiment: "Experiment", folder: "RunFolder", given: argparse.Namespace, *, reopen: bool = False
) -> None:
    """Run an experiment to its end, or go on with it, and print its stages and its test."""
    from orchestrator.results.last_screen import experiment_report
    from orchestrator.runs.driver import drive_experiment
    from orchestrator.runs.preparation import refuse_second_look

    _prepare(list(experiment.searches.values()), given)
    if not reopen and not folder.final.test.exists():
        refuse_second_look(experiment.searches[experiment.candidates[0]], folder.final)
    if getattr(given, "cluster", None):
        from orchestrator.cluster.following import follow
        from orchestrator.cluster.profile import read_profile
        from orchestrator.cluster.submit import submit_experiment

        said = submit_experiment(experiment, folder, read_profile(given.cluster), reopen=reopen)
        follow(folder, said, quiet=given.json)
        print(experiment_report(experiment, folder, as_json=given.json))
    else:
        here = _here(folder, given, list(experiment.searches.values()))
        logged = _said(drive_experiment(experiment, folder, here, reopen=reopen, afresh=_is_wanted_afresh(reopen)))
        print(experiment_report(experiment, folder, as_json=given.json, logged=logged))


def run_audit_somewhere(audit: "Audit", folder: "RunFolder", given: argparse.Namespace) -> None:
    """Run an audit to its end, or go on with it, and print its tables."""
    from orchestrator.runs.audit_report import audit_report
    from orchestrator.runs.driver import drive_audit

    specs = list(audit.experiment.searches.values())
    _prepare(specs, given)
    if getattr(given, "cluster", None):
        from orchestrator.cluster.following import follow
        from orchestrator.cluster.profile import read_profile
        from orchestrator.cluster.submit import submit_audit

        follow(folder, submit_audit(audit, folder, read_profile(given.cluster)), quiet=given.json)
    else:
        drive_audit(audit, folder, _here(folder, given, specs))
    print(audit_report(folder, as_data=given.json))


def retrain_somewhere(folder: "RunFolder", how: "FinalSpec", given: argparse.Namespace) -> None:
    """Make the winner of a search one model, tested once, as its `final` says; given: the words of `retrain`."""
    from orchestrator.history.run_contents import search_of
    from orchestrator.results.last_screen import final_report
    from orchestrator.runs.driver import drive_final
    from orchestrator.runs.preparation import refuse_second_look

    spec = search_of(folder)
    _prepare([spec], given)
    if not given.reopen:
        refuse_second_look(spec, folder.final)
    if given.cluster:
        from orchestrator.cluster.following import follow
        from orchestrator.cluster.profile import read_profile
        from orchestrator.cluster.submit import submit_retrain

        said = submit_retrain(folder, read_profile(given.cluster), how=how, reopen=given.reopen)
        follow(folder, said, quiet=given.json)
        print(final_report(folder, as_json=given.json))
    else:
        here = _here(folder, given, [spec])
        logged = _said(drive_final(folder, here, how=how, reopen=given.reopen, afresh=_is_wanted_afresh(given.reopen)))
        print(final_report(folder, as_json=given.json, logged=logged))


def _said(copied: "Copied") -> str | None:
    """Say what a person should know of the copy in MLflow; return where it is, for the report."""
    for note in copied.notes:
        print(note, file=sys.stderr)
    return copied.place


def _prepare(specs: "Sequence[SearchSpec]", given: argparse.Namespace) -> None:
    """Prepare the data of searches that run here; on a cluster a job does it."""
    from orchestrator.runs.preparation import prepare_data

    if not getattr(given, "cluster", None):
        prepare_data(specs, quiet=given.json)


def _is_wanted_afresh(reopen: bool) -> bool:
    """Return whether a final that is done makes room for another: not where this very command has just made it."""
    from orchestrator.execution.fresh_start import is_fresh_start

    return reopen and not is_fresh_start()


def _here(folder: "RunFolder", given: argparse.Namespace, specs: "Sequence[SearchSpec]") -> "OpenSession":
    from orchestrator.execution.this_machine import session_here

    return session_here(folder, specs, executor=given.executor, ray=given.ray, quiet=given.json)
