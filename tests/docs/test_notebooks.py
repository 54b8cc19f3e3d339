"""The notebooks of the manual run from top to bottom and are kept without their outputs."""

import os

import nbformat
import pytest
from nbclient import NotebookClient

from tests.readme_parts import MANUAL, ROOT

NOTEBOOKS = sorted((MANUAL / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_kept_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore")  # of the kernel's client
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_and_shows_answers_with_their_maps(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    pages = [
        output.data["text/html"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "text/html" in output.get("data", {})
    ]
    assert len(pages) == 2 and all("data:image/jpeg" in page for page in pages)
    assert "Where each latent token looked" in pages[1]
    assert (tmp_path / "runs" / "quickstart" / "report.html").is_file()
    said = "".join(o.text for c in notebook.cells for o in c.get("outputs", []) if "text" in o)
    assert "absent.png: no such file" in said
