"""What each rule means and why it exists, for ``diagnose-kl --explain``.

Prose only: the judging is done by the rules, the numbers stand in the
thresholds that are named here.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

from latentvqa.core.rules.rule import Rule
from latentvqa.core.rules.thresholds import KLHealthThresholds
from latentvqa.errors import ConfigError

WIDTH = 80  # columns of the prose


@dataclass(frozen=True)
class Explanation:
    """One rule in words.

    Attributes:
        meaning: what it says about a run.
        why: the reason behind it, and what to do.
        thresholds: fields of the ``[kl_health]`` section that it compares with.
    """

    meaning: str
    why: str
    thresholds: tuple[str, ...] = ()


def explained(code: str, rules: Sequence[Rule], limits: KLHealthThresholds) -> str:
    """The explanation of a rule as text, with its thresholds.

    Args:
        code: a code or a name, in any case.
        rules: the rules that exist.
        limits: thresholds in use.

    Raises:
        ConfigError: naming the nearest code, if there is no such rule.
    """
    wanted = code.strip().lower()
    known = {"LG001": "no_epochs", **{rule.code: rule.name for rule in rules}}
    sources = {rule.code: rule.source for rule in rules}
    for held, name in known.items():
        if wanted in (held.lower(), name):
            said = EXPLANATIONS[held]
            fields = type(limits).model_fields
            told = (fill(text, WIDTH) for text in (said.meaning, said.why))
            lines = [f"{held} {name}", *(part for text in told for part in ("", text))]
            if said.thresholds:
                lines += ["", "Thresholds ([kl_health], or --set kl_health.KEY=VALUE):"]
                lines += [
                    f"  {key} = {getattr(limits, key):g}: {fields[key].description}"
                    for key in said.thresholds
                ]
            return "\n".join([*lines, "", f"Source: {sources.get(held, 'the log itself')}"])
    names = [text for pair in known.items() for text in pair]
    nearest = difflib.get_close_matches(code.strip().upper(), names, n=1, cutoff=0.0) or ["KL001"]
    raise ConfigError(
        f"--explain {code}: there is no such rule; the nearest is {nearest[0]}, and the codes are "
        f"{', '.join(sorted(known))}"
    )


EXPLANATIONS: dict[str, Explanation] = {
    "LG001": Explanation(
        "The log holds a header but no epoch.",
        "Nothing can be judged before the first epoch has ended and been validated.",
    ),
    "LG002": Explanation(
        "Total loss, answer loss and KL term were all logged, and they do not add up.",
        "A common bug prints one KL weight and trains with another: a warm-up that is shown but "
        "never applied, a factor that is multiplied in one place only. The sentence names the "
        "weight that the losses imply. Orthogonality and teacher may each take up to their own "
        "value of the difference.",
        ("loss_tolerance", "weight_tolerance"),
    ),
    "LG003": Explanation(
        "Epochs are missing between the first and the last one.",
        "Lines get lost when jobs are killed or logs are merged. Rules over several epochs then "
        "compare epochs that were not neighbours.",
    ),
    "LG004": Explanation(
        "A KL is negative, or larger after free bits than before.",
        "Neither can be under the definitions here. A sign, exchanged columns, or the other form "
        "of free bits, max(KL, free_bits), are the usual causes; map the columns anew.",
    ),
    "IN001": Explanation(
        "A loss term is NaN or infinite.",
        "Nothing after it can be trusted. Continue from the last good checkpoint with a lower "
        "learning rate or in fp32.",
    ),
    "IN002": Explanation(
        "The posterior is the prior: z says nothing about the image and the question.",
        "It is judged on three things: the information bound is below half of H(A) and hardly "
        "anything is learnt; or no latent unit is active (Burda et al. 2016); or, where a log "
        "holds neither, the rate is near zero nats. A small kl_raw alone is no collapse. If the "
        "penalty is active, lessen the pressure (smaller factor, slower warm-up); raising the "
        "weight or lowering free_bits would press harder. If it is inactive, the latent path "
        "does not learn: look at noise, rate and answer loss.",
        ("collapse_bound", "collapse_gain", "collapse_rate", "early_epoch"),
    ),
    "IN003": Explanation(
        "More is learnt about the answers than the latent can have carried.",
        "H(A) minus the answer NLL had to pass through z, if the bottleneck is strict. A gain "
        "above the bound means a skip path around it (or a log whose terms do not belong "
        "together). Not judged at temperature 0, where no bound exists.",
        ("leak_nats", "leak_errors"),
    ),
    "IN004": Explanation(
        "The latent could carry the answers, but hardly anything is learnt.",
        "The decoder does not read it, or what it holds has nothing to do with the answer. "
        "Latent noise before the answer is learnt is a frequent cause: ramp the temperature from "
        "0.",
        ("collapse_bound", "collapse_gain", "tuning_epoch"),
    ),
    "IN005": Explanation(
        "The latent can carry little more than the answers need.",
        "That is compression, and fine while the answers are learnt. If they are not, the price "
        "may be what keeps them out.",
        ("collapse_bound", "near_need", "tuning_epoch"),
    ),
    "IN006": Explanation(
        "The latent can carry many times what the answers need.",
        "It hardly compresses. No fault by itself: lower free_bits or raise the weight only if "
        "compression is what you want.",
        ("far_above_need",),
    ),
    "IN007": Explanation(
        "kl_raw sits at free_bits.",
        "Under a strong weight free bits act as a constraint: the KL follows whatever they are, "
        "the reduction is near 100 % and says nothing, and so does the weight. Chasing a "
        "reduction of 20 to 40 % by lowering free_bits then walks into collapse. A warning only "
        "where the answers are not learnt.",
        (
            "pinned_low",
            "pinned_high",
            "pinned_tail",
            "pinned_epochs",
            "learnt_gain",
            "tuning_epoch",
        ),
    ),
    "IN008": Explanation(
        "The KL weight has not reached its maximum.",
        "KL values still move with it. Judge them after the warm-up.",
    ),
    "IN009": Explanation(
        "Some latent tokens, or nearly all units, carry nothing while others do.",
        "Harmless where the answers are learnt: the model needs no more. Otherwise fewer tokens "
        "do the work of all, and the penalty or the token dropout is worth a look.",
        ("collapse_kl", "partial_tokens", "partial_units", "tuning_epoch"),
    ),
    "IN010": Explanation(
        "The KL term has no effect: its price is 0, or the posterior does not use up its "
        "allowance.",
        "Without a gradient neither weight nor factor matters, and the KL is what the start and "
        "the answers make it. Lowering the factor changes nothing; free_bits is the only handle.",
        ("zero_kl_share", "pinned_low", "pinned_tail", "pinned_epochs"),
    ),
    "IN011": Explanation(
        "A large KL doubles within a few epochs, or has grown thirtyfold over its lowest.",
        "Usually too high a learning rate of the bottleneck under a weight that is 0 or still "
        "rising; the loss follows once the weight acts. Where the log does not tell its "
        "convention no size is large, and only a growth beyond any warm-up counts.",
        ("exploding_kl", "exploding_growth", "exploded_growth", "consistent_epochs"),
    ),
    "IN012": Explanation(
        "free_bits lies above the healthy band, so that the notes' two targets exclude each other.",
        "With a hinge per token, every token inside the band is free and the reduction 100 %. A "
        "mean of hinges is never below the hinge of the mean. Trust the information measures.",
        ("healthy_kl_high", "healthy_reduction_high"),
    ),
    "TR001": Explanation(
        "Training answer loss has hardly fallen since the first epoch.",
        "The notes call it a bug or too low a rate. Overfit ten examples first: what cannot do "
        "that is broken.",
        ("learning_min_decrease", "early_epoch", "overfitting_min_loss"),
    ),
    "TR002": Explanation(
        "Validation answer loss has had no new best for many epochs.",
        "Nothing is tuned before epoch 10. In the full stage the teacher is eased first, then "
        "the KL where it is a large share of the loss, then the decoder's rate.",
        ("plateau_epochs", "tuning_epoch", "overfitting_min_loss", "target_loss"),
    ),
    "TR003": Explanation(
        "Validation answer loss is a multiple of training's, and has risen over its best.",
        "The notes advise less KL weight; that is the one thing that does not help, since the "
        "KL regularises. Ease the teacher, slow the decoder, add data. Not judged where the loss "
        "is tiny or has not risen, since a ratio of two small numbers says nothing.",
        (
            "overfitting_moderate",
            "overfitting_high",
            "overfitting_act",
            "overfitting_min_loss",
            "overfitting_min_rise",
        ),
    ),
    "TR004": Explanation(
        "Training answer loss fell very fast, validation stopped early, and the gap is wide.",
        "The notes' last level of tuning: a slower decoder, only after the KL factor and free "
        "bits.",
        ("fast_train_loss", "early_epoch", "overfitting_high", "plateau_epochs", "tuning_epoch"),
    ),
    "TR005": Explanation(
        "KL, teacher and a fast decoder pull at once, and validation is stuck.",
        "The notes' three-force problem. The order is teacher, KL, decoder rate, one change at a "
        "time, since the teacher is the most volatile of the three.",
        ("fast_train_loss", "plateau_epochs", "tuning_epoch", "overfitting_min_loss"),
    ),
    "TR006": Explanation(
        "The target loss is not reached when it should be, and validation is stuck.",
        "The notes lower the KL factor first. That is advised only where the KL is a large share "
        "of the loss; if all else is healthy, the data are next.",
        ("target_epoch", "target_loss", "pressing_kl_share", "plateau_epochs"),
    ),
    "TE001": Explanation(
        "The teacher's weight is 0 in the full stage.",
        "Fine if it is meant. The notes count a teacher loss of 0 as a bug; this is the harmless "
        "one of its four causes.",
    ),
    "TE002": Explanation(
        "The teacher is on, but no pair was compared.",
        "It is not wired into the full stage, or its loss was never computed.",
    ),
    "TE003": Explanation(
        "Pairs were compared, and none differed in score.",
        "The samples agree, or the scorer cannot tell them apart. Nothing to prefer, no fault.",
    ),
    "TE004": Explanation(
        "Pairs differ, and the model already prefers the better answer by the margin.",
        "The teacher has done its work.",
    ),
    "TE005": Explanation(
        "Pairs violate the margin, and the teacher's loss is still 0.",
        "The loss carries no gradient: usually it was computed from detached scores instead of "
        "the model's own log-probabilities.",
    ),
    "KL001": Explanation(
        "kl_raw is below the notes' sign of collapse.",
        "Reported as the notes state it, never more than a remark: a latent can carry every "
        "answer at a very small mean KL, since answers need one or two nats and the mean runs "
        "over hundreds of dimensions.",
        ("collapse_kl", "early_epoch"),
    ),
    "KL002": Explanation(
        "The notes' target table: kl_raw and penalty reduction in their healthy bands.",
        "Reported as the notes state it. At free_bits above the band both cannot hold (IN012).",
        ("healthy_kl_low", "healthy_kl_high", "healthy_reduction_low", "healthy_reduction_high"),
    ),
    "KL003": Explanation(
        "kl_raw is high: the penalty does not hold the posterior.",
        "The notes call this over-regularisation and advise less weight, which raises the KL "
        "further. A smaller factor is advised only where the KL is a large share of the loss and "
        "the validation answer loss is stuck.",
        ("high_kl", "high_kl_late", "high_kl_stuck", "consistent_epochs", "pressing_kl_share"),
    ),
    "KL004": Explanation(
        "Free bits leave little or nothing of the KL to the penalty.",
        "The notes call free_bits too high then. Where the KL is pinned (IN007) the reduction is "
        "near 100 % at any value, so lowering them is advised only without information measures.",
        ("generous_reduction", "zero_kl_share", "tuning_epoch"),
    ),
    "KL005": Explanation(
        "No penalty for many epochs, and a KL that stays far below free_bits.",
        "The notes' second level of tuning: lower free_bits, not before the KL has had time to "
        "grow.",
        (
            "persistent_reduction",
            "persistent_epochs",
            "persistent_kl_low",
            "persistent_kl_high",
            "zero_kl_share",
        ),
    ),
    "KL006": Explanation(
        "kl_raw is still low when the warm-up stage is nearly over.",
        "From the notes' decision tree after epoch 10. Where the answers are learnt it means "
        "nothing.",
        ("low_kl_late", "tuning_epoch"),
    ),
    "KL007": Explanation(
        "Epochs 3 to 5 look otherwise than the notes expect.",
        "A remark for the live view; the KL is still growing, and the reduction varies.",
        (
            "early_start",
            "early_epoch",
            "early_kl_low",
            "early_kl_high",
            "early_reduction_low",
            "early_reduction_high",
        ),
    ),
    "KL008": Explanation(
        "Epochs 10 to 14 look otherwise than the notes expect.",
        "A remark before the full stage begins.",
        (
            "tuning_epoch",
            "late_end",
            "late_kl_low",
            "late_kl_high",
            "late_reduction_low",
            "late_reduction_high",
            "overfitting_moderate",
            "overfitting_min_loss",
        ),
    ),
    "KL009": Explanation(
        "The full stage looks otherwise than the notes expect.",
        "A remark: a stable KL and a validation loss on its way to the target are expected.",
        ("full_kl_low", "full_kl_high", "overfitting_high", "overfitting_min_loss"),
    ),
    "KL010": Explanation(
        "The weighted KL is a larger share of the loss than the notes aim at.",
        "Early on, and where the answer loss has become tiny, that is natural. A warning only "
        "where validation is stuck and the answers are not learnt.",
        ("pressing_kl_share",),
    ),
}
