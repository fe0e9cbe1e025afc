"""The command line: one command for each verb. `--help` lists them."""

import json
import sys
from typing import Annotated

import typer
from rich import print
from rich.console import Console
from rich.text import Text

from . import files
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
def retrain() -> None:
    """Collect the table anew, then do what `run` does: train, and release through the gate."""
    from . import run as whole

    code = whole.retrain()
    if code == 0:
        print(whole.summary())
    raise typer.Exit(code)


@app.command(rich_help_panel="Everyday")
def rollback(
    to: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Instead of the one before this one.")
    ] = None,
) -> None:
    """Make an earlier version the champion again, at once."""
    from .rollback import main

    main(to)


@app.command(rich_help_panel="Everyday")
def lineage(
    version: Annotated[
        str | None, typer.Argument(metavar="VERSION", help="Instead of the champion.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show where a version came from: registry, run, commit, data, parameters."""
    from .lineage import trace, tree

    found = trace(version)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        Console(highlight=False, markup=False).print(tree(found))


@app.command(rich_help_panel="Everyday")
def score(
    quick: Annotated[
        bool, typer.Option("--quick", help="Believe the tests that are there, without a run.")
    ] = False,
) -> None:
    """Show the ML Test Score: runs the tests that prove its 28 checks, which takes minutes."""
    from . import score as scoring

    print(scoring.show(scoring.judge(None if quick else scoring.run_tests())))


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
def release(
    force: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            help="Promote a refused model all the same, and record why. What would not be served "
            "as it was evaluated is refused anyway.",
        ),
    ] = None,
) -> None:
    """Let the candidate through the gate. A refused model: exit code 3, the champion stays."""
    from .stages.release import main

    main(force)


def end(message: str, code: int) -> None:
    """Print what went wrong and end with an exit code."""
    shown = Text.assemble(("error: ", "bold red"), message)
    Console(stderr=True, soft_wrap=True).print(shown)
    sys.exit(code)


def main() -> None:
    """Run a command; a mistake of the user is one message and exit code 2."""
    try:
        with files.writing():
            app()
    except InputError as error:
        end(str(error), 2)
    except GateRefused as error:
        end(str(error), 3)


if __name__ == "__main__":
    main()
