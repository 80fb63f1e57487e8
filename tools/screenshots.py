"""make screenshots: pictures of the demo company's pages, for the README and for looking at.

python tools/screenshots.py docs/screenshots          the README's four
python tools/screenshots.py DIRECTORY --every         every page, two widths, light and dark
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, sync_playwright

PERSON = "Anna Kowalczyk"
SIZES = {"1440": (1440, 900), "390": (390, 844)}


def main(target: Path, *, every: bool) -> None:
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as directory, sync_playwright() as playwright:
        data, port = Path(directory, "demo"), free_port()
        demo = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "demo", "--data", str(data), "--port", str(port)]
        )
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        try:
            wait_until_settled(data)
            base = f"http://127.0.0.1:{port}"
            for name, size in SIZES.items() if every else [("1440", SIZES["1440"])]:
                for scheme in ("light", "dark") if every else ("light",):
                    suffix = f"-{scheme}-{name}" if every else ""
                    take(browser, base, target, size, scheme, suffix, every=every)
        finally:
            browser.close()
            demo.terminate()
            demo.wait()


def take(
    browser: Browser,
    base: str,
    target: Path,
    size: tuple[int, int],
    scheme: str,
    suffix: str,
    *,
    every: bool,
) -> None:
    viewport = {"width": size[0], "height": size[1]}
    page = browser.new_page(base_url=base, viewport=viewport, color_scheme=scheme)
    page.goto("/sign-in")
    page.screenshot(path=target / f"sign-in{suffix}.png") if every else None
    page.get_by_role("button", name=PERSON).click()
    page.wait_for_load_state("load")
    paths = {"queue": "/email/queue", "search": "/search?q=faktura+beton"}
    paths |= {"archive-form": attach_path(page), "record": record_path(page)}
    if every:
        paths |= other_paths(page)
    for name, path in paths.items():
        page.goto(path)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=target / f"{name}{suffix}.png")
    page.close()


def attach_path(page: Page) -> str:
    """The archiving form of the first waiting message that a company is suggested for."""
    page.goto("/email/queue")
    links = page.locator("main a[href*='/email/messages/']").all()
    for href in [link.get_attribute("href") or "" for link in links]:
        path = f"{re.match(r'(/email/messages/[a-z2-7]+)', href)[1]}/attach"
        page.goto(path)
        if page.locator("#why").count():
            return path
    raise SystemExit("no message has a suggestion")


def record_path(page: Page) -> str:
    page.goto("/records/companies?like=spostex")
    href = page.locator("main a[href^='/records/companies/']", has_text="Spostex").first
    return f"{href.get_attribute('href')}/emails"


def other_paths(page: Page) -> dict[str, str]:
    """The rest of the pages, by name."""
    record = record_path(page).removesuffix("/emails")
    message = attach_path(page).removesuffix("/attach")
    page.goto("/email/accounts")
    edit = page.locator("a[href$='/edit']").first.get_attribute("href") or ""
    return {
        "queue-open": f"/email/queue?open={message.rsplit('/', 1)[1]}",
        "message": message,
        "archives": "/email/archives",
        "accounts": "/email/accounts",
        "account": edit.removesuffix("/edit"),
        "account-edit": edit,
        "account-new": "/email/accounts/new",
        "import": "/email/accounts/import",
        "records": "/records/companies",
        "record-overview": record,
        "record-edit": f"{record}/edit",
        "record-new": "/records/projects/new",
        "pick": f"{record}/emails/pick",
        "users": "/users",
        "user-new": "/users/new",
        "roles": "/roles",
        "record-types": "/record-types",
        "team": "/team",
        "upkeep": "/upkeep",
        "purge": f"{message}/purge",
        "profile": "/profile",
        "search-none": "/search?q=zzzzzz",
        "missing": "/email/messages/aaaaaaaaaaaaa",
    }


def wait_until_settled(data: Path) -> None:
    """Until the demo's mail is stored, filed and indexed."""
    counted = -1
    for _ in range(120):
        time.sleep(1)
        command = [sys.executable, "-m", "app.cli", "status", "--json"]
        environment = os.environ | {"LETTERBOOK_DATA": str(data)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            continue
        status = json.loads(done.stdout)
        if status["locations"] == counted > 0 and not status["queued_for_index"]:
            return
        counted = status["locations"]
    raise SystemExit("the demo did not settle")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main(Path(sys.argv[1]), every="--every" in sys.argv)
