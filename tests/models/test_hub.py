import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from huggingface_hub import constants

from latentvqa.models.hub import from_hub


class MissingError(Exception):
    pass


def test_what_the_cache_holds_is_loaded_without_a_network():
    seen = []

    def load():
        seen.append(constants.HF_HUB_OFFLINE)
        return "model"

    assert from_hub(load) == "model"
    assert seen == [True]


def test_without_a_network_it_is_tried_once_and_at_once(monkeypatch):
    # a port that nothing listens on refuses at once
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    tries = []

    def load():
        tries.append(constants.HF_HUB_OFFLINE)
        raise MissingError

    started = time.monotonic()
    with pytest.raises(MissingError):
        from_hub(load)
    assert tries == [True]
    assert time.monotonic() - started < 30


def test_a_user_who_is_offline_stays_offline(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(MissingError):
        from_hub(_missing)
    assert constants.HF_HUB_OFFLINE is True


def test_what_the_cache_lacks_is_asked_of_a_hub_that_answers(monkeypatch, hub_address):
    monkeypatch.setattr(constants, "ENDPOINT", hub_address)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)

    def load():
        if constants.HF_HUB_OFFLINE:
            raise MissingError
        return "fetched"

    assert from_hub(load) == "fetched"
    assert constants.HF_HUB_OFFLINE is False


def _missing():
    raise MissingError


@pytest.fixture
def hub_address():
    """A server on this machine that answers every question."""

    class Answering(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
