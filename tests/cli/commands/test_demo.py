"""``latentvqa demo`` in a real browser: a picture, a question, the answer."""

import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from tests.browser import CHROMIUM, NO_BROWSER, opened
from tests.small_runs import ROOT, start_cli

pytestmark = pytest.mark.heavy
SECONDS = 120


@contextmanager
def demo(*arguments, number=signal.SIGINT, code=130):
    """The page, served until a signal ends it as it should; its address."""
    with start_cli("demo", *arguments) as process:
        try:
            lines = []
            while not (lines and lines[-1].startswith("open ")):
                lines.append(process.stderr.readline())
                assert lines[-1], (lines, process.wait(SECONDS))
            yield re.search(r"http://\S+/", lines[-1])[0]
            process.send_signal(number)
            out, err = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
        assert (process.returncode, out) == (code, "")
        assert "Traceback" not in err


@pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER)
def test_a_picture_is_uploaded_and_asked_about_and_nothing_leaves_the_machine(finished, tmp_path):
    image = next((finished.run / "data" / "images").iterdir())
    hosts = set()
    with (
        demo(finished.run) as address,
        opened("about:blank", is_offline=False) as page,
    ):
        page.on("request", lambda request: hosts.add(request.url.split("/")[2].split(":")[0]))
        page.goto(address)
        page.get_by_role("button", name="Ask").click()
        page.wait_for_selector("#answer >> text=Choose a picture first")
        page.locator("input[type=file]").first.set_input_files(str(image))
        page.wait_for_selector("img[src*='/file=']")
        asked = "what shape is <b>the red object</b>?"
        page.locator("#question textarea").fill(asked)
        page.get_by_role("button", name="Ask").click()
        page.wait_for_selector("#answer strong")
        text = page.inner_text("#answer")
        assert asked in text and re.search(r"\d %", text)
        assert page.locator("#answer img[alt='token 0']").count() == 1
        page.screenshot(path=str(tmp_path / "demo.png"), full_page=True)
        # an example of the validation split brings picture and question
        page.locator("table tbody tr").first.click()
        page.wait_for_function(
            "asked => document.querySelector('#question textarea').value != asked", arg=asked
        )
    assert hosts - {""} == {"127.0.0.1"}


def test_a_stop_signal_ends_it_and_a_port_that_is_taken_is_told(finished):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with start_cli("demo", finished.run, "--port", port) as process:
            _, err = process.communicate(timeout=SECONDS)
        assert process.returncode == 2
        assert f"--port {port}: cannot be listened at" in err and "Traceback" not in err
    with (
        demo(finished.run, "--port", port, number=signal.SIGTERM, code=143) as address,
        socket.socket() as other,
    ):
        assert f":{port}/" in address
        # another address of this machine, which one who listens everywhere would hear
        with pytest.raises(ConnectionRefusedError):
            other.connect(("127.0.0.2", port))


WITHOUT = """
import sys
sys.modules["gradio"] = None
import importlib.util as util
known = util.find_spec
util.find_spec = lambda name, *rest: None if name == "gradio" else known(name, *rest)
from latentvqa.__main__ import run
run()
"""


def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "demo", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert 'pip install "latentvqa[demo]"' in done.stderr
    assert "Traceback" not in done.stderr
