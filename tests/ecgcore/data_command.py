"""The data commands as a program, without the rest of the command line: `python -m tests.ecgcore.data_command ...`."""

import argparse
import sys

from ecgcore.commands.data import ReadYaml, add_data_commands


def main(*words: str, read_yaml: ReadYaml | None = None) -> int:
    """Return the exit code; a ValueError is the caller's to print."""
    parser = argparse.ArgumentParser(prog="orchestrate")
    add_data_commands(parser.add_subparsers(), read_yaml)
    namespace = parser.parse_args(["data", *words])
    return int(namespace.run(namespace))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
