"""The page of ``latentvqa demo``: a Gradio application that reaches no network.

It is served from the own machine with fonts of the system. Gradio's analytics, its
search for newer versions and its public links are switched off before it is loaded.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentvqa.errors import ConfigError, LatentVQAError

if TYPE_CHECKING:
    from latentvqa.library.answering import Answerer

MOST_SAMPLES = 32
_SHOWN_ANSWERS = 5
_COMPARED = 4  # other questions that are asked of the same picture, to compare the maps
_STYLE = """
#heading h1{margin:0;font-size:1.4rem}#heading p{margin:0}
#answer{padding:0 .3rem}
#examples th,#examples td{text-align:left}
"""
_QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}


def require_gradio() -> None:
    """Refuse to go on without the package that serves the page.

    Raises:
        ConfigError: with the command that installs it.
    """
    if importlib.util.find_spec("gradio") is None:
        raise ConfigError(
            "the demo needs the package gradio, which is not installed: "
            'pip install "latentvqa[demo]"'
        )


def answered_html(
    model: Answerer,
    picture: str | None,
    question: str | None,
    samples: int,
    known_questions: Sequence[str] = (),
) -> str:
    """What the page shows for a picture and a question, faults as sentences.

    Args:
        model: what answers.
        picture: the file that was chosen; None where none was.
        question: as typed.
        samples: latent samples to answer from.
        known_questions: others, which tell whether the maps depend on the question.
    """
    from markupsafe import escape

    if picture is None:
        return "<p>Choose a picture first.</p>"
    if not (question or "").strip():
        return "<p>Type a question about the picture.</p>"
    asked = str(question)
    compared = [one for one in dict.fromkeys(known_questions) if one != asked][:_COMPARED]
    has_maps = model.has_latent
    try:
        found = model.predict(
            [Path(picture)],
            [asked, *(compared if has_maps else [])],
            samples=samples,
            top=_SHOWN_ANSWERS,
            attention=has_maps,
        )[0][0]
    except LatentVQAError as error:
        return f"<p>{escape(str(error))}</p>"
    return found._repr_html_()


def build_page(model: Answerer, examples: Sequence[tuple[Path, str]], folder: Path) -> Any:
    """The application, not yet served.

    Args:
        model: what answers.
        examples: pictures with a question each, to begin with.
        folder: where copies of them go: the page may show no file of elsewhere.
    """
    import shutil

    import gradio
    from markupsafe import escape

    known = [question for _, question in examples]

    def ask(picture: str | None, question: str, samples: float) -> str:
        return answered_html(model, picture, question, int(samples), known)

    name = model.checkpoint.parent.parent.name
    with gradio.Blocks(title=f"LatentVQA: {name}", analytics_enabled=False) as page:
        heading = f"<h1>Ask about a picture</h1><p>The run {escape(name)} answers.</p>"
        gradio.HTML(heading, elem_id="heading")
        with gradio.Row():
            with gradio.Column():
                # the file as it came: it is decoded as predict decodes it
                picture = gradio.Image(
                    type="filepath",
                    image_mode=None,
                    sources=["upload", "clipboard"],
                    label="Picture",
                    height=320,
                    buttons=["fullscreen"],
                )
                question = gradio.Textbox(label="Question", max_lines=3, elem_id="question")
                samples = gradio.Slider(
                    0,
                    MOST_SAMPLES,
                    value=0,
                    step=1,
                    label="Latent samples to answer from (0: from the mean)",
                    visible=model.has_latent,
                )
                button = gradio.Button("Ask", variant="primary")
            with gradio.Column():
                answer = gradio.HTML("<p>The answer comes here.</p>", elem_id="answer")
        inputs = [picture, question, samples]
        gradio.on([button.click, question.submit], ask, inputs, answer, api_name="ask")
        if examples:
            copies = []
            for place, (path, text) in enumerate(examples):
                copy = folder / f"example-{place}{path.suffix}"
                shutil.copyfile(path, copy)
                copies.append([str(copy), text])
            gradio.Examples(
                copies,
                [picture, question],
                label="Examples from the validation split: choose one, then Ask",
                cache_examples=False,
                elem_id="examples",
            )
    return page


@contextmanager
def served(build: Callable[[Path], Any], host: str, port: int | None) -> Iterator[str]:
    """Serve a page in a block; its address. What was uploaded goes at the end.

    Args:
        build: makes the application once the surroundings are set, given a folder for
            its files.
        host: address of the network device that is listened at.
        port: where; the first free one from 7860 without it.

    Raises:
        ConfigError: if it cannot be listened there.
    """
    os.environ.update(_QUIET)
    past = os.environ.get("NO_PROXY") or os.environ.get("no_proxy")
    # Gradio asks its own server whether it is up, and must not ask a proxy
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(
        [*([past] if past else []), "127.0.0.1", "localhost", host]
    )
    with tempfile.TemporaryDirectory(prefix="latentvqa-demo-") as uploads:
        os.environ["GRADIO_TEMP_DIR"] = uploads
        import gradio

        page = build(Path(uploads))
        try:
            _, address, _ = page.launch(
                server_name=host,
                server_port=port,
                share=False,
                inbrowser=False,
                prevent_thread_lock=True,
                quiet=True,
                ssr_mode=False,
                pwa=False,
                mcp_server=False,
                enable_monitoring=False,
                run_history=False,
                footer_links=[],
                css=_STYLE,
                theme=gradio.themes.Default(
                    font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
                ),
            )
        except OSError as error:
            where = host if port is None else f"{host} --port {port}"
            raise ConfigError(
                f"--host {where}: cannot be listened at: {error}. Name another, or leave it out."
            ) from error
        try:
            yield str(address)
        finally:
            page.close(verbose=False)
