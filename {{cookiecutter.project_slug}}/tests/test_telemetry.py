import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from {{cookiecutter.project_slug}}.serving import app, settings, telemetry


def figures(client):
    """Return the figures of /metrics by name and labels."""
    text = client.get("/metrics").text
    return {
        (one.name, *sorted(one.labels.values())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


@pytest.fixture
def fresh(finished):
    chosen = settings.Settings(champion=finished / "models/champion")
    with TestClient(app.create_app(chosen)) as found:
        yield found


def test_requests_and_rows_are_counted(fresh):
    example = fresh.get("/openapi.json").json()["paths"]["/predict"]["post"]["requestBody"]
    row = example["content"]["application/json"]["schema"]["examples"][0]["rows"][0]
    for _ in range(3):
        fresh.post("/predict", json={"rows": [row, row]})
    fresh.post("/predict", json={"rows": []})
    fresh.post("/invocations", json={"dataframe_records": [row]})
    fresh.get("/nothing/here")
    found = figures(fresh)
    assert found["project_requests_total", "/predict", "200"] == 3
    assert found["project_requests_total", "/predict", "422"] == 1
    assert found["project_requests_total", "/invocations", "200"] == 1
    assert found["project_requests_total", "/", "404"] == 1
    assert found["project_rows_total",] == 7
    assert found["project_seconds_count", "/predict"] == 4
    assert found["project_model", "1"] == 1
    assert found["project_models_refused_total",] == 0
    assert found["project_requests_under_way",] == 0


def test_paths_that_nobody_serves_make_no_new_figures(fresh):
    for path in ("/a", "/b/c", "/predict/x", "/%00", "//", "/v2/models/x/y/z"):
        fresh.get(path)
    routes = {key[1] for key in figures(fresh) if key[0] == "project_seconds_count"}
    assert routes == set(telemetry.ROUTES)


@pytest.mark.parametrize(
    ("path", "route"),
    [("/", "/"), ("/v2/models/a/infer", "/v2"), ("/health/live", "/health"), ("", "/"), ("x", "/")],
)
def test_a_path_belongs_to_a_known_route(path, route):
    assert telemetry.route_of(path) == route


def test_one_version_is_served_at_a_time():
    found = telemetry.Telemetry()
    found.serve("1")
    found.serve("2")
    assert b'project_model{version="2"} 1.0' in found.text()
    assert b'version="1"' not in found.text()
