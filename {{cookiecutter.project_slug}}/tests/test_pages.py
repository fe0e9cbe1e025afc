import base64
import hashlib
import re

from {{cookiecutter.project_slug}}.serving import pages


def inside(kind):
    """Return the texts of the page's styles or scripts."""
    return re.findall(f"<{kind}>(.*?)</{kind}>", pages.page().decode(), re.DOTALL)


def test_the_page_is_one_small_document_that_refers_to_no_other_server():
    text = pages.page().decode()
    assert len(text) < 45_000
    assert not re.search(r'(src|href)="(?!docs"|data:)', text)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_the_policy_allows_what_is_inside_and_nothing_else():
    policy = dict(rule.split(" ", 1) for rule in pages.policy().split("; "))
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
