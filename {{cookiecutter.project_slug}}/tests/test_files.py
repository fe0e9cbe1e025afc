import hashlib

import pytest

from {{cookiecutter.project_slug}} import files


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_replaced_changes_whole_or_not_at_all(tmp_path, kind):
    path = tmp_path / "deep/thing"

    def write(text):
        with files.replacing(path) as scratch:
            if kind == "folder":
                scratch.mkdir()
            (scratch / "inside" if kind == "folder" else scratch).write_text(text)
            if text == "bad":
                raise RuntimeError

    def read():
        return (path / "inside" if kind == "folder" else path).read_text()

    write("first")
    write("second")
    with pytest.raises(RuntimeError):
        write("bad")
    assert read() == "second"
    assert [child.name for child in path.parent.iterdir()] == ["thing"]


def test_json_is_written_and_read_but_not_nan(tmp_path):
    files.write_json(tmp_path / "a.json", {"ü": [1, None]})
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", float("nan"))
    assert files.read_json(tmp_path / "a.json") == {"ü": [1, None]}


def test_a_digest_is_the_sha_256_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert files.sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_a_link_is_moved_in_one_step_and_stays_relative(tmp_path):
    for name in ("one", "two"):
        (tmp_path / "versions" / name).mkdir(parents=True)
        files.point(tmp_path / "current", tmp_path / "versions" / name)
    assert (tmp_path / "current").readlink().as_posix() == "versions/two"
    files.copy_folder(tmp_path / "versions", tmp_path / "copy")
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == ["one", "two"]
