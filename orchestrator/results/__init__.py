"""What people read of a run: table, status, report, the copy in MLflow. Must not know how fits run."""
