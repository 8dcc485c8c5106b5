"""Words to calls, results to lines: the commands that need all that is below. Must not hold what others call, too."""
