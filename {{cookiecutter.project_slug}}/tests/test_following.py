import contextlib
import json
import os
import shutil
import sys
import urllib.request

import made_up
import pytest
import servers
from fastapi.testclient import TestClient
from released import another_candidate, rewrite

from {{cookiecutter.project_slug}} import bundle, files, tracking
from {{cookiecutter.project_slug}}.contract import row
from {{cookiecutter.project_slug}}.serving import app, following, settings


def ask(address, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(address + path, data, headers)) as answer:
        return answer.read()


def version(address):
    return json.loads(ask(address, "/health/ready"))["model"]["version"]


def problem(address):
    return json.loads(ask(address, "/health/ready")).get("problem")


def figure(address, name):
    """Return a figure of GET /metrics."""
    lines = ask(address, "/metrics").decode().splitlines()
    (line,) = (one for one in lines if one.startswith(f"project_{name} "))
    return float(line.split()[1])


@pytest.fixture
def versions(tmp_path):
    """A project with two versions that say different things of the same rows, and their rows."""
    models, rows = tmp_path / "models", []
    for number, size in (("1", 160), ("2", 90)):
        folder = models / "versions" / number
        made, frame = made_up.bundled("regression", folder, size)
        bundle.seal(folder, {**made.manifest, "version": number})
        rows = rows or made_up.requests(frame.head(20), made.contract)
    files.point(models / "champion", models / "versions" / "1")
    return models, rows


def switch(models, number):
    files.point(models / "champion", models / "versions" / number)


def said(folder, rows):
    """Return what a bundle says of rows."""
    found = bundle.load(folder)
    model = row.row_model(found.contract)
    asked = [row.values(model.model_validate_json(json.dumps(one))) for one in rows]
    return found.answers(asked)


def ask_at_once(server, request, change):
    """Ask over 200 connections, all of them at once, half from before a change; returns answers."""
    with contextlib.ExitStack() as opened:
        connections = [opened.enter_context(server.connect()) for _ in range(200)]

        def send(part, some):
            for one in some:
                one.sendall(part)

        send(request[:-1], connections[:100])
        servers.until(lambda: figure(server.address, "requests_under_way") == 100)
        change()
        send(request[:-1], connections[100:])
        servers.until(lambda: figure(server.address, "requests_under_way") == 200)
        send(request[-1:], connections)
        answers = [servers.parsed(servers.received(one)) for one in connections]
        assert {status for status, _, _ in answers} == {200}
        return [json.loads(body) for _, _, body in answers]


def test_every_answer_is_wholly_of_one_version_while_the_champion_changes(versions):
    models, rows = versions
    expected = {number: said(models / "versions" / number, rows) for number in ("1", "2")}
    assert expected["1"] != expected["2"]
    request = servers.post("/predict", json.dumps({"rows": rows}).encode())
    with servers.running(models.parent, follow_seconds=0.01) as server:
        for number in "212121":
            answers = ask_at_once(server, request, lambda number=number: switch(models, number))
            for answer in answers:
                assert answer["predictions"] == expected[answer["model"]["version"]]
            servers.until(lambda number=number: version(server.address) == number)
        assert figure(server.address, "models_refused_total") == 0


@pytest.mark.parametrize("fault", ["cut", "gone", "empty", "unreadable", "absurd"])
def test_a_champion_that_cannot_be_served_leaves_the_old_one_and_is_told(versions, fault):
    models, rows = versions
    second = models / "versions" / "2"
    whole = shutil.copytree(second, models / "whole")
    with servers.running(models.parent, follow_seconds=0.01) as server:
        before = json.loads(ask(server.address, "/predict", {"rows": rows}))["predictions"]
        damage(second, fault)
        switch(models, "2")
        servers.until(lambda: problem(server.address))
        assert version(server.address) == "1"
        assert figure(server.address, "models_refused_total") >= 1
        assert b'project_model{version="1"} 1.0' in ask(server.address, "/metrics")
        after = json.loads(ask(server.address, "/predict", {"rows": rows}))["predictions"]
        assert before == after
        shutil.rmtree(second, ignore_errors=True)
        shutil.copytree(whole, second)
        servers.until(lambda: version(server.address) == "2")
        servers.until(lambda: not problem(server.address))
        servers.until(lambda: "version 2 is served" in server.log.read_text())
        assert b'project_model{version="2"} 1.0' in ask(server.address, "/metrics")
        logged = [one["message"] for one in servers.lines(server)]
    assert any("cannot be served" in one for one in logged)


def test_a_champion_that_cannot_be_loaded_at_first_is_tried_again(versions):
    models, _ = versions
    model = models / "versions" / "2" / "model.skops"
    content, found = model.read_bytes(), model.stat()

    def write(content):
        """Write bytes that a look at names, sizes and times cannot tell from others."""
        model.write_bytes(content)
        os.utime(model, ns=(found.st_atime_ns, found.st_mtime_ns))

    write(bytes(len(content)))
    with servers.running(models.parent, follow_seconds=0.01) as server:
        switch(models, "2")
        servers.until(lambda: problem(server.address))
        write(content)
        servers.until(lambda: version(server.address) == "2")
        assert not problem(server.address)


def test_a_champion_that_cannot_even_be_looked_at_does_not_end_the_following(versions):
    models, _ = versions
    with servers.running(models.parent, follow_seconds=0.01) as server:
        files.point(models / "champion", models / "champion")  # a link to itself
        servers.until(lambda: problem(server.address))
        assert version(server.address) == "1"
        switch(models, "2")
        servers.until(lambda: version(server.address) == "2")


def damage(folder, fault):
    if fault == "cut":
        os.truncate(folder / "model.skops", 100)
    elif fault == "gone":
        shutil.rmtree(folder)
    elif fault == "empty":
        shutil.rmtree(folder)
        folder.mkdir()
    elif fault == "unreadable":  # a folder has the place of a file
        (folder / "golden.json").unlink()
        (folder / "golden.json").mkdir()
    else:  # sealed, but not what a bundle has
        (folder / "golden.json").write_text("{}")
        bundle.seal(folder, json.loads((folder / "manifest.json").read_text()))


def test_the_earlier_version_may_vanish_while_it_is_served(versions):
    models, rows = versions
    with TestClient(app.create_app(settings.Settings(champion=models / "champion"))) as client:
        shutil.rmtree(models / "versions" / "1")
        client.app.follower.look()
        assert "make run" in client.get("/health/ready").json()["problem"]
        assert client.post("/predict", json={"rows": rows}).status_code == 200
        assert client.get("/model").json()["examples"]


def test_a_rollback_is_served_without_a_restart(second, two, command):
    with servers.running(second) as server:
        assert version(server.address) == two[1]
        assert command("rollback") == 0
        servers.until(lambda: version(server.address) == "1")


def test_a_bundle_is_read_from_the_folder_that_the_link_named_first(versions, monkeypatch):
    models, _ = versions
    follower = app.create_app(settings.Settings(champion=models / "champion")).follower
    load = bundle.load

    def switched(folder):
        switch(models, "1")
        return load(folder)

    switch(models, "2")
    monkeypatch.setattr(bundle, "load", switched)
    follower.look()
    assert (follower.served.facts["version"], follower.problem) == ("2", None)
    follower.look()
    assert (follower.served.facts["version"], follower.problem) == ("1", None)


def test_the_server_follows_an_alias_of_the_registry(project, typed, contract, monkeypatch):
    store = os.environ["MLFLOW_TRACKING_URI"]
    monkeypatch.setattr(following, "PATIENCE", 0.01)
    client = tracking.mlflow.MlflowClient(store)
    first = client.get_model_version_by_alias(tracking.NAME, "champion")
    alias = "followed"
    client.set_registered_model_alias(tracking.NAME, alias, first.version)
    address = f"models:/{tracking.NAME}@{alias}"
    rows = made_up.requests(typed.head(5), contract)
    with TestClient(app.create_app(settings.Settings(champion=address))) as found:
        answer = found.post("/predict", json={"rows": rows}).json()
        assert answer["model"] == {"name": tracking.NAME, "version": str(first.version)}
        local = bundle.load(files.CHAMPION).score_table(typed.head(5)).values
        values = [
            one.get("value", [*one.get("probabilities", {}).values()])
            for one in answer["predictions"]
        ]
        assert values == local.tolist()
        second = client.create_model_version(tracking.NAME, first.source, first.run_id).version
        client.set_registered_model_alias(tracking.NAME, alias, second)
        found.app.follower.look()
        assert found.get("/health/ready").json()["model"]["version"] == str(second)
        client.delete_registered_model_alias(tracking.NAME, alias)
        found.app.follower.look()
        ready = found.get("/health/ready").json()
        assert ready["model"]["version"] == str(second) and "no such model" in ready["problem"]
        client.set_registered_model_alias(tracking.NAME, alias, first.version)
        found.app.follower.look()
        ready = found.get("/health/ready").json()
        assert ready["model"]["version"] == str(first.version) and "problem" not in ready


def test_a_version_that_the_gate_refused_is_not_served(project, command, refused):
    client, alias = tracking.mlflow.MlflowClient(os.environ["MLFLOW_TRACKING_URI"]), "moved-by-hand"
    passed = client.get_model_version_by_alias(tracking.NAME, "champion").version
    another_candidate(project)
    rewrite(project, gain={"value": 0.1, "low": 0.0, "high": 0.2})
    assert command("release") == 3
    challenger = settings.Settings(champion=f"models:/{tracking.NAME}@challenger")
    with refused("the gate says refused: better than the baseline", "--force"):
        app.create_app(challenger)
    client.set_registered_model_alias(tracking.NAME, alias, passed)
    followed = settings.Settings(champion=f"models:/{tracking.NAME}@{alias}")
    with TestClient(app.create_app(followed)) as found:
        number = client.get_model_version_by_alias(tracking.NAME, "challenger").version
        client.set_registered_model_alias(tracking.NAME, alias, number)
        found.app.follower.look()
        ready = found.get("/health/ready").json()
        assert ready["model"]["version"] == str(passed)
        assert "the gate says refused" in ready["problem"]


def test_an_alias_that_is_none_is_refused_at_the_start(project, refused, monkeypatch):
    for uri, said in (("models:/nothing@champion", "no such model"), ("models:/a/1", "@ALIAS")):
        with refused("models:/", said):
            app.create_app(settings.Settings(champion=uri))
    monkeypatch.setitem(sys.modules, f"{tracking.NAME}.tracking", None)
    with refused("models:/a@b", "requirements.lock"):
        app.create_app(settings.Settings(champion="models:/a@b"))
