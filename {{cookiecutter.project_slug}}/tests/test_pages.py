import base64
import hashlib
import re
import shutil

from fastapi.testclient import TestClient

from {{cookiecutter.project_slug}}.serving import app, pages, settings


def inside(kind):
    """Return the texts of the page's styles or scripts."""
    return re.findall(f"<{kind}>(.*?)</{kind}>", pages.page().decode(), re.DOTALL)


def rules(policy):
    """Return what a Content-Security-Policy says of each kind."""
    return dict(rule.split(" ", 1) for rule in policy.split("; "))


def test_the_page_is_one_small_document_that_refers_to_no_other_server():
    text = pages.page().decode()
    assert len(text) < 48_000
    assert not re.search(r'(src|href)="(?!docs"|data:)', text)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_the_policy_allows_what_is_inside_and_nothing_else():
    policy = rules(pages.policy())
    for kind in ("style", "script"):
        texts = inside(kind)
        digests = [hashlib.sha256(text.encode()).digest() for text in texts]
        allowed = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
        assert texts and policy[f"{kind}-src"].split() == allowed
    assert policy["default-src"] == "'none'" and policy["connect-src"] == "'self'"


def test_no_text_becomes_html():
    scripts = "".join(inside("script"))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\b", scripts)


def test_the_server_shows_the_page_with_its_policy(client):
    answer = client.get("/")
    assert answer.content == pages.page()
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"] == pages.policy()


def test_report_and_model_card_outlive_the_folder_of_the_version(finished, tmp_path):
    folder = shutil.copytree((finished / "models/champion").resolve(), tmp_path / "model")
    report, card = ((folder / name).read_text() for name in ("report.html", "model_card.md"))
    with TestClient(app.create_app(settings.Settings(champion=folder))) as client:
        shutil.rmtree(folder)
        found, other = client.get("/report"), client.get("/model-card")
        assert client.get("/model").json()["links"] == {
            "report": "/report",
            "model_card": "/model-card",
        }
    assert (found.status_code, found.text) == (200, report)
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    assert (other.status_code, other.text) == (200, card)
    assert other.headers["content-type"] == "text/plain; charset=utf-8"
    policy = rules(found.headers["content-security-policy"])
    assert policy["default-src"] == "'none'" and "script-src" not in policy
    # What the report has inside is what its policy allows.
    assert "<script" not in report and not re.search(r'(src|href)="(?!data:|#)', report)
    assert (policy["style-src"], policy["img-src"]) == ("'unsafe-inline'", "data:")
