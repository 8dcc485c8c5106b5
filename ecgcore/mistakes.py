"""What is raised for a thing that somebody gave us and that breaks a rule; a bug raises what it raises."""


class Mistake(ValueError):
    """One or more mistakes of the user, each a line that names place, rule, value and way out."""

    is_users_mistake = True  # by which a command line knows it, whoever raised it


class NotInstalled(Mistake):
    """A package that is an extra, and is not installed."""
