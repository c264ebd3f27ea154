"""Checks the dashboard in a running Superset: check.py URL BINARY DATA PICTURE.png, with the password in SUPERSET_PASSWORD"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import requests
from browser import Browser

WIDTH, HEIGHT = 1400, 1690  # the whole dashboard: charts out of sight are not drawn
CHARTS = 8


def main(url, binary, data, picture):
    password = os.environ["SUPERSET_PASSWORD"]
    token = login(url, password)
    names = {c["id"]: c["slice_name"] for c in get(url, token, "/api/v1/dashboard/flashback/charts")}
    expect("the dashboard has its charts", len(names) == CHARTS, names)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, Browser(profile, WIDTH, HEIGHT) as browser:
        answers = open_dashboard(browser, url, password, names)
        check_rows(answers)
        check_page(browser)
        browser.screenshot(picture)
    weeks = answers["Violations by week and severity"]
    check_figures(weeks["rows"], binary, data)
    check_new_file(url, token, weeks, binary, data)
    check_access(url, token)


def login(url, password):
    body = {"username": "admin", "password": password, "provider": "db"}
    answer = requests.post(f"{url}/api/v1/security/login", json=body, timeout=30)
    answer.raise_for_status()
    return {"Authorization": "Bearer " + answer.json()["access_token"]}


def get(url, token, path):
    answer = requests.get(url + path, headers=token, timeout=30)
    answer.raise_for_status()
    return answer.json()["result"]


def open_dashboard(browser, url, password, names):
    """What each chart got: its request, SQL and rows, by the chart's name."""
    session = requests.Session()
    session.post(f"{url}/login/", data={"username": "admin", "password": password}, timeout=30).raise_for_status()
    browser.call("Network.enable", maxTotalBufferSize=100_000_000)
    browser.call("Network.setCookie", name="session", value=session.cookies["session"], url=url)
    browser.call("Page.enable")
    browser.call("Page.navigate", url=f"{url}/superset/dashboard/flashback/")
    deadline = time.monotonic() + 120
    while len(answers := browser.finished("/api/v1/chart/data")) < CHARTS and time.monotonic() < deadline:
        time.sleep(0.5)
        browser.evaluate("1")  # reads the events that came meanwhile
    time.sleep(3)  # the charts are animated
    expect("every chart requests data", len(answers) == CHARTS, len(answers))
    return {names[json.loads(sent)["form_data"]["slice_id"]]: read(sent, status, body) for sent, status, body in answers}


def read(sent, status, body):
    if status != 200:
        raise SystemExit(f"a chart got status {status}: {body}")
    result = json.loads(body)["result"][0]
    return {"request": json.loads(sent), "sql": result["query"], "rows": result["data"], "error": result["error"]}


def check_rows(answers):
    for name, answer in answers.items():
        expect(f"rows: {name}", answer["rows"] and not answer["error"], answer["error"] or answer["sql"])


def check_page(browser):
    wrong = browser.evaluate("[...document.querySelectorAll('[role=alert], .missing-chart-container')].map(e => e.innerText).join('\\n')")
    expect("no error on the page", wrong == "", wrong)
    drawn = browser.evaluate("document.querySelectorAll('canvas').length")
    expect("the bar charts are drawn", drawn == 4, f"{drawn} canvases")


def check_figures(rows, binary, data):
    """The chart's sums, of all weeks and of the incomplete ones, are those of flashback-sync query."""
    for what, mark, condition in ("all weeks", "", "true"), ("incomplete weeks", " (incomplete)", "NOT week_complete"):
        counted = sum(n for row in rows for series, n in row.items() if series != "week_label" and series.endswith(mark) and n)
        sql = f"SELECT sum(events) AS n FROM bi.events_daily JOIN bi.calendar USING (day) WHERE kind = 'violation' AND {condition}"
        stated = int(query(binary, data, sql)[0]["n"])
        expect(f"violations as by flashback-sync query: {what}", counted == stated > 0, f"{counted}, {stated}")


def query(binary, data, sql):
    command = [binary, "--config", f"{data}/flashback-sync.yaml", "query", "--format", "json", sql]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def check_new_file(url, token, weeks, binary, data):
    """A file that is published while Superset runs is read by the next query. Here it is another organisation's."""
    with tempfile.TemporaryDirectory(dir=pathlib.Path(data).parent) as other:
        subprocess.run([binary, "demo", "--dir", other, "--seed", "8"], check=True, capture_output=True)
        os.replace(f"{other}/flashback.duckdb", f"{data}/flashback.duckdb")
    answer = requests.post(f"{url}/api/v1/chart/data", headers=token, json=weeks["request"] | {"force": True}, timeout=60)
    answer.raise_for_status()
    rows = answer.json()["result"][0]["data"]
    expect("a newly published file is read", rows != weeks["rows"], "the rows are the old ones")
    check_figures(rows, binary, data)


def check_access(url, token):
    database = next(d["id"] for d in get(url, token, "/api/v1/database/") if d["database_name"] == "flashback")
    for what, sql, wanted in (
        ("reads the views", "SELECT count(*) AS n FROM bi.events", '"n":'),
        ("does not write", "CREATE TABLE main.t (i INTEGER)", "DML"),
        ("is read-only", "SELECT current_setting('access_mode') AS mode", "read_only"),
        ("reads no other file", "SELECT * FROM read_text('/etc/hostname')", "disabled by configuration"),
    ):
        answer = requests.post(f"{url}/api/v1/sqllab/execute/", headers=token, json={"database_id": database, "sql": sql}, timeout=60)
        expect(f"SQL Lab {what}", wanted in answer.text, answer.text[:1000])


def expect(what, holds, detail):
    print(f"{'ok  ' if holds else 'FAIL'}  {what}" + ("" if holds else f": {detail}"), flush=True)
    if not holds:
        raise SystemExit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
