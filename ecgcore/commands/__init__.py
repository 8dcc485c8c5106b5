"""`orchestrate data ...` and its like: words to calls, results to lines. Must not hold what others call, too."""
