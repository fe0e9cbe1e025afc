"""The page at `/`, used in a real browser."""

import base64
import csv
import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers import get, serving
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.slow

# One of each task.
SERVED = ["healthcare", "ecommerce", "technology"]
# The page has to send more than one request for a file.
MAX_ROWS = 20

# The texts whose contrast with what is behind them is below what WCAG 2 asks for (AA).
FAINT = """
const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
const rgba = (colour) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const light = (channels) => channels.slice(0, 3)
  .map((c) => c / 255)
  .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (node) => {
  for (; node; node = node.parentElement) {
    const colour = rgba(getComputedStyle(node).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return [255, 255, 255, 255];
};
const own = (node) => node.matches("input, select, textarea") ||
  [...node.childNodes].some((one) => one.nodeType === 3 && one.textContent.trim());
return [...document.querySelectorAll("body, body *")]
  .filter((node) => node.checkVisibility() && own(node) && !node.matches("script, noscript, style"))
  .map((node) => {
    const two = [light(rgba(getComputedStyle(node).color)), light(behind(node))].sort();
    return [node.textContent.slice(0, 40), (two[1] + 0.05) / (two[0] + 0.05)];
  })
  .filter(([, ratio]) => ratio < 4.5);
"""


class Page:
    """The page of a served project in a browser."""

    def __init__(self, browser: webdriver.Chrome, url: str, project: Path, folder: Path) -> None:
        self.browser, self.url, self.folder = browser, url, folder
        contract = yaml.safe_load((project / "contract.yaml").read_text("utf-8"))
        self.columns = {
            name: column
            for name, column in contract["columns"].items()
            if column.get("role", "feature") in ("feature", "time")
        }
        (table,) = (project / "data").glob("*.csv")
        with table.open(newline="", encoding="utf-8") as lines:
            rows = itertools.islice(csv.DictReader(lines), 50)
            self.rows = [{name: row[name] for name in self.columns} for row in rows]

    def open(self) -> "Page":
        """Load the page anew."""
        self.browser.get(self.url)
        self.wait("body[data-ready]")
        return self

    def find(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def wait(self, selector: str) -> WebElement:
        """Return the first visible element of the selector, once there is one."""
        shown: WebElement | None = WebDriverWait(self.browser, 30).until(
            lambda _: next((one for one in self.all(selector) if one.is_displayed()), None)
        )
        assert shown
        return shown

    def run(self, script: str, *values: Any) -> Any:
        return self.browser.execute_script(script, *values)

    def press(self, *keys: str) -> None:
        ActionChains(self.browser).send_keys(*keys).perform()

    def field(self, name: str) -> WebElement:
        return self.find(f"#field-{list(self.columns).index(name)}")

    def typed(self, row: dict[str, str]) -> dict[str, Any]:
        """Return a row of the table as a client would send it."""
        kinds: dict[str, Callable[[str], Any]] = {
            "integer": lambda text: int(float(text)),
            "number": float,
            "boolean": lambda text: text.lower() == "true",
            "datetime": lambda text: text.replace(" ", "T"),
        }
        return {
            name: kinds.get(self.columns[name]["type"], str)(text)
            for name, text in row.items()
            if text
        }

    def expected(self, rows: list[dict[str, str]]) -> list[dict[str, Any]]:
        """Return what POST /predict says of rows of the table."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(rows), MAX_ROWS):
            body = {"rows": [self.typed(row) for row in rows[start : start + MAX_ROWS]]}
            found += get(f"{self.url}/predict", body)["predictions"]
        return found

    def choose(self, text: bytes) -> None:
        """Choose a file with the text."""
        file = self.folder / "rows.csv"
        file.write_bytes(text)
        self.find("#file").send_keys(str(file))

    def tables(self) -> list[list[list[str]]]:
        """Return the cells of the tables that a file gave."""
        return [
            [
                [cell.text for cell in line.find_elements(By.TAG_NAME, "td")]
                for line in table.find_elements(By.CSS_SELECTOR, "tbody tr")
            ]
            for table in self.all("#batch table")
        ]

    def downloaded(self, name: str) -> list[list[str]]:
        """Follow the link that saves the file, and read it."""
        self.find(f"a[download='{name}']").click()
        file = self.folder / name
        # Chromium makes an empty file of that name first, which the whole one replaces.
        WebDriverWait(self.browser, 30).until(lambda _: file.exists() and file.stat().st_size)
        with file.open(newline="", encoding="utf-8-sig") as lines:
            found = list(csv.reader(lines, delimiter=";"))
        file.unlink()
        return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the browser saves files."""
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def browser(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Chromium without a window, settings or anything that it would fetch by itself."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    assert program and driver, "install chromium and chromium-driver, as .ci/run does"
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for switch in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "disable-dev-shm-usage",
        "no-proxy-server",
        # A click on a page that is still scrolling lands beside the button.
        "force-prefers-reduced-motion",
        "lang=en-US",
        "window-size=1200,900",
        f"user-data-dir={tmp_path_factory.mktemp('browser')}",
    ):
        options.add_argument(f"--{switch}")
    options.add_experimental_option("prefs", {"download.default_directory": str(folder)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options, webdriver.ChromeService(driver)) as found:
        yield found


@pytest.fixture(scope="module", params=SERVED)
def served(
    request: pytest.FixtureRequest,
    project: Callable[[str], Path],
    browser: webdriver.Chrome,
    folder: Path,
) -> Iterator[Page]:
    """The page of a project of each task."""
    generated = project(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROJECT_MAX_ROWS", str(MAX_ROWS))
        with serving(generated) as url:
            yield Page(browser, url, generated, folder)


@pytest.fixture
def page(served: Page) -> Iterator[Page]:
    """The page, freshly loaded; the test fails if its console told of anything."""
    served.browser.get_log("browser")  # type: ignore[no-untyped-call]
    yield served.open()
    told = served.browser.get_log("browser")  # type: ignore[no-untyped-call]
    # Chromium notes each refused request there, whatever the page makes of it.
    assert [one for one in told if one["source"] != "network"] == []


@pytest.fixture(params=SERVED)
def report(
    request: pytest.FixtureRequest, project: Callable[[str], Path], browser: webdriver.Chrome
) -> Iterator[webdriver.Chrome]:
    """The browser with the report of a project of each task, as a file."""
    browser.get((project(request.param) / "reports/report.html").as_uri())
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.fixture
def alone(
    project: Callable[[str], Path],
    browser: webdriver.Chrome,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Page]:
    """The page of a server that asks for a key and has a second version to serve."""
    generated = project("healthcare")
    for version in ("1", "2"):
        made = shutil.copytree((generated / "models/champion").resolve(), tmp_path / version)
        manifest = json.loads((made / "manifest.json").read_text("utf-8"))
        (made / "manifest.json").write_text(json.dumps({**manifest, "version": version}), "utf-8")
    (tmp_path / "champion").symlink_to("1")
    monkeypatch.setenv("PROJECT_CHAMPION", str(tmp_path / "champion"))
    monkeypatch.setenv("PROJECT_API_KEYS", '["a-key"]')
    with serving(generated) as url:
        browser.get(url)
        yield Page(browser, url, generated, folder)
        browser.execute_script("sessionStorage.clear()")


def unlock(page: Page, key: str) -> None:
    page.wait("#key").send_keys(key)
    page.find("#unlock button").click()


def type_in(page: Page, column: dict[str, Any], text: str) -> None:
    """Fill the field that has the focus."""
    kind = page.browser.switch_to.active_element.tag_name
    if column["type"] == "datetime":
        date, _, clock = text.partition(" ")
        year, month, day = date.split("-")
        hour, minute = map(int, clock.split(":")[:2])
        page.press(month, day, year, Keys.TAB, f"{(hour - 1) % 12 + 1:02}{minute:02}")
        page.press("PM" if hour >= 12 else "AM")
    elif kind == "select":
        values = page.run("return [...document.activeElement.options].map((one) => one.value)")
        page.press(Keys.HOME, *[Keys.ARROW_DOWN] * values.index(text))
    elif text:
        page.press(text)


def go_to(page: Page, element: WebElement) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(80):
        if page.browser.switch_to.active_element == element:
            return
        page.press(Keys.TAB)
    raise AssertionError(f"{element.get_attribute('id')} cannot be reached with Tab")


def test_a_form_filled_with_the_keyboard_gives_the_number_of_the_server(page: Page) -> None:
    row = page.rows[0]
    for name, column in page.columns.items():
        go_to(page, page.field(name))
        type_in(page, column, row[name])
    go_to(page, page.find("#predict"))
    page.press(Keys.ENTER)
    shown = page.wait("#said data").get_attribute("value") or ""
    (expected,) = page.expected([row])
    if "value" in expected:
        assert float(shown) == expected["value"]
        ends = [one.get_attribute("value") for one in page.all(".ends data")]
        assert [float(end or "") for end in ends] == expected["interval"]
    else:
        assert page.find("#said strong").text == expected["label"]
        assert float(shown) == expected["probabilities"][expected["label"]]
        assert len(page.all(".bars li")) >= len(expected["probabilities"])
    assert page.find("#said").get_attribute("role") == "status"


def test_an_example_fills_the_form_and_clear_empties_it(page: Page) -> None:
    page.find("#examples button").click()
    required = [name for name, column in page.columns.items() if not column.get("nullable")]
    assert all(page.field(name).get_property("value") for name in required)
    page.find("#predict").click()
    page.wait("#said data")
    page.find("#clear").click()
    assert not any(page.field(name).get_property("value") for name in page.columns)
    assert page.all("#said data") == []


def test_a_value_that_breaks_a_rule_is_told_at_its_field_and_above(page: Page) -> None:
    name = next(n for n, column in page.columns.items() if column.get("maximum") is not None)
    page.find("#examples button").click()
    page.field(name).clear()
    page.field(name).send_keys("99999999999")
    page.find("#predict").click()
    assert "less than or equal to" in page.wait("#summary").text
    assert page.find("#summary").get_attribute("role") == "alert"
    field = page.field(name)
    assert page.browser.switch_to.active_element == field
    assert field.get_attribute("aria-invalid") == "true"
    told = (field.get_attribute("aria-describedby") or "").split()[0]
    assert "less than or equal to" in page.find(f"#{told}").text
    field.clear()
    field.send_keys("1")
    assert not page.find(f"#{told}").is_displayed()


def test_what_is_required_is_asked_for(page: Page) -> None:
    page.find("#predict").click()
    page.wait("#summary")
    required = [name for name, column in page.columns.items() if not column.get("nullable")]
    invalid = [name for name in page.columns if page.field(name).get_attribute("aria-invalid")]
    assert invalid == required
    assert page.browser.switch_to.active_element == page.field(required[0])


def table_of(page: Page, rows: list[dict[str, str]], notes: list[str]) -> bytes:
    """Write rows as a German Excel would: semicolons, a mark, a column more."""
    lines = [";".join(["note", *page.columns])]
    lines += [";".join([note, *row.values()]) for note, row in zip(notes, rows, strict=True)]
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def test_a_file_is_scored_and_its_bad_rows_are_named(page: Page) -> None:
    numbers = ("integer", "number")
    number = next(name for name, column in page.columns.items() if column["type"] in numbers)
    rows = [*page.rows]
    rows[3] = {**rows[3], number: "nonsense"}
    notes = [f"row {position}" for position in range(1, 51)]
    notes[0], notes[1] = '"says ""hi"";\r\nand more"', "=1+1"
    page.choose(table_of(page, rows, notes) + b"too short\r\n")
    page.wait("a[download='rows.scored.csv']")
    assert "49 rows scored, 2 left out" in page.find("#batch-said").text
    faults, first = page.tables()
    assert faults[0][:3] == ["4", number, "'nonsense'"] and faults[0][3]
    assert faults[1][0] == "51" and "1 cell" in faults[1][3]
    assert len(first) == 20

    good = rows[:3] + rows[4:]
    heads, *lines = page.downloaded("rows.scored.csv")
    assert len(lines) == 49
    assert [line[0] for line in lines[:3]] == ['says "hi";\r\nand more', "'=1+1", "row 3"]
    scored = [dict(zip(heads, line, strict=True)) for line in lines]
    assert [line[number] for line in scored] == [row[number] for row in good]
    for line, expected in zip(scored, page.expected(good), strict=True):
        if "value" in expected:
            said = [float(line[head]) for head in ("prediction", "low", "high")]
            assert said == [expected["value"], *expected["interval"]]
        else:
            assert line["prediction"] == expected["label"]
            for label, share in expected["probabilities"].items():
                # The last digit of a linear model may depend on how many rows are asked for.
                assert float(line[f"probability of {label}"]) == pytest.approx(share, rel=1e-12)
    heads, *left = page.downloaded("rows.left.csv")
    assert heads[:3] == ["row", "reason", "note"] and [line[0] for line in left] == ["4", "51"]


def test_scoring_a_file_can_be_stopped(page: Page) -> None:
    page.run(
        """
        fetch = (path, {signal}) => new Promise((answer, fail) => {
          signal.addEventListener("abort", () => fail(signal.reason));
        });
        """
    )
    page.choose(table_of(page, page.rows[:2], ["", ""]))
    page.wait("#stop").click()
    assert page.wait("#batch-fault").text == "Stopped."
    assert not page.find("#progress").is_displayed()


def test_a_file_without_the_columns_is_refused_in_words(page: Page) -> None:
    page.choose(b"a,b\r\n1,2\r\n")
    told = page.wait("#batch-fault").text
    assert all(name in told for name in page.columns)


def test_a_dropped_file_is_scored(page: Page) -> None:
    text = table_of(page, page.rows[:2], ["", ""]).decode()
    page.run(
        """
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([arguments[0]], "dropped.csv"));
        byId("drop").dispatchEvent(new DragEvent("drop", {dataTransfer, cancelable: true}));
        """,
        text,
    )
    page.wait("a[download='dropped.scored.csv']")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 1200])
def test_on_every_screen_nothing_is_cut_off_or_faint(page: Page, width: int, scheme: str) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    wanted = [{"name": "prefers-color-scheme", "value": scheme}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})
    try:
        page.choose(table_of(page, page.rows[:3], ["", "", ""]) + b"too short\r\n")
        page.wait("a[download]")
        page.find("#examples button").click()
        page.find("#predict").click()
        page.wait("#said data")
        assert page.run("return document.documentElement.scrollWidth") <= width
        assert page.run(FAINT) == []
        page.find("#clear").click()
        page.find("#predict").click()
        page.wait("#summary")
        assert page.run("return document.documentElement.scrollWidth") <= width
        assert page.run(FAINT) == []
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_all_that_can_be_used_has_a_name(page: Page) -> None:
    nodes = page.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    used = [
        (node["role"]["value"], node.get("name", {}).get("value"))
        for node in nodes
        if any(one["name"] == "focusable" for one in node.get("properties", []))
        and node["role"]["value"] != "RootWebArea"
    ]
    assert len(used) > len(page.columns)
    assert [one for one in used if not one[1] and one[0] != "generic"] == []


def test_it_says_what_the_model_is_and_how_old(page: Page) -> None:
    version = get(f"{page.url}/model")["version"]
    assert f"version {version}, released" in page.find("#age").text.lower()
    assert "ago" in page.find("#age").text or "now" in page.find("#age").text
    assert {one.get_attribute("href") for one in page.all("#links a")} >= {f"{page.url}/docs"}


def test_metrics_report_and_model_card_are_shown_when_there_are_any(page: Page) -> None:
    page.run(
        """
        const {contract} = await request("model");
        byId("links").replaceChildren();
        showModel({
          contract, ...targetOf(contract), name: "a_name", version: "7", metric: "rmse",
          released: new Date(Date.now() - 3 * 86400e3).toISOString(),
          metrics: {mae: {value: 1, low: 0.5, high: 2}, rmse: {value: 1.5, low: null, high: null}},
          links: {report: "/report", model_card: "/model-card"},
        });
        """
    )
    assert page.find("h1").text == "A name"
    assert page.find("#age").text.startswith("Version 7, released 3 days ago")
    assert [one.text for one in page.all("#metrics tbody tr")] == ["RMSE 1.5", "MAE 1 0.5 to 2"]
    addresses = [one.get_attribute("href") for one in page.all("#links a")]
    assert addresses == [f"{page.url}/report", f"{page.url}/model-card"]


def test_a_page_without_its_server_says_so(page: Page) -> None:
    page.run("fetch = async () => { throw new TypeError('gone'); }; await start();")
    assert "cannot be reached" in page.find("#trouble").text


def test_a_server_that_is_gone_or_busy_is_told_in_words(page: Page) -> None:
    page.find("#examples button").click()
    gone = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.browser.execute_cdp_cmd("Network.enable", {})
    page.browser.execute_cdp_cmd("Network.emulateNetworkConditions", gone)
    page.find("#predict").click()
    assert "cannot be reached" in page.wait("#summary").text
    page.browser.execute_cdp_cmd("Network.emulateNetworkConditions", {**gone, "offline": False})
    page.run("window.answers = fetch; fetch = async () => new Response('', {status: 503});")
    page.find("#predict").click()
    WebDriverWait(page.browser, 30).until(lambda _: "busy" in page.find("#summary").text)
    page.run("fetch = window.answers;")
    page.find("#predict").click()
    page.wait("#said data")


def test_delimited_text_is_read_as_rfc_4180_says(page: Page) -> None:
    script = "return [...records(arguments[0], arguments[1])].map((one) => one.cells);"
    for text, delimiter, expected in (
        ("a,b\r\n1,2", ",", [["a", "b"], ["1", "2"]]),
        ('"a ""b""",c\n"x\r\ny",\n', ",", [['a "b"', "c"], ["x\r\ny", ""]]),
        ("a\tb\r1\t2\r\r", "\t", [["a", "b"], ["1", "2"]]),
        ('"open;\n', ";", [["open;\n"]]),
        ("", ",", []),
    ):
        assert page.run(script, text, delimiter) == expected


def test_cells_become_what_the_contract_wants(page: Page) -> None:
    script = "return cellJson(arguments[0], arguments[1], ['', '?']);"
    comma = {"type": "number", "decimal": ","}
    for text, column, expected in (
        (" ? ", {"type": "integer"}, None),
        ("9007199254740993", {"type": "integer"}, "9007199254740993"),
        ("12.0", {"type": "integer"}, "12"),
        ("1.5", {"type": "integer"}, "1.5"),
        ("$1,234.50", {"type": "number"}, "1234.5"),
        ("1.234,5", comma, "1234.5"),
        ("1e999", {"type": "number"}, '"1e999"'),
        ("0x10", {"type": "number"}, '"0x10"'),
        ("Yes", {"type": "boolean"}, "true"),
        ("perhaps", {"type": "boolean"}, '"perhaps"'),
        ("007", {"type": "category"}, '"007"'),
        ("20120304", {"type": "datetime"}, '"2012-03-04"'),
        ("4.3.12", {"type": "datetime", "format": "%d.%m.%y"}, '"2012-03-04T00:00:00"'),
        (
            "Mar 4, 2012 5:06 PM",
            {"type": "datetime", "format": "%b %d, %Y %I:%M %p"},
            '"2012-03-04T17:06:00"',
        ),
        ("32.3.", {"type": "datetime", "format": "%d.%m.%y"}, '"32.3."'),
    ):
        assert page.run(script, text, column) == expected


def test_names_that_look_like_code_are_only_text(page: Page) -> None:
    name, other = "<img src=x onerror=fail()>", "__proto__"
    columns = {name: {"type": "number"}, other: {"type": "text"}, "2020": {"type": "integer"}}
    text = json.dumps({"columns": columns})
    found = page.run(
        """
        const form = new Form(JSON.parse(arguments[0]));
        form.fill(JSON.parse(arguments[1]));
        form.mark([{column: arguments[2], rule: "<b>wrong</b>"}]);
        return form.json;
        """,
        text,
        json.dumps({name: 1.5, other: "kept", "2020": 7}),
        name,
    )
    assert json.loads(found) == {name: 1.5, other: "kept", "2020": 7}
    assert page.all("#fields img, #summary b") == []
    assert name in page.find("#fields").text and "<b>wrong</b>" in page.find("#summary").text


def test_what_drove_an_answer_is_listed_with_signs_the_strongest_first(page: Page) -> None:
    drove = {"method": "exact", "base": 0.5, "contributions": {"a": 0.1, "b": -0.25, "c": 0.02}}
    page.run(
        "showAnswer(arguments[0], {b: 'high'}, {target: 'y'});",
        {"value": 1, "interval": [0, 2], "explanation": drove},
    )
    shown = [one.text.replace("\n", " ") for one in page.all(".bars li")]
    assert shown == ["B High \N{MINUS SIGN}0.25", "A not known +0.10", "C not known +0.02"]
    assert "exact" in page.find("#details").text


def test_a_file_waits_for_a_busy_server(page: Page) -> None:
    page.run(
        """
        const real = fetch;
        fetch = async (...asked) => {
          fetch = real;
          return new Response("", {status: 503, headers: {"Retry-After": "1"}});
        };
        """
    )
    page.choose(table_of(page, page.rows[:2], ["", ""]))
    page.wait("a[download='rows.scored.csv']")


def test_the_report_fits_a_phone(report: webdriver.Chrome) -> None:
    phone = {"width": 320, "height": 640, "deviceScaleFactor": 2, "mobile": True}
    report.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    assert report.execute_script("return document.documentElement.scrollWidth") == 320


def test_what_is_folded_up_in_the_report_is_printed(report: webdriver.Chrome) -> None:
    def printed(change: str) -> int:
        """Return the size of the report as a PDF, after a change of what is folded up."""
        report.execute_script(f"document.querySelectorAll('details').forEach((one) => {change})")
        told = report.execute_cdp_cmd("Page.printToPDF", {})["data"]
        return len(base64.b64decode(told))

    folded, unfolded, without = map(printed, ("one", "one.open = true", "one.remove()"))
    assert abs(folded - unfolded) < 1000 < unfolded - without


def test_a_page_asks_for_a_key_when_the_server_does(alone: Page) -> None:
    assert alone.wait("#unlock").text
    assert alone.browser.switch_to.active_element == alone.find("#key")
    assert not alone.find("#one").is_displayed()
    unlock(alone, "another-key")
    WebDriverWait(alone.browser, 30).until(lambda _: "not take" in alone.find("#key-said").text)
    unlock(alone, "a-key")
    alone.wait("body[data-ready='1']")
    assert not alone.find("#unlock").is_displayed()
    alone.open()
    alone.find("#examples button").click()
    alone.find("#predict").click()
    alone.wait("#said data")
    alone.find("#links .more").click()
    report = alone.folder / "report.html"
    WebDriverWait(alone.browser, 30).until(lambda _: report.exists())
    assert report.read_text("utf-8").startswith("<!doctype html>")
    report.unlink()


def test_another_model_that_answers_is_shown_and_what_is_filled_in_stays(
    alone: Page, tmp_path: Path
) -> None:
    unlock(alone, "a-key")
    alone.wait("body[data-ready='1']")
    alone.find("#examples button").click()
    filled = [alone.field(name).get_property("value") for name in alone.columns]
    (tmp_path / "next").symlink_to("2")
    (tmp_path / "next").replace(tmp_path / "champion")
    ready = f"{alone.url}/health/ready"
    WebDriverWait(alone.browser, 30).until(lambda _: get(ready)["model"]["version"] == "2")
    assert alone.find("#age").text.startswith("Version 1")
    alone.find("#predict").click()
    alone.wait("#said data")
    alone.wait("body[data-ready='2']")
    assert alone.find("#age").text.startswith("Version 2")
    assert [alone.field(name).get_property("value") for name in alone.columns] == filled
    assert [one.text for one in alone.all("#links a")] == ["API", "Report", "Model card"]
