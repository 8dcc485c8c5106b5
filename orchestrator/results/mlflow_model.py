"""The model as MLflow serves it: pyfunc from this very code, no pickle.

MLflow runs this file to log and to load one.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from orchestrator.specs.task_loading import task_class_of


class ServedModel(PythonModel):
    """Calls what the task's `load` gives back."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the exported model; the task is named in its signature.json."""
        directory = Path(context.artifacts["model"])
        task = json.loads((directory / "signature.json").read_text())["task"]
        self._predict = task_class_of(task).load(directory)  # type: ignore[attr-defined]  # a Task: see the seam

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]  # MLflow warns of hints here
        """Return the model's output for an array: another, or a table with a row a record."""
        try:
            answer = self._predict(model_input, **(params or {}))
        except ValueError as error:  # in MLflow's own words, which its server passes on without a traceback
            raise MlflowException.invalid_parameter_value(str(error)) from None
        return pd.DataFrame(answer) if isinstance(answer, Mapping) else answer


mlflow.models.set_model(ServedModel())
