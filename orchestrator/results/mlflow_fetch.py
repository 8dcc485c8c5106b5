"""A registered model read back from MLflow, where a search starts from it."""

import shutil
from pathlib import Path

from orchestrator.errors import UserError, first_line
from orchestrator.results.mlflow_store import open_store, store_uri


def fetch_model(uri: str, place: Path, *, runs: Path) -> Path:
    """Download a model to `place`, once; return the folder in it that a task's `export` wrote.

    runs: beside which mlflow.db lies, unless MLFLOW_TRACKING_URI says where. Raises UserError where there is none.
    """
    if not place.exists():
        beside = place.with_name(f"{place.name}.part")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(mode=0o700, parents=True)
        try:
            with open_store(runs, write=False) as store:
                store.download(uri, beside)
        except Exception as error:  # whatever MLflow and its store raise
            raise UserError(f"start_from: {uri}: cannot be read from {store_uri(runs)}: {first_line(error)}") from None
        beside.rename(place)
    found = sorted(place.rglob("signature.json"))
    if len(found) != 1:
        raise UserError(f"start_from: {uri}: holds no model that orchestrate registered; name another")
    return found[0].parent
