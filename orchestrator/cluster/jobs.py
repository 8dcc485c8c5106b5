"""What a job runs: the functions that submitit is given.

They import the rest on the node, so that submitting is quick.
"""


def drive(run: str) -> None:
    """Be the driver of a run."""
    from orchestrator.cluster.driver import drive_run

    drive_run(run)


def prepare(run: str) -> None:
    """Prepare the data of a run, then begin it."""
    from orchestrator.cluster.preparation import prepare_run

    prepare_run(run)


def run_alone(run: str, request: str) -> None:
    """Run one fit, or one other method of the task."""
    from orchestrator.cluster.fit_job import run_request

    run_request(run, request)


def serve(run: str) -> None:
    """Be one worker of a run."""
    from orchestrator.cluster.worker import serve_run

    serve_run(run)
