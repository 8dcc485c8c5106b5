"""Searches anything that implements the protocol of task.py: decides, remembers, runs, reports. Knows no ECG."""
