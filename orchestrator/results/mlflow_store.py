"""MLflow, spoken to: one store, opened with patience and without chatter, and the few things that we ask of it.

Beside mlflow_model.py, which MLflow itself runs, the one file that imports MLflow. Knows no run of ours.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from orchestrator.results.mlflow_database import Schema, alone_with, database_of, keep_private, make_ready
from orchestrator.results.mlflow_surroundings import patience_s, quiet, settings, speaking_to, within

MOST_METRICS, MOST_PARAMS = 1000, 100  # that one request may hold
_KIND, _TRAINING = "mlflow.experimentKind", "custom_model_development"  # in MLflow's own words


class Point(NamedTuple):
    """One value of a metric."""

    name: str
    value: float
    at: int  # ms since 1970; a point given again with the same moment and step is the same point
    step: int


class Version(NamedTuple):
    """One version of a registered model."""

    name: str
    number: str


@dataclass(frozen=True, kw_only=True)
class Logged:
    """An MLflow run as it is in the store."""

    id: str
    status: str = "RUNNING"
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)  # the newest value of each


def store_uri(runs: Path) -> str:
    """Return where MLflow is: MLFLOW_TRACKING_URI, else mlflow.db beside the runs."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{runs / 'mlflow.db'}"


@contextlib.contextmanager
def open_store(runs: Path, *, write: bool) -> Iterator["Store"]:
    """Open the store of a folder of runs, made or migrated where need be; a local one is ours alone while we write.

    Raises whatever MLflow raises, and TimeoutError of a server that does not answer.
    """
    uri, ours = store_uri(runs), not os.environ.get("MLFLOW_TRACKING_URI")
    with quiet(), settings(retries=None), contextlib.ExitStack() as lock:
        import mlflow  # here: it takes seconds, and only the end of a run needs it

        with speaking_to(uri, mlflow):
            notes: list[str] = []
            if (database := database_of(uri)) is None:
                with settings(retries=0):  # a server that is not there is not waited for
                    client = within(patience_s(), lambda: _first_contact(mlflow))
            else:
                if ours:
                    keep_private(database, runs / "mlflow")
                lock.enter_context(alone_with(database))
                notes = make_ready(database, _schema(), ours=ours)
                client = mlflow.MlflowClient()
                if not write:
                    lock.close()
            yield Store(mlflow, client, uri, notes)


def _first_contact(mlflow: Any) -> Any:
    client = mlflow.MlflowClient()
    client.search_experiments(max_results=1)
    return client


def _schema() -> Schema:
    from mlflow.store.db import utils
    from sqlalchemy import create_engine

    def migrate(database: Path, by: Callable[[Any], None]) -> None:
        connected = create_engine(f"sqlite:///{database}")
        try:
            by(connected)
        finally:
            connected.dispose()

    return Schema(
        revision=str(utils._get_latest_schema_revision()),  # type: ignore[no-untyped-call]
        create=lambda database: migrate(database, utils._initialize_tables),
        upgrade=lambda database: migrate(database, utils._upgrade_db),  # as `mlflow db upgrade` does
    )


class Store:
    """One MLflow store. `notes`: what became of its file, where a person should know it."""

    def __init__(self, mlflow: Any, client: Any, uri: str, notes: Sequence[str]) -> None:
        self._mlflow, self._client = mlflow, client
        self.uri, self.notes = uri, notes

    def experiment(self, name: str, *, artifacts: Path) -> str:
        """Return the id of an experiment: the one there is, or a new one; artifacts: of those in a local store.

        Where nobody has said of which kind it is, it is said, so that its pages are those of models in training.
        """
        if found := self._client.get_experiment_by_name(name):
            identity = str(found.experiment_id)
            if _KIND not in found.tags:
                self._client.set_experiment_tag(identity, _KIND, _TRAINING)
            return identity
        place = artifacts.as_uri() if database_of(self.uri) else None
        return str(self._client.create_experiment(name, artifact_location=place, tags={_KIND: _TRAINING}))

    def runs(self, experiment: str) -> list[Logged]:
        """Return the runs of an experiment that nobody deleted."""
        found, token = [], None
        while True:
            page = self._client.search_runs([experiment], max_results=1000, page_token=token)
            found += [_logged(run) for run in page]
            if not (token := page.token):
                return found

    def create(self, experiment: str, tags: Mapping[str, str], *, at: int) -> Logged:
        """Create a run that began at a moment (ms)."""
        return _logged(self._client.create_run(experiment, start_time=at, tags=dict(tags)))

    def log(
        self,
        run: str,
        *,
        metrics: Sequence[Point] = (),
        values: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Add to a run; what is there already with the same moment is not there twice."""
        from mlflow.entities import Metric, Param, RunTag

        named = [Param(name, value) for name, value in (values or {}).items()]
        for start in range(0, len(named), MOST_PARAMS):
            self._client.log_batch(run, params=named[start : start + MOST_PARAMS])
        for start in range(0, len(metrics), MOST_METRICS):
            points = [Metric(*point) for point in metrics[start : start + MOST_METRICS]]
            self._client.log_batch(run, metrics=points)
        if tags:
            self._client.log_batch(run, tags=[RunTag(name, value) for name, value in tags.items()])

    def log_file(self, run: str, path: Path, *, below: str | None = None) -> None:
        """Add a file, in place of one of its name; below: in this folder of the run's artifacts."""
        self._client.log_artifact(run, str(path), below)

    def end(self, run: str, status: str, *, at: int) -> None:
        """Say how a run ended, and when (ms)."""
        self._client.set_terminated(run, status, end_time=at)

    def model_of(self, experiment: str, run: str) -> str | None:
        """Return the address of the model that a run has, whole; None: it has none."""
        found = self._client.search_logged_models([experiment], f"source_run_id = '{run}'")
        return next((str(model.model_uri) for model in found if str(model.status) == "READY"), None)

    def log_model(
        self,
        run: str,
        *,
        model: Path,
        loader: Path,
        code: Sequence[Path],
        signature: Mapping[str, Any],
        example: Path | None,
    ) -> str:
        """Log what a folder holds as a model; return its address.

        loader: the file that MLflow runs to load it, with this code. signature: the content of signature.json. example:
        an array of NumPy's (.npy) that the model takes.
        """
        import numpy as np
        from mlflow.models import Model

        with self._mlflow.start_run(run_id=run):
            logged = Model.log(
                artifact_path=None,
                name="model",
                flavor=_Unloaded(self._mlflow),
                flavor_name="pyfunc.ModelFromCode",
                python_model=str(loader),
                artifacts={"model": str(model)},
                code_paths=[str(path) for path in code],
                pip_requirements=["torch", "numpy", "scikit-learn", "scipy", "pydantic", "mlflow"],
                signature=_served(signature),
                metadata=dict(signature),
                input_example=None if example is None else np.load(example, allow_pickle=False),
                validate_serving_input=False,
            )
        return str(logged.model_uri)

    def version_of(self, run: str, name: str) -> Version | None:
        """Return the version of a registered model that is a run's; None: there is none."""
        found = self._client.search_model_versions(f"run_id = '{run}'")
        return next((Version(one.name, str(one.version)) for one in found if one.name == name), None)

    def register(self, model: str, name: str) -> Version:
        """Register a logged model under a name, as its newest version."""
        made = self._mlflow.register_model(model, name)
        return Version(name, str(made.version))

    def describe(self, version: Version, text: str, *, of_all: str) -> None:
        """Say in Markdown what a version is, and what all of its name are; what somebody has said there stays."""
        if not self._client.get_registered_model(version.name).description:
            self._client.update_registered_model(version.name, of_all)
        if not self._client.get_model_version(version.name, version.number).description:
            self._client.update_model_version(version.name, version.number, text)

    def promote(self, version: Version, alias: str | None, tags: Mapping[str, str]) -> None:
        """Tag one version, and let an alias be this version's from now on; None: it stays where it was."""
        if alias is not None:
            self._client.set_registered_model_alias(version.name, alias, version.number)
        for key, value in tags.items():
            self._client.set_model_version_tag(version.name, version.number, key, value)

    def tag_versions(self, run: str, tags: Mapping[str, str]) -> None:
        """Tag the registered versions of a run's model, of which there may be none."""
        for version in self._client.search_model_versions(f"run_id = '{run}'"):
            for key, value in tags.items():
                if version.tags.get(key) != value:
                    self._client.set_model_version_tag(version.name, version.version, key, value)

    def download(self, uri: str, place: Path) -> None:
        """Write a model or artifact below a folder."""
        self._mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(place))


def _logged(run: Any) -> Logged:
    return Logged(id=run.info.run_id, status=run.info.status, tags=run.data.tags, metrics=run.data.metrics)


class _Unloaded:
    """pyfunc, that a model with an example is logged by without being loaded: that takes seconds, and all of torch."""

    def __init__(self, mlflow: Any) -> None:
        self._mlflow = mlflow

    def save_model(self, *, validate_serving_input: bool, **given: Any) -> None:
        """Write a model. validate_serving_input: which Model.log reads, and pyfunc does not know."""
        self._mlflow.pyfunc.save_model(**given)


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
