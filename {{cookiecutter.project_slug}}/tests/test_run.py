import pytest
from rich.console import Console

from {{cookiecutter.project_slug}} import metrics, run


def test_the_summary_has_every_model_every_metric_and_the_verdict(project, params):
    console = Console(width=120, record=True, quiet=False)
    with console.capture() as shown:
        console.print(run.summary())
    text = shown.get()
    for word in (*params.train.models, "better than the baseline", "pass", "reports/report.html"):
        assert word in text
    for metric in metrics.for_task(params.task).values():
        assert metric.title in text


def test_a_sound_configuration_passes_the_first_check(project):
    run.check_files()


def test_dvc_watches_a_file_and_not_an_address(project):
    before = (project / "dvc.yaml").read_text()
    run.watch("https://host/rows.csv")
    lines = (project / "dvc.yaml").read_text().splitlines()
    assert lines == [line for line in before.splitlines() if "${collect.source}" not in line]
    run.watch("data/rows.csv")
    assert (project / "dvc.yaml").read_text() == before


MISTAKES = [
    ("params.yaml", "tune.trails", 3, "params.yaml: tune.trails is unknown"),
    ("params.yaml", "train.folds", "five", "params.yaml: train.folds"),
    ("params.yaml", "evaluate", None, "params.yaml: evaluate is missing"),
    ("params.yaml", "metric", "aucroc", "params.yaml: metric: 'aucroc'"),
    ("params.yaml", "train.models", ["linear", "gbm"], "params.yaml: train.models: 'gbm'"),
    ("params.yaml", "collect.source", "data/gone.csv", "collect.source: data/gone.csv"),
    ("contract.yaml", "columns.new", {"type": "words"}, "contract.yaml: columns.new.type"),
]


@pytest.mark.parametrize(("name", "key", "value", "message"), MISTAKES)
def test_a_mistake_in_a_file_is_found_before_anything_runs(
    project, edit, command, capfd, name, key, value, message
):
    edit(project / name, key, value)
    before = snapshot(project)
    assert command("run") == 2
    shown = capfd.readouterr()
    assert message in shown.err
    assert "Running stage" not in shown.out
    assert snapshot(project) == before


def test_a_task_that_does_not_suit_the_target_is_found_before_anything_runs(
    project, edit, command, capfd, params
):
    other = "binary" if params.task == "regression" else "regression"
    edit(project / "params.yaml", "task", other)
    before = snapshot(project)
    assert command("run") == 2
    assert f"params.yaml: task is {other}" in capfd.readouterr().err
    assert snapshot(project) == before


@pytest.mark.parametrize("name", ["params.yaml", "contract.yaml"])
@pytest.mark.parametrize("text", ["columns: [", "", "- 1"])
def test_a_file_that_is_no_yaml_is_found_before_anything_runs(project, command, capfd, name, text):
    (project / name).write_text(text)
    before = snapshot(project)
    assert command("run") == 2
    assert f"error: {name}: " in capfd.readouterr().err
    assert snapshot(project) == before


def snapshot(project):
    """Return every file that a stage writes, with its bytes and its time."""
    written = (project / "data", project / "models", project / "reports")
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for folder in written
        for path in folder.rglob("*")
        if path.is_file()
    }
