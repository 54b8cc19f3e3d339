import shutil

from latentvqa.cli.demo_questions import MOST_EXAMPLES, example_questions
from latentvqa.engine.runs.tables import validation_table


def test_examples_are_different_pictures_of_the_validation_split(finished):
    found, remark = example_questions(finished.run)
    table = validation_table(finished.run)
    known = {
        (table.image_paths[image], question)
        for image, question in zip(table.image_index, table.questions, strict=True)
    }
    assert remark == "" and set(found) <= known
    pictures = {path for path, _ in found}
    assert len(pictures) == len(found) == min(MOST_EXAMPLES, len(set(table.image_index)))


def test_a_run_whose_data_are_gone_has_no_examples_and_says_why(finished, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(finished.run, run)
    shutil.rmtree(run / "data")
    found, remark = example_questions(run)
    assert found == [] and remark
