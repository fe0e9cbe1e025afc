"""The one exception that stands for a mistake of the user, not of the program."""


class InputError(Exception):
    """Something that was given cannot be used.

    The message names the file or field, the value and the remedy; the command line prints it
    without a traceback and exits with code 2.
    """


class GateRefused(Exception):
    """The gate did not let a model through; the command line exits with code 3."""
