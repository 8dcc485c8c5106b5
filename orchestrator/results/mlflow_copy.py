"""A copy of a run in MLflow, for reading and serving: derived from the journal by the driver alone, safe to repeat.

Parent: the search or experiment; children: stages, trials, the final. Each MLflow run carries the run's own id as a
tag and a second tag when it is complete, so that a copy cut short is made again and a finished one is left alone.
A registered model is read back here, too, where a search starts from it.
"""

import contextlib
import io
import json
import logging
import os
import re
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.errors import RunFailed, UserError
from orchestrator.history.journal import read_journal
from orchestrator.history.ledger import FitEntry, Ledger, TrialEntry
from orchestrator.history.openings import read_test
from orchestrator.history.run_folder import RunFolder

_ID, _DONE = "orchestrate.id", "orchestrate.complete"


def log_run(folder: RunFolder, stages: tuple[str, ...] = ()) -> str:
    """Copy a run into MLflow (MLFLOW_TRACKING_URI, else mlflow.db beside the runs); return where it can be read.

    Raises RunFailed where the store cannot be written; the run is whole then, and copying it again is safe.
    """
    os.environ.update(MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING="false", MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false")
    try:
        return _log_run(folder, stages)
    except Exception as error:  # a store may be away or full in any way; the run itself is whole
        raise RunFailed(
            f"MLflow: the run could not be copied ({type(error).__name__}: {str(error).splitlines()[0]}); "
            f"all of it is in {folder.path}, and `orchestrate resume {folder.name}` copies it again"
        ) from error


def fetch_model(uri: str, place: Path, *, runs: Path) -> Path:
    """Download a model to `place`, once; return the folder in it that a task's `export` wrote.

    runs: beside which mlflow.db lies, unless MLFLOW_TRACKING_URI says where. Raises UserError where there is none.
    """
    if not place.exists():
        beside = place.with_name(f"{place.name}.part")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(mode=0o700, parents=True)
        with _quiet():
            import mlflow  # here: it takes seconds

            try:
                with _speaking_to(_uri(runs)):
                    mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(beside))
            except Exception as error:  # whatever MLflow and its store raise
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                raise UserError(f"start_from: {uri}: cannot be read from {_uri(runs)}: {reason}") from None
        beside.rename(place)
    found = sorted(place.rglob("signature.json"))
    if len(found) != 1:
        raise UserError(f"start_from: {uri}: holds no model that orchestrate registered; name another")
    return found[0].parent


def _uri(runs: Path) -> str:
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{runs / 'mlflow.db'}"


def _log_run(folder: RunFolder, stages: tuple[str, ...]) -> str:
    uri = _uri(folder.path.parent)
    if not os.environ.get("MLFLOW_TRACKING_URI"):  # a store that the user names may be meant for several people
        _keep_private(folder.path.parent / "mlflow.db", folder.path.parent / "mlflow")
    with _quiet(), _speaking_to(uri):
        store = _Store(folder, uri)
        parent = store.begin(folder.name, identity=folder.name, parent=None)
        if stages:
            for name in stages:
                stage = store.begin(name, identity=f"{folder.name}/{name}", parent=parent)
                store.log_search(folder.stage(name), stage, f"{folder.name}/{name}")
        else:
            store.log_search(folder, parent, folder.name)
        if folder.final.test.exists():
            store.log_final(folder, parent)
        return f"{store.uri}, experiment {folder.name}, run {parent}"


def _keep_private(database: Path, artifacts: Path) -> None:
    """Make database and artifacts the user's alone before anything is in them; those of earlier versions, too."""
    with contextlib.suppress(PermissionError):  # somebody else's, who lets us write
        os.close(os.open(database, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        database.chmod(0o600)
        artifacts.mkdir(mode=0o700, exist_ok=True)
        artifacts.chmod(0o700)


class _Store:
    """One MLflow store and one experiment in it."""

    def __init__(self, folder: RunFolder, uri: str) -> None:
        import mlflow  # here: it takes seconds, and only the end of a run needs it
        from mlflow.entities import Metric, Param, RunTag

        self._mlflow, self._metric, self._param, self._tag = mlflow, Metric, Param, RunTag
        self.uri = uri
        local = uri.startswith("sqlite:///")
        self._client = mlflow.MlflowClient()
        self._born = read_journal(folder.journal)[0][1].isoformat()
        found = self._client.get_experiment_by_name(folder.name)
        artifacts = (folder.path.parent / "mlflow").as_uri() if local else None
        self._experiment = (
            found.experiment_id if found else self._client.create_experiment(folder.name, artifact_location=artifacts)
        )

    def begin(self, name: str, *, identity: str, parent: str | None) -> str:
        """Return the id of the MLflow run for this identity: the one there is, or a new one."""
        tags = {_ID: f"{identity} {self._born}", "mlflow.runName": name}
        if parent is not None:
            tags["mlflow.parentRunId"] = parent
        found = self._client.search_runs([self._experiment], f"tags.`{_ID}` = '{tags[_ID]}'", max_results=1)
        if found:
            return str(found[0].info.run_id)
        return str(self._client.create_run(self._experiment, tags=tags).info.run_id)

    def log_search(self, folder: RunFolder, run: str, identity: str) -> None:
        """Copy a search: a child for each finished trial."""
        ledger = Ledger(read_journal(folder.journal))
        for trial in ledger.told():
            with self._once(run, f"trial {trial.number}", f"{identity}/{trial.number}") as child:
                if child:
                    self._log_trial(child, ledger, trial)
        best = ledger.ranked()[:1]
        assert ledger.spec is not None
        if best and best[0].value is not None:
            self._client.log_metric(run, ledger.spec.metric, best[0].value)
        for path in (folder.table_csv, folder.table_md, folder.winner, folder.spec):
            if path.exists():
                self._client.log_artifact(run, str(path))
        self._client.set_terminated(run)

    def log_final(self, folder: RunFolder, parent: str) -> None:
        """Copy the final: test scores, predictions, histories, and the model, registered under the run's name.

        A model that has learnt nothing is marked, and not registered.
        """
        final = folder.final
        with self._once(parent, "final", f"{folder.name}/final {final.test.stat().st_mtime_ns}") as child:
            if not child:
                return
            tested = read_test(final)
            ledger = Ledger(read_journal(final.journal))
            self._log_trial(child, ledger, ledger.trials[0])
            scores = [self._metric(_plain(f"test_{name}"), value, 0, 0) for name, value in tested["metrics"].items()]
            self._log_metrics(child, scores)
            tags = [self._tag("test openings", str(tested["openings"]))]
            nothing = tested.get("learnt_nothing")
            tags += [self._tag("learnt nothing", nothing)] if nothing else []
            self._client.log_batch(child, tags=tags)
            for path in (final.test, final.path / "predictions.csv", folder.provenance):
                if path.exists():
                    self._client.log_artifact(child, str(path))
            self._log_model(child, final, None if nothing else folder.name)
            self._log_metrics(parent, scores)

    def _log_model(self, run: str, final: RunFolder, name: str | None) -> None:
        """Log the model; name: under which it is registered, if it is."""
        signature = json.loads((final.model / "signature.json").read_text())
        room = Path(__file__).parent
        with self._mlflow.start_run(run_id=run):
            self._mlflow.pyfunc.log_model(
                name="model",
                python_model=str(room / "mlflow_model.py"),
                artifacts={"model": str(final.model)},
                code_paths=[str(room.parent), str(_package_of(signature["task"]))],
                pip_requirements=["torch", "numpy", "scikit-learn", "scipy", "pydantic", "mlflow"],
                signature=_served(signature),
                metadata=signature,
                registered_model_name=name,
            )

    def _log_trial(self, run: str, ledger: Ledger, trial: TrialEntry) -> None:
        values = [self._param(name, str(value)) for name, value in trial.config.items()]
        tags = [self._tag("state", str(trial.state)), self._tag("origin", trial.origin)]
        if trial.error:
            tags.append(self._tag("error", trial.error[:5000]))
        self._client.log_batch(run, params=values, tags=tags)
        history = [
            self._metric(
                _plain(name) if len(trial.fits) == 1 else f"{_plain(name)}/seed{key.seed}-fold{key.fold}",
                value,
                _milliseconds(fit),
                step,
            )
            for key, fit in sorted(trial.fits.items())
            for step, row in sorted(fit.metrics.items())
            for name, value in row.items()
        ]
        self._log_metrics(run, history)
        if trial.value is not None and ledger.spec is not None:
            self._client.log_metric(run, f"{ledger.spec.metric}_mean", trial.value)

    def _log_metrics(self, run: str, metrics: Sequence[Any]) -> None:
        for start in range(0, len(metrics), 1000):  # the most that one request may hold
            self._client.log_batch(run, metrics=metrics[start : start + 1000])

    @contextlib.contextmanager
    def _once(self, parent: str, name: str, identity: str) -> Iterator[str | None]:
        """Give a child run to fill, or None where it is complete; one that was cut short is deleted and made again."""
        tag = f"{identity} {self._born}"
        for found in self._client.search_runs([self._experiment], f"tags.`{_ID}` = '{tag}'", max_results=1):
            if found.data.tags.get(_DONE):
                yield None
                return
            self._client.delete_run(found.info.run_id)
        run = self.begin(name, identity=identity, parent=parent)
        yield run
        self._client.set_tag(run, _DONE, "true")
        self._client.set_terminated(run)


def _plain(name: str) -> str:
    """Return a metric's name as MLflow takes it: a class, which is part of some, may be called anything."""
    return re.sub(r"[^\w.\- ]", "_", name)


def _milliseconds(fit: FitEntry) -> int:
    """Return when the fit was last heard of; the journal's moments are not kept for each step."""
    return int(fit.last_at.timestamp() * 1000) if fit.last_at else 0


def _served(signature: Mapping[str, Any]) -> Any:
    """Return what goes in and comes out as MLflow says it: see Task.export."""
    import numpy as np
    from mlflow.models.signature import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec

    def tensor(side: str) -> Any:
        shape = tuple(int(size) for size in str(signature[f"{side}_shape"]).split(","))
        return TensorSpec(np.dtype(str(signature[f"{side}_dtype"])), shape)

    def option(name: str, default: Any) -> Any:
        listed = isinstance(default, list)
        kind = DataType.double if isinstance(default, int | float) else DataType.string
        return ParamSpec(name, kind, default, shape=(-1,) if listed else None)

    columns = json.loads(signature.get("output_columns", "{}"))
    options = json.loads(signature.get("options", "{}"))
    return ModelSignature(
        inputs=Schema([tensor("input")]),
        outputs=Schema([ColSpec(kind, name) for name, kind in columns.items()] or [tensor("output")]),
        **({"params": ParamSchema([option(*one) for one in options.items()])} if options else {}),
    )


def _package_of(task: str) -> Path:
    """Return the folder of the package that a task's class lives in."""
    import importlib.util

    found = importlib.util.find_spec(task.split(".")[0].split(":")[0])
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


@contextlib.contextmanager
def _speaking_to(uri: str) -> Iterator[None]:
    """Let MLflow speak to this store: it keeps that in the environment, where a next run takes it for the user's."""
    import mlflow

    before = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)  # type: ignore[arg-type]  # None: nobody's again


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep MLflow's and alembic's chatter out of the user's terminal; errors still raise."""
    names = ("mlflow", "alembic", "mlflow.store.db.utils")
    before = {name: logging.getLogger(name).level for name in names}
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        try:
            for name in names:
                logging.getLogger(name).setLevel(logging.ERROR)
            yield
        finally:
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)
