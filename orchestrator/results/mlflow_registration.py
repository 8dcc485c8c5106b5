"""A final's model in MLflow: logged once, and registered with what its test says, unless it has learnt nothing."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.atomic import read_json
from orchestrator.history.journal import read_journal
from orchestrator.history.records import SearchBegun
from orchestrator.history.run_folder import RunFolder
from orchestrator.history.spec_hash import spec_hash
from orchestrator.results.mlflow_answer import Answer, escaped, origin_of, score_text, shown_scores
from orchestrator.results.mlflow_names import names_for, value_for
from orchestrator.results.mlflow_store import Store
from orchestrator.results.promotion import CHAMPION, Promotion

OPENINGS = "test openings"  # the tag, of runs and of versions
EXAMPLE = "input_example.npy"  # what a task's `export` may leave beside its model: see Task.export


def register_final(
    store: Store,
    folder: RunFolder,
    *,
    run: str,
    experiment: str,
    answer: Answer | None,
    tested: Mapping[str, Any],
    promotion: Promotion | None,
) -> None:
    """Log the model of a run's final in MLflow's run and experiment, and register it; promotion None: do not.

    What a copy has done that was cut short is not done again.
    """
    final = folder.final
    signature = read_json(final.model / "signature.json")
    model = store.model_of(experiment, run) or _logged(store, final, signature, run)
    if promotion is None:
        return
    name = promotion.name
    version = store.version_of(run, name) or store.register(model, name)
    text = f"{answer.description}\n\n{_of_example(final)}" if answer else ""
    store.describe(version, text, of_all=_of_all(name, signature))
    store.tag_versions(run, _tags(folder, tested))
    if promotion.sentence is not None:
        store.promote(version, CHAMPION if promotion.is_champion else None, {"required": value_for(promotion.sentence)})


def _logged(store: Store, final: RunFolder, signature: Mapping[str, Any], run: str) -> str:
    room, example = Path(__file__).parent, final.model / EXAMPLE
    return store.log_model(
        run,
        model=final.model,
        loader=room / "mlflow_model.py",
        code=[room.parent, code_of(signature["task"])],
        signature=signature,
        example=example if example.exists() else None,
    )


def _tags(folder: RunFolder, tested: Mapping[str, Any]) -> dict[str, str]:
    """Return a version's tags: of which run it is, what its test says, and whence it comes."""
    metric, data = _metric_and_data(folder.final)
    scores = tested["metrics"]
    named = names_for(f"test_{name}" for name in shown_scores(metric, scores))
    told = {named[f"test_{name}"]: score_text(scores, name) for name in shown_scores(metric, scores)}
    spec = tested.get("spec_hash") or spec_hash(folder) or ""  # as it was said before the test part opened
    origin = {name: value for name, value in origin_of(folder).items() if not name.startswith("mlflow.")}
    told |= {"run": folder.name, "stage": tested["stage"], "trial": str(tested["trial"]), "spec": str(spec), **origin}
    told |= {OPENINGS: str(tested["openings"]), **({"data": data} if data else {})}
    return {name: value_for(value) for name, value in told.items()}


def _metric_and_data(final: RunFolder) -> tuple[str, str | None]:
    first = read_journal(final.journal)[0][0]
    assert isinstance(first, SearchBegun)
    data = first.spec.get("facts", {}).get("data")
    return str(first.spec["metric"]), None if data is None else str(data)


def _of_all(name: str, signature: Mapping[str, Any]) -> str:
    """Return what a registered model is, in Markdown: how it is asked, and what its task says of it."""
    asked = f"Takes an array of {signature['input_dtype']} of shape ({signature['input_shape']}), -1 being any number."
    ours = ("input_shape", "input_dtype", "output_shape", "output_dtype", "output_columns", "options", "test_openings")
    facts = [(key, value) for key, value in signature.items() if key not in ours and value not in ("", None)]
    rows = "\n".join(f"| {escaped(key)} | {escaped(str(value))} |" for key, value in facts)
    code = f'import mlflow\nmodel = mlflow.pyfunc.load_model("models:/{name}/1")\nmodel.predict(array)'
    return f"{asked}\n\n```python\n{code}\n```\n\n|  |  |\n|---|---|\n{rows}"


def _of_example(final: RunFolder) -> str:
    there = (final.model / EXAMPLE).exists()
    return (
        "Its input example is a record that the search could see, as its store has it; none of the test part."
        if there
        else ""
    )


def code_of(task: str) -> Path:
    """Return the code that a task's class lives in: the folder of its package, or the file of a module alone."""
    found = importlib.util.find_spec(task.split(":")[0].split(".")[0])
    assert found is not None
    if found.submodule_search_locations:
        return Path(next(iter(found.submodule_search_locations)))
    assert found.origin is not None
    return Path(found.origin)
