"""The command line: one command for each verb. `--help` lists them."""

import sys
from typing import Annotated

import typer
from rich import print
from rich.console import Console
from rich.text import Text

from .errors import GateRefused, InputError

NAME = __package__
app = typer.Typer(
    name=f"python -m {NAME}",
    help="From a table to a gated, served model. `run` does all stages in order; each is also a "
    "command of its own, with the same name in dvc.yaml and params.yaml.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

# Each command imports what it needs when it runs: `--help` and the server stay light.


@app.command(rich_help_panel="Everyday")
def run() -> None:
    """Run every stage whose inputs changed, then show the results."""
    from . import run as whole

    code = whole.run()
    if code == 0:
        print(whole.summary())
    raise typer.Exit(code)


@app.command(rich_help_panel="Everyday")
def serve(
    port: Annotated[
        int | None, typer.Option(help="The port to listen on; PROJECT_PORT, or 8000.")
    ] = None,
) -> None:
    """Serve the champion over HTTP; see /docs there. PROJECT_… variables are its settings."""
    from .serving.__main__ import main
    from .serving.settings import Settings

    settings = Settings.load()
    main(settings if port is None else settings.model_copy(update={"port": port}))


@app.command(rich_help_panel="Everyday")
def predict(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="A table to score.")],
    output: Annotated[
        str, typer.Argument(help="A .csv or .parquet file, or postgresql://…#new_table.")
    ],
) -> None:
    """Score a table with the champion."""
    from .predict import main
    from .sources import without_secrets

    rows, bad, side = main(source, output)
    where = f"; see {side}" if side else ""
    print(f"{rows:,} rows to {without_secrets(output)}; {bad:,} break the contract{where}")


@app.command(rich_help_panel="Everyday")
def adopt(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="The table: a file, https://…, s3://…, postgresql://…#table, …"
        ),
    ],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The column to predict.")],
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Infer every column anew, also those that contract.yaml has."
        ),
    ] = False,
) -> None:
    """Point the project at another table: infers contract.yaml, task and metric from it."""
    from .adopt import main

    print(main(data, target, overwrite))


@app.command(rich_help_panel="Stages")
def collect() -> None:
    """Bring the table from its source into the project."""
    from .stages.collect import main

    main()


@app.command(rich_help_panel="Stages")
def preprocess() -> None:
    """Check the rows against the contract, clean and split them."""
    from .stages.preprocess import main

    main()


@app.command(rich_help_panel="Stages")
def train() -> None:
    """Compare model families by cross-validation."""
    from .stages.train import main

    main()


@app.command(rich_help_panel="Stages")
def tune() -> None:
    """Search hyperparameters and fit the candidate."""
    from .stages.tune import main

    main()


@app.command(rich_help_panel="Stages")
def evaluate() -> None:
    """Measure the candidate on the test rows and write the report."""
    from .stages.evaluate import main

    main()


@app.command(rich_help_panel="Stages")
def release() -> None:
    """Let the candidate through the gate, or refuse it (exit code 3)."""
    from .stages.release import main

    main()


def main() -> None:
    """Run a command; a mistake of the user is one message and exit code 2."""
    try:
        app()
    except (InputError, GateRefused) as error:
        message = Text.assemble(("error: ", "bold red"), str(error))
        Console(stderr=True, soft_wrap=True).print(message)
        sys.exit(2 if isinstance(error, InputError) else 3)


if __name__ == "__main__":
    main()
