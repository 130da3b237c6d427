"""The command line: a file a command, with `HELP`, `add_options` and `run`."""
