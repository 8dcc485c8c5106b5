"""Where fits run: Ray Tune, a private Ray, a process; and what is seen meanwhile. Must not know Optuna and MLflow."""
