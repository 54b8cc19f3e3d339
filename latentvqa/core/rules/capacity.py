"""Rules on information: whether the latent can, must and does carry the answers.

These decide the verdict. They read validation values, all taken over the same
rows, and never guess a missing one.
"""

from __future__ import annotations

from latentvqa.core.figures import figure, learnt
from latentvqa.core.rules.information import (
    NO_INFORMATION,
    NO_LATENT,
    gain_over_entropy,
    has_leak,
    information_of,
    is_image_unused,
    is_learning_overdue,
    is_memorised,
    is_score_ahead,
    leak_allowance,
    may_still_pass,
)
from latentvqa.core.rules.rule import (
    Judgement,
    NotJudged,
    Outcome,
    Rule,
    RunView,
    Tested,
    finite,
)

NO_BLIND = NotJudged("the log holds no gain over models that see no image")


def judge_leak(view: RunView) -> Outcome:
    """More learnt than the latent can have carried: something goes around it."""
    if not view.has_latent:
        return NO_LATENT
    seen, shown = information_of(view), gain_over_entropy(view)
    if seen.temperature == 0.0:
        return NotJudged("at temperature 0 there is no bound to exceed")
    if shown is None or seen.bound is None:
        return NO_INFORMATION
    error = finite(view.record.val.answer_nll_error) or 0.0
    allowance = leak_allowance(view)
    if not has_leak(view):
        return None
    return Judgement(
        "critical",
        f"The model knows {figure(shown)} nats of the answers, but the latent can have carried at "
        f"most {figure(seen.bound)}: the answer reaches the decoder by another way.",
        {"answer_gain": shown, "information_bound": seen.bound, "answer_nll_error": error},
        {"allowance": allowance},
    )


def judge_ignored(view: RunView) -> Outcome:
    """The latent could carry the answers, yet hardly anything is learnt."""
    if not view.has_latent:
        return NO_LATENT
    seen, limits = information_of(view), view.thresholds
    if seen.need is None or seen.gain is None or seen.bound is None:
        return NO_INFORMATION
    # without an active unit there is nothing to ignore: that is a collapse
    is_wide = seen.bound >= limits.collapse_bound * seen.need and seen.active_units != 0
    is_poor = seen.gain < limits.collapse_gain * seen.need and not is_score_ahead(view)
    if not is_wide or not is_poor or is_memorised(view):
        return None
    is_early = not view.is_due
    return Judgement(
        "info" if is_early else "warning",
        f"The latent can carry {figure(seen.bound)} nats and the answers need "
        f"{figure(seen.need)}, but {learnt(seen.gain)}: the decoder "
        f"{'does not use it yet' if is_early else 'ignores it'}.",
        {
            "answer_gain": seen.gain,
            "information_bound": seen.bound,
            "answers_need": seen.need,
        },
        {"collapse_gain": limits.collapse_gain, "tuning_epoch": limits.tuning_epoch},
        is_early=is_early and view.header.is_own,
    )


def judge_near_need(view: RunView) -> Outcome:
    """Little room between what the latent can carry and what the answers need."""
    if not view.has_latent:
        return NO_LATENT
    seen, limits = information_of(view), view.thresholds
    if seen.need is None or seen.bound is None:
        return NO_INFORMATION
    if not limits.collapse_bound * seen.need <= seen.bound < limits.near_need * seen.need:
        return None
    if seen.is_capped:
        return NotJudged("the validation rows are too few to show whether it can carry more")
    return Judgement(
        "warning" if is_learning_overdue(view) else "info",
        f"The latent can carry {figure(seen.bound)} nats, "
        f"{'less' if seen.bound < seen.need else 'little more'} than the "
        f"{figure(seen.need)} that the answers need.",
        {"information_bound": seen.bound, "answers_need": seen.need},
        {"near_need": limits.near_need},
    )


def judge_memorised(view: RunView) -> Outcome:
    """Training answers known by heart, validation answers hardly known."""
    seen, limits = information_of(view), view.thresholds
    trained = finite(view.record.train.answer_gain)
    if seen.need is None or seen.gain is None or trained is None:
        return NO_BLIND
    if not is_memorised(view):
        return None
    is_early = may_still_pass(view)
    return Judgement(
        "warning",
        f"The training answers are memorised{' so far' if is_early else ''}: {figure(trained)} "
        f"nats of them are learnt, but {_learnt_share(seen.gain)} of the {figure(seen.need)} that "
        "validation answers need.",
        {"train_answer_gain": trained, "answer_gain": seen.gain, "answers_need": seen.need},
        {"memorised_gap": limits.memorised_gap, "collapse_gain": limits.collapse_gain},
        is_early=is_early,
    )


def judge_image_not_used(view: RunView) -> Outcome:
    """Something is learnt, and none of it surely from the image."""
    seen, limits = information_of(view), view.thresholds
    if seen.need is None or seen.gain is None:
        return NO_INFORMATION
    if seen.image_gain is None and view.header.sees_images:
        return NO_BLIND
    if not is_image_unused(view):
        return None
    error = finite(view.record.val.image_gain_error) or 0.0
    is_early = view.header.is_own and view.header.sees_images and not view.is_due
    if view.header.sees_images:
        sentence = (
            f"The image is not seen to be used{' yet' if is_early else ''}: the answers are known "
            "no better than by the best model without images (image gain "
            f"{figure(seen.image_gain)} nats, standard error {figure(error)})."
        )
        sentence += "" if is_early else " The score says nothing about the images."
    else:
        sentence = (
            "No image reaches the model (vision.blind): its answers rest on the question alone, "
            "and the score says nothing about images."
        )
    return Judgement(
        "warning" if view.is_due else "info",
        sentence,
        {"image_gain": seen.image_gain, "image_gain_error": error, "answer_gain": seen.gain},
        {"image_share": limits.image_share, "image_errors": limits.image_errors},
        is_early=is_early,
    )


def left_to_the_test(view: RunView) -> Outcome:
    """No log shows it; the latent-use test does."""
    return None


def _learnt_share(gain: float) -> str:
    return "none" if gain <= 0.0 else f"only {figure(gain)}"


_GAIN = "what is known beyond an image-blind model fitted on the training rows"
_PROCESSING = "data processing inequality: what is learnt must have passed the bottleneck"
_EXCHANGE = "exchange of latents between images, in the manner of arXiv:2605.21642"
_RATE = "capacity against need, as in Alemi et al. 2018 (arXiv:1711.00464)"

CAPACITY_RULES: tuple[Rule, ...] = (
    Rule(
        code="IN003",
        name="leak",
        meaning="More is learnt about the answers than the latent can have carried.",
        why="What is learnt (the information the answers need, less the answer NLL) had to pass "
        "through z, if the bottleneck is strict. More than the bound means a path around it, or a "
        "log whose terms do not belong together. Not judged at temperature 0, where no bound "
        "exists.",
        source=_PROCESSING,
        rank=50,
        judge=judge_leak,
        thresholds=("leak_nats", "leak_errors"),
        subject="latent",
    ),
    Rule(
        code="IN013",
        name="memorised",
        meaning="Training answers are known by heart, and validation answers hardly better than by "
        "their frequencies.",
        why="Rows are too few for the model, or validation asks something else. More data, "
        "augmentation, pretrained weights, dropout and fewer parameters help; the KL weight, free "
        "bits and the latent's temperature do not.",
        source=_GAIN,
        rank=60,
        judge=judge_memorised,
        thresholds=("memorised_gap", "collapse_gain", "image_errors", "early_epoch"),
        subject="answers",
        next_step="Give it more images and questions, pretrained weights or augmentation, or a "
        "smaller, more regularised model.",
    ),
    Rule(
        code="IN014",
        name="image_not_used",
        meaning="The answers are known no better than by the best model that sees no image.",
        why="The question alone tells much of an answer, and passes the latent as well. The best "
        "image-blind model is fitted on the training rows: answer frequencies, per type, per "
        "question text, and one that reads the question's words.",
        source=_GAIN,
        rank=70,
        judge=judge_image_not_used,
        thresholds=("collapse_gain", "image_share", "image_errors", "tuning_epoch"),
        subject="answers",
        next_step="Ask whether another image changes the answers: latentvqa evaluate RUN "
        "--latent-use",
        tested=Tested(
            "warning",
            shown_by=("used, question only",),
            refuted_by=("used, image and question", "bypassed"),
            next_step="Look at whether the questions need their images (latentvqa data audit), and "
            "at what the vision part was given: pretrained weights, resolution, epochs.",
        ),
    ),
    Rule(
        code="IN016",
        name="latent_bypassed",
        meaning="The image, or part of it, reaches the answers without passing the latent.",
        why="Another image changes the answers, but exchanging the latent for that of the same "
        "question about another image does not, or costs clearly less. The decoder, or whatever "
        "was added to it, sees the image another way, and nothing that is measured of the latent "
        "tells what the model knows.",
        source=_EXCHANGE,
        rank=55,
        judge=left_to_the_test,
        subject="latent",
        next_step="Find what else the decoder sees: in a strict bottleneck it reads the latent "
        "tokens alone.",
        tested=Tested("critical", shown_by=("bypassed",)),
    ),
    Rule(
        code="IN017",
        name="presence_only",
        meaning="The decoder needs some latent, whatever it holds.",
        why="Zeros in its place hurt, but random latents of the same mean and variance, or those "
        "of another row, do not: the latent works as a constant. Testing with zeros alone would "
        "call it used.",
        source=_EXCHANGE,
        rank=75,
        judge=left_to_the_test,
        subject="latent",
        next_step="Find what the decoder answers from: the latent's content does not matter to it.",
        tested=Tested("warning", shown_by=("presence only",)),
    ),
    Rule(
        code="IN004",
        name="latent_ignored",
        meaning="The latent could carry the answers, but hardly anything is learnt.",
        why="The decoder does not read it, or what it holds has nothing to do with the answer. "
        "Look at the learning rates, and at latent noise before the answer is learnt.",
        source=_PROCESSING,
        rank=80,
        judge=judge_ignored,
        thresholds=("collapse_bound", "collapse_gain", "image_errors", "tuning_epoch"),
        subject="latent",
        tested=Tested(
            "warning",
            shown_by=("ignored",),
            refuted_by=("used, image and question", "used, question only"),
        ),
    ),
    Rule(
        code="IN005",
        name="capacity_near_need",
        meaning="The latent can carry little more than the answers need.",
        why="That is compression, and fine while the answers are learnt. If they are not, the "
        "price may be what keeps them out.",
        look_at="Look at what a nat of rate costs (beta), and at free_bits.",
        source=_RATE,
        rank=200,
        judge=judge_near_need,
        thresholds=("collapse_bound", "near_need", "tuning_epoch"),
    ),
)
