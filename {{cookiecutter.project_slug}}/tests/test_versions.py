import json
import shutil

from {{cookiecutter.project_slug}} import bundle, files, versions


def test_the_history_says_who_promoted_what_when_and_why(two):
    first, second = versions.history()
    assert (first["version"], first["from"]) == ("1", None)
    assert (second["version"], second["from"]) == (two[1], "1")
    assert second["why"] == "passed the gate"
    assert second["who"] == versions.person()
    assert second["when"].endswith("+00:00")


def test_versions_are_in_the_order_of_their_numbers(project):
    for name in ("10", "9", ".3.x.scratch"):
        (files.VERSIONS / name).mkdir()
    assert versions.names() == ["1", "9", "10"]
    assert versions.next_name("2") == "11"  # a registry that began anew never replaces a version
    assert versions.next_name("12") == "12"


def test_the_previous_version_is_not_the_one_that_was_left(two, refused):
    assert versions.previous() == "1"
    versions.switch(versions.entry("1", "rolled back"))
    with refused("no version was champion before 1", "--to"):
        versions.previous()


def test_a_version_that_is_not_there_is_refused_with_those_that_are(two, refused):
    with refused("no version '99'", f"1, {two[1]}"):
        versions.find("99")


def test_only_a_version_that_is_whole_passes(two, refused):
    versions.verify(files.VERSIONS / "1")
    (files.VERSIONS / "1/golden.json").write_text("{}")
    with refused("models/versions/1", "golden.json", "--to"):
        versions.verify(files.VERSIONS / "1")
    manifest = files.VERSIONS / two[1] / "manifest.json"
    manifest.write_text(manifest.read_text().replace("passed the gate", "passed the gale"))
    with refused(f"models/versions/{two[1]}", "manifest.json"):
        versions.verify(files.VERSIONS / two[1])
    (files.VERSIONS / "1/manifest.json").unlink()
    with refused("models/versions/1", "manifest.json"):
        versions.verify(files.VERSIONS / "1")


def test_a_version_of_other_libraries_is_loaded_before_it_is_trusted(two, refused):
    folder = files.VERSIONS / "1"
    golden = json.loads((folder / "golden.json").read_text())
    golden["predictions"] = [[0.5] * len(golden["predictions"][0])] * len(golden["rows"]) if (
        isinstance(golden["predictions"][0], list)
    ) else [0.5] * len(golden["rows"])  # fmt: skip
    (folder / "golden.json").write_text(json.dumps(golden))
    manifest = versions.manifest(folder)
    files.HISTORY.unlink()  # it knows the manifest's digest
    bundle.seal(folder, manifest)
    versions.verify(folder)
    bundle.seal(folder, {**manifest, "libraries": {**manifest["libraries"], "numpy": "1.0"}})
    with refused("does not give the predictions"):
        versions.verify(folder)


def test_a_version_is_verified_where_a_library_of_the_pipeline_is_not_installed(two):
    folder = files.VERSIONS / "1"
    manifest = versions.manifest(folder)
    assert "mlflow" in manifest["libraries"]
    bundle.seal(folder, {**manifest, "libraries": {**manifest["libraries"], "not-here": "1.0"}})
    sealed = {"manifest": files.sha256(folder / "manifest.json")}
    lines = [line | sealed if line["version"] == "1" else line for line in versions.history()]
    files.HISTORY.write_text("".join(json.dumps(line) + "\n" for line in lines))
    versions.verify(folder)


def test_a_switch_that_was_not_recorded_is_found_and_recorded(two):
    line = versions.history()[-1]
    lines = files.HISTORY.read_text().splitlines(keepends=True)
    files.HISTORY.write_text(lines[0])
    assert versions.unfinished()
    versions.mend()
    assert versions.history()[-1] == line
    assert not versions.unfinished()
    files.point(files.CHAMPION, files.VERSIONS / "1")
    versions.mend()
    assert versions.history()[-1]["why"] == "rolled back"
    assert versions.history()[-1]["from"] == two[1]
    assert versions.unfinished()  # the registry has not been told


def test_without_a_champion_there_is_nothing_to_repair(project):
    shutil.rmtree("models/versions")
    assert versions.current() is None
    assert not versions.unfinished()
    versions.mend()
    assert versions.history() == []


def test_one_process_at_a_time_changes_the_champion(project, refused):
    with versions.lock(), refused("another release or rollback"), versions.lock():
        pass
