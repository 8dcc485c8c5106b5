"""The page of a run, report.html: what was asked, found, spent and opened, drawn from files. Starts nothing."""
