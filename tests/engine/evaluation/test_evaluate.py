import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from latentvqa.data.batches import EncodedTable
from latentvqa.data.images import ImageStore, ImageTransform
from latentvqa.data.tables import read_questions
from latentvqa.engine.evaluation.evaluate import evaluate
from latentvqa.engine.evaluation.files import evaluation_json, write_evaluation
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.scoring import score_table
from latentvqa.errors import CheckpointError, DataError
from tests.small_runs import Recorder, questions, train_small, write_images, write_rows


@pytest.fixture(scope="module")
def loaded(finished):
    return load_model(finished.run / "last")


@pytest.fixture(scope="module")
def found(finished, loaded):
    table = validation_table(finished.run / "last")
    return evaluate(loaded, table, Observer(), run=finished.run / "last")


def scored(loaded, finished, **changes):
    table, spec = validation_table(finished.run), loaded.spec
    preparation = loaded.model.vision.preparation
    store = ImageStore(
        table.image_paths, ImageTransform(preparation.size, preparation.interpolation), 64
    )
    encoded = EncodedTable(
        table, loaded.tokenizers, spec.max_question_tokens, spec.max_answer_tokens
    )
    settings = replace(loaded.scoring_settings(batch_size=640), **changes)
    return score_table(loaded.model, encoded, store, loaded.tokenizers.answer, settings)


def own_table(folder, rows, header="image,question,answer"):
    images = write_images(folder / "images", 6)
    return read_questions(write_rows(folder / "t.csv", rows, header), images=images)


def test_the_numbers_are_those_of_the_training_log(finished, found):
    logged = finished.outcome.records[-1].val
    assert found.result.metrics["exact_match"].value == logged.exact_match
    assert found.losses == logged
    assert found.result.metrics["answer_nll"].value == pytest.approx(logged.answer_nll)


def test_every_best_checkpoint_scores_as_it_did_in_training(finished):
    best = finished.outcome.records[-1].best_epoch
    table = validation_table(finished.run)
    again = evaluate(load_model(finished.run), table, Observer(), run=finished.run)
    assert again.losses == finished.outcome.records[best].val


def test_the_validation_loss_is_the_same_when_computed_twice(loaded, finished):
    one, other = scored(loaded, finished), scored(loaded, finished)
    assert one.metrics == other.metrics and one.answers == other.answers


@pytest.mark.parametrize("batch_size", [1, 7, 32])
def test_the_validation_loss_does_not_depend_on_the_batch_size(loaded, finished, batch_size):
    whole, parts = scored(loaded, finished), scored(loaded, finished, batch_size=batch_size)
    assert parts.answers == whole.answers
    assert parts.metrics.answer_loss == pytest.approx(whole.metrics.answer_loss, rel=1e-5)
    assert parts.metrics.total_loss == pytest.approx(whole.metrics.total_loss, rel=1e-5)
    assert parts.answer_nll == pytest.approx(whole.answer_nll, rel=1e-3)
    assert parts.confidences == pytest.approx(whole.confidences, rel=1e-3)


def test_the_noise_of_the_validation_loss_is_that_of_its_seed_and_temperature(loaded, finished):
    known = scored(loaded, finished).metrics
    assert scored(loaded, finished, seed=5).metrics.answer_loss != known.answer_loss
    calm = scored(loaded, finished, temperature=0.0).metrics
    assert calm.answer_loss != known.answer_loss
    assert calm.exact_match == known.exact_match  # answers come from z = mu
    assert calm.information_bound is None


def test_the_priors_and_the_types_stand_beside_the_score(found):
    assert len(found.result.priors) >= 2 and all(
        0 < share <= 1 for share in found.result.priors.values()
    )
    assert found.result.best_prior[1] == max(found.result.priors.values())
    assert set(found.result.types) == {"shape", "left", "top", "count"}
    rows = sum(scores.exact_match.n for scores in found.result.types.values())
    right = sum(
        scores.exact_match.value * scores.exact_match.n for scores in found.result.types.values()
    )
    assert rows == len(found.table)
    assert right / rows == pytest.approx(found.result.metrics["exact_match"].value)


def test_shuffled_latents_are_scored_too(found):
    assert found.result.metrics["exact_match_latents_shuffled"].n == len(found.table)


def test_one_reference_has_no_official_accuracy(found):
    assert "vqa_official" not in found.result.metrics
    assert {"exact_match", "token_f1", "answer_nll"} <= set(found.result.metrics)


def test_several_references_have_one(tmp_path, loaded):
    rows = [(f"{i}.png", "how many?", '"[""two"", ""two"", ""three"", ""two""]"') for i in range(4)]
    table = own_table(tmp_path, rows, "image,question,answers")
    found = evaluate(loaded, table, Observer(), run=tmp_path)
    assert found.result.metrics["vqa_official"].n == 4
    fewer = own_table(
        tmp_path, [*rows, ("5.png", "q", '"[""two"", ""two"", ""two""]"')], "image,question,answers"
    )
    assert "vqa_official" not in evaluate(loaded, fewer, Observer(), run=tmp_path).result.metrics


def test_any_of_several_references_counts_as_right(tmp_path, loaded, found):
    row = next(row for row, answer in enumerate(found.answers) if answer)
    image = found.table.image_paths[found.table.image_index[row]]
    (tmp_path / "images").mkdir()
    shutil.copy(image, tmp_path / "images" / "0.png")
    cell = json.dumps(["zebra", "zebra", found.answers[row]]).replace('"', '""')
    table = own_table(
        tmp_path, [("0.png", found.table.questions[row], f'"{cell}"')], "image,question,answers"
    )
    shutil.copy(image, tmp_path / "images" / "0.png")
    again = evaluate(loaded, table, Observer(), run=tmp_path)
    assert again.answers == [found.answers[row]]
    assert again.result.metrics["exact_match"].value == 1.0


def test_a_table_without_types_and_with_unknown_answers_is_scored(tmp_path, loaded):
    table = own_table(tmp_path, [(a, b, "zebra crossing") for a, b, _ in questions(6)])
    found = evaluate(loaded, table, Observer(), run=tmp_path)
    assert found.result.types == {}
    assert found.result.metrics["exact_match"].value == 0.0
    assert found.losses.answer_loss > 0


def test_samples_answer_from_the_latent(loaded, found):
    again = evaluate(loaded, found.table, Observer(), run=loaded.folder, samples=4)
    assert again.losses == replace(found.losses, exact_match=again.losses.exact_match)
    assert (again.confidences != found.confidences).any()
    assert ((again.confidences > 0) & (again.confidences <= 1)).all()


def test_bad_images_are_refused_or_dropped(tmp_path, loaded):
    table = own_table(tmp_path, questions(6))
    (tmp_path / "images" / "3.png").write_bytes(b"junk")
    with pytest.raises(DataError, match=r"1 of 6 images cannot be used[\s\S]*--skip-bad-images"):
        evaluate(loaded, table, Observer(), run=tmp_path)
    recorder = Recorder()
    found = evaluate(loaded, table, recorder, run=loaded.folder, skip_bad_images=True)
    assert len(found.table) == len(found.answers) == 20
    assert recorder.notices == [
        "warning: skipped 1 bad image with 4 questions",
        "warning: 20 of 20 questions with words that training never had",
    ]


def test_what_is_written_is_one_object_and_a_table(tmp_path, found):
    write_evaluation(found, tmp_path / "deep" / "down")
    written = json.loads((tmp_path / "deep" / "down" / "evaluation.json").read_text())
    assert written == json.loads(json.dumps(evaluation_json(found.result)))
    assert written["schema"] == 1
    for measure in written["metrics"].values():
        assert set(measure) == {"value", "low", "high", "n"}
        assert measure["low"] <= measure["value"] <= measure["high"]
    with (tmp_path / "deep" / "down" / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["question"] for row in rows] == found.table.questions
    assert [row["answer"] for row in rows] == found.answers
    right = sum(int(row["correct"]) for row in rows) / len(rows)
    assert right == found.result.metrics["exact_match"].value


def test_a_run_whose_data_has_gone_says_so(finished, tmp_path):
    run = Path(shutil.copytree(finished.run, tmp_path / "run"))
    (run / "data" / "questions.csv").rename(tmp_path / "moved.csv")
    with pytest.raises(CheckpointError, match=r"questions\.csv: the table of .* is not there any"):
        validation_table(run)
    (run / "config.toml").unlink()
    with pytest.raises(CheckpointError, match=r"no config\.toml"):
        validation_table(run)


@pytest.mark.parametrize("bottleneck", ["gaussian", "deterministic", "none"])
def test_other_runs_score_as_in_training_too(tmp_path, bottleneck):
    trained = train_small(
        tmp_path,
        "data.scene_images=20",
        "stages.warmup=1",
        "stages.full=0",
        f"latent.bottleneck={bottleneck}",
        "run.precision=bf16",
    )
    found = evaluate(load_model(tmp_path), validation_table(tmp_path), Observer(), run=tmp_path)
    assert found.losses == trained.outcome.records[-1].val
    assert ("exact_match_latents_shuffled" in found.result.metrics) is (bottleneck != "none")


def test_a_score_is_compared_with_what_was_fitted_on_training_rows_alone(tmp_path, loaded):
    # each question text has one answer here, which no training row told
    table = own_table(tmp_path, [(f"{i}.png", f"code {i}?", f"word{i}") for i in range(6)])
    found = evaluate(loaded, table, Observer(), run=loaded.folder)
    assert found.result.best_prior[1] == 0.0
    lonely, recorder = tmp_path / "lonely", Recorder()
    shutil.copytree(loaded.folder, lonely)
    bare = evaluate(load_model(lonely), table, recorder, run=lonely)
    assert bare.result.best_prior is None
    assert any("not compared with image-blind models" in text for text in recorder.notices)


def test_answers_that_training_never_had_count_as_wrong_and_cost_nothing(tmp_path, loaded, found):
    rows = [(f"{i}.png", "is it red?", ("yes", "zweiundvierzig")[i // 3]) for i in range(6)]
    table = own_table(tmp_path, rows)
    scored = evaluate(loaded, table, Observer(), run=loaded.folder)
    assert scored.losses.judged_rows == 3
    known = evaluate(loaded, table.select([0, 1, 2]), Observer(), run=loaded.folder)
    assert scored.losses.answer_nll == pytest.approx(known.losses.answer_nll, rel=1e-6)
    assert scored.losses.answer_nll < 5.0
    assert not scored.is_right[3:].any()
