"""A real Chromium without a window, offline: pages as a person sees and uses them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

# of the system's packages; Playwright's own browsers come from a host of theirs
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NO_BROWSER = "no Chromium on this machine: install the package chromium of its system"
WIDE, NARROW = 1280, 390  # pixels, of a laptop and of a telephone
_OPTIONS = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def opened(
    address: str,
    *,
    width: int = WIDE,
    is_dark: bool = False,
    has_script: bool = True,
    is_offline: bool = True,
) -> Iterator[Page]:
    """A page in a browser of its own.

    Args:
        address: as ``file:///...`` or of the own machine.
        width: of the window, in pixels.
        is_dark: whether the system prefers dark colours.
        has_script: whether scripts run.
        is_offline: whether the page is cut off from every network.

    Raises:
        AssertionError: at the end, if the page wrote an error to its console.
    """
    assert CHROMIUM is not None, NO_BROWSER
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_OPTIONS))
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if is_dark else "light",
            java_script_enabled=has_script,
            offline=is_offline,
        )
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda text: errors.append(text.text) if text.type == "error" else None)
        try:
            page.goto(address)
            yield page
        finally:
            browser.close()
        assert not errors, errors
