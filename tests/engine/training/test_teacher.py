import math
import sys

import pytest
import torch

from latentvqa.config import Teacher as TeacherSection
from latentvqa.core.answers.matching import score_answer
from latentvqa.data.tokenizer import BOS, EOS
from latentvqa.engine.training.teacher import Teacher, load_scorer
from latentvqa.errors import ConfigError, ScorerError
from latentvqa.objectives import answer_nll
from tests.tiny import TinyBatch, loss_of, padded, tiny_batch, tiny_model, tiny_tokenizers

ANSWERS = tiny_tokenizers().answer
REFERENCES = [["yes"]] * 8


def undecided(bottleneck):
    """A model that has learnt that one question is answered by yes or two."""
    batch = tiny_batch()
    answers = ANSWERS.encode(["yes", "two"])
    same = TinyBatch(
        images=batch.images[:1],
        image_index=torch.zeros(8, dtype=torch.long),
        questions=batch.questions[:1].expand(8, -1),
        answers=padded([[*answers[row % 2], EOS] for row in range(8)]),
    )
    model = tiny_model(latent={"bottleneck": bottleneck})
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, fused=True)
    torch.manual_seed(0)
    for _ in range(60):
        loss_of(model, same, temperature=1.0).backward()
        optimizer.step()
        optimizer.zero_grad()
    return model, same


@pytest.fixture(scope="module")
def trained():
    return undecided("gaussian")


def preference_of(model, batch, references=REFERENCES, temperature=1.0, seed=0, **settings):
    torch.manual_seed(seed)
    encoded = model.encode(*batch.inputs)
    section = TeacherSection(**settings)
    teacher = Teacher(section.scorer, ANSWERS)
    return teacher.preference(model, encoded, references, temperature, section)


def gradients_of(loss, model):
    model.zero_grad(set_to_none=True)
    loss.backward()
    return {
        name: parameter.grad.norm().item()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }


def test_on_a_real_model_pairs_violate_the_margin_and_their_gradient_is_not_zero(trained):
    model, batch = trained
    found = preference_of(model, batch)
    assert found.compared == 8
    assert 0 < found.differing <= 8
    assert 0 < int(found.violating) <= found.differing
    assert found.loss.item() > 0.0
    norms = gradients_of(found.loss, model)
    assert sum(norm**2 for norm in norms.values()) ** 0.5 > 1e-4
    for part in (
        "decoder.vocabulary.weight",
        "decoder.layers.0.memory.key_value.weight",
        "bottleneck.mu.weight",
        "bottleneck.logvar.weight",
        "fusion.layers.0.film.weight",
        "question.tokens.weight",
        "vision.project.weight",
    ):
        assert norms[part] > 0.0, part


def test_a_step_along_the_gradient_makes_the_preferred_answer_likelier():
    model, batch = undecided("gaussian")
    answers = padded([[*ANSWERS.encode(["yes"])[0], EOS]] * 8)

    @torch.no_grad()
    def nll_of_yes():
        encoded = model.encode(*batch.inputs)
        memory = model.memory(encoded, encoded.posterior.mu).tokens
        return answer_nll(model.answer_logits(memory, answers, BOS), answers).mean().item()

    before = nll_of_yes()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for seed in range(5):
        preference_of(model, batch, seed=seed).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert nll_of_yes() < before


def test_the_loss_is_the_mean_over_all_questions_of_the_batch(trained):
    model, batch = trained
    # without a margin to win, each of the differing pairs costs about the margin
    found = preference_of(model, batch, margin=100.0)
    assert int(found.violating) == found.differing
    assert found.loss.item() == pytest.approx(100.0 * found.differing / 8, rel=0.05)


def test_pairs_beyond_the_margin_are_counted_as_differing_alone(trained):
    model, batch = trained
    violating = {100.0: 0, 0.0: 0}
    differing = []
    for seed in range(10):
        for margin in violating:
            found = preference_of(model, batch, seed=seed, margin=margin)
            violating[margin] += int(found.violating)
            differing.append(found.differing)
    assert differing[::2] == differing[1::2]  # the margin does not count there
    assert 0 < violating[0.0] < violating[100.0] == sum(differing[::2])


@pytest.mark.parametrize("references", [[["green"]] * 8, [["yes", "two"]] * 8])
def test_where_no_candidate_is_better_the_loss_is_zero_with_a_graph(trained, references):
    model, batch = trained
    found = preference_of(model, batch, references)
    assert (found.compared, found.differing, int(found.violating)) == (8, 0, 0)
    assert found.loss.item() == 0.0
    norms = gradients_of(found.loss, model)
    assert norms["fusion.layers.0.film.weight"] == 0.0


def test_without_noise_the_candidates_are_the_same_and_nothing_differs(trained):
    model, batch = trained
    assert preference_of(model, batch, temperature=0.0).differing == 0


def test_scores_that_are_too_close_teach_nothing(trained):
    model, batch = trained
    assert preference_of(model, batch, min_score_difference=1.0).differing == 0


def test_the_worst_reference_does_not_count(trained):
    model, batch = trained
    alone = preference_of(model, batch)
    among = preference_of(model, batch, [["green", "yes"]] * 8)
    assert among.differing == alone.differing
    assert among.loss.item() == alone.loss.item()


@pytest.mark.parametrize("bottleneck", ["deterministic", "none"])
def test_without_latent_noise_candidates_are_sampled_from_the_decoder(bottleneck):
    model, batch = undecided(bottleneck)
    found = preference_of(model, batch)
    assert found.differing > 0
    assert int(found.violating) > 0
    norms = gradients_of(found.loss, model)
    assert norms["decoder.vocabulary.weight"] > 0.0
    assert norms["vision.project.weight"] > 0.0


def test_the_model_stays_in_training_and_its_weights_stay(trained):
    model, batch = trained
    before = {name: value.clone() for name, value in model.named_parameters()}
    preference_of(model, batch)
    assert all(module.training for module in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.named_parameters())


# Scorers.


class PrefersTwo:
    def __call__(self, candidate, references):
        return 1.0 if candidate == "two" else 0.2


NOT_A_FACTORY = 3


def needs_an_argument(argument):
    return argument


def makes_no_scorer():
    return 3


def refuses():
    raise ValueError("no weights for this scorer")


def leaves():
    sys.exit(0)


def gives(what):
    def scorer(candidate, references):
        return what() if callable(what) else what

    return scorer


def leaves_later():
    return gives(leaves)


def fails_later():
    return gives(refuses)


def gives_nan():
    return gives(math.nan)


def gives_text():
    return gives("good")


def test_the_rule_is_the_grade_of_the_core():
    assert load_scorer("rule") is score_answer


def test_a_scorer_of_ones_own_decides_what_is_better():
    assert load_scorer(f"{__name__}:PrefersTwo")("two", []) == 1.0
    model, batch = undecided("gaussian")
    scorer = f"{__name__}:PrefersTwo"
    found = preference_of(model, batch, scorer=scorer)
    by_rule = preference_of(model, batch, [["two"]] * 8)
    assert found.differing == by_rule.differing > 0
    assert found.loss.item() == by_rule.loss.item()


@pytest.mark.parametrize(
    "name",
    [
        "no_such_package_of_ours:make",
        f"{__name__}:absent",
        f"{__name__}:NOT_A_FACTORY",
        f"{__name__}:needs_an_argument",
        f"{__name__}:makes_no_scorer",
        "latentvqa",
    ],
)
def test_a_scorer_that_cannot_be_made_is_a_config_error(name):
    with pytest.raises(ConfigError, match=f'teacher.scorer = "{name}"'):
        Teacher(name, ANSWERS)


@pytest.mark.parametrize("name", [":make", f"{__name__}:refuses", f"{__name__}:leaves"])
def test_a_scorer_that_fails_in_its_own_way_is_a_config_error(name):
    with pytest.raises(ConfigError, match=r"teacher\.scorer"):
        load_scorer(name)


@pytest.mark.parametrize("name", ["leaves_later", "fails_later", "gives_nan", "gives_text"])
def test_a_scorer_that_fails_while_it_is_asked_is_named_with_the_answer(name):
    model, batch = undecided("gaussian")
    with pytest.raises(
        ScorerError, match=rf'teacher\.scorer = ".*:{name}": on the answer \''
    ) as found:
        preference_of(model, batch, scorer=f"{__name__}:{name}")
    assert found.value.exit_code == 1
