"""What the interventions on latent, image and question found, as rich renderables."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from latentvqa.core.estimates import Estimate
from latentvqa.core.figures import counted, points
from latentvqa.core.results.latent_use import BASE, LatentUse
from latentvqa.report.diagnosis.columns import label_of, left_out_note
from latentvqa.report.evaluation.map_notice import sameness_notice
from latentvqa.report.figure_table import fact_table
from latentvqa.report.style import CRITICAL, OK, WARNING
from latentvqa.report.whole_words import Prose

VERDICT_STYLES = {
    "used, image and question": f"bold {OK}",
    "used, question only": f"bold {WARNING}",
    "undetermined": f"bold {WARNING}",
    "presence only": f"bold {CRITICAL}",
    "bypassed": f"bold {CRITICAL}",
    "ignored": f"bold {CRITICAL}",
    "collapsed": f"bold {CRITICAL}",
    "not learnt": f"bold {CRITICAL}",
    "used": f"bold {OK}",  # this and the next in files of earlier versions alone
    "partly used": f"bold {WARNING}",
}
_LABELS = {
    "posterior_mean": "posterior mean",
    "posterior_sample": "posterior sample",
    "latents_of_another_image": "other image's latents",
    "latents_shuffled": "same-question shuffle",
    "latents_of_any_example": "any other row",
    "matched_random": "random, matched",
    "random_of_same_length": "random, same length",
    "first_token_repeated": "first token repeated",
    "zero": "zero",
    "dataset_mean": "mean of all examples",
    "prior_sample": "sample of the prior",
    "image_shuffled": "another image",
    "image_blank": "blank image",
    "question_shuffled": "another question",
    "question_blank": "no question",
}
_WIDE = 76  # columns that the whole table takes
_LATENT = "latents"
_NOISE = "noise (std)"
_DOSE = "exchanged in part"
_TOKENS = "without one token"
_INPUT = "input"


def latent_use_panel(found: LatentUse, width: int, *, says_verdict: bool = True) -> RenderableType:
    """Lay out an examination.

    Args:
        found: the evidence and the verdict; shares become percent here.
        width: columns of the console; a narrow one gets fewer figures.
        says_verdict: false where the verdict stands elsewhere on the screen.
    """
    parts: list[RenderableType] = [
        _arms(found, is_narrow=width < _WIDE),
        fact_table(fact_rows(found)),
    ]
    if found.attention is not None and (notice := sameness_notice(found.map_divergence)):
        parts.append(Text(notice, style="yellow"))
    if found.verdict is not None and says_verdict:
        parts.append(verdict_line(found))
    return Group(*parts)


def verdict_line(found: LatentUse) -> Text:
    """The verdict's sentence, coloured; empty without latent tokens."""
    verdict = found.verdict
    if verdict is None:
        return Text("")
    return Prose(verdict.sentence, style=VERDICT_STYLES[verdict.word])


def arm_label(name: str) -> tuple[str, str]:
    """Section and label of an arm."""
    if name.startswith("exchanged_"):
        return _DOSE, f"{100.0 * float(name.removeprefix('exchanged_')):g} %"
    if name.startswith("noise_"):
        return _NOISE, name.removeprefix("noise_")
    if name.startswith("without_token_"):
        return _TOKENS, f"token {name.removeprefix('without_token_')}"
    section = _INPUT if name.startswith(("image_", "question_")) else _LATENT
    return section, _LABELS[name]


def _arms(found: LatentUse, *, is_narrow: bool) -> Table:
    title = (
        f"Latent use on {counted(found.questions, 'question')}, {counted(found.images, 'image')}"
    )
    note = left_out_note(["nats per answer", "answers changed, %"]) if is_narrow else ""
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        caption=Text(note) if note else None,
        caption_justify="left",
    )
    table.add_column("answered from", overflow="fold")
    headings = ("exact\nmatch", "change in points\n(95 % interval)")
    for heading in headings if is_narrow else (*headings, "nats per\nanswer", "answers\nchanged"):
        table.add_column(heading, justify="right", no_wrap=True)
    section = ""
    for name, arm in sorted(found.arms.items(), key=lambda item: _order(item[0])):
        of, label = arm_label(name)
        if of != section:
            table.add_row(Text(of, style="bold"))
            section = of
        is_base = name == BASE
        cells = [f" {label}", f"{arm.exact_match.value * 100:.1f} %"]
        cells.append("" if is_base else change_text(arm.difference))
        if not is_narrow:
            cells.append(f"{arm.answer_nll.value:.3f}")
            cells.append("" if is_base else f"{arm.flip_rate.value * 100:.1f} %")
        table.add_row(*cells)
    return table


def _order(name: str) -> int:
    return (_LATENT, _DOSE, _NOISE, _TOKENS, _INPUT).index(arm_label(name)[0])


def fact_rows(found: LatentUse) -> list[tuple[str, str]]:
    """Name and value of what was found besides the arms."""
    rows = []
    if found.active_units is not None:
        rows.append((label_of("active_units"), f"{found.active_units} of {found.units}"))
    if found.token_ranking:
        order = ", ".join(map(str, found.token_ranking))
        rows.append(("tokens, costliest first", order))
    for name, measure in found.movement.items():
        label = f"latents move ({arm_label(name)[1]})"
        rows.append((label, f"{_percent(measure)} of the way to another example"))
    if found.cosine is not None:
        rows.append(("cosine of two examples", f"{found.cosine.value:.2f}"))
    information = found.information
    need, gain = information.answer_entropy, information.answer_gain
    if information.bound is not None:
        bound = f"at most {information.bound:.1f} nats at temperature"
        rows.append(("latent can carry", f"{bound} {information.temperature:g}"))
    rows.append(("learnt", _learnt(gain, need)))
    if (mutual := found.mutual_information) is not None:
        ceiling = f"log n = {mutual.log_n:.1f} for {counted(mutual.n, 'example')}"
        at = f"at the ceiling, {ceiling}: at least this" if mutual.is_at_ceiling else ceiling
        rows.append(("I(x; z), low-biased", f"{mutual.value:.2f} nats ({at})"))
    if found.followed_share is not None:
        share = f"{found.followed_share * 100:.0f} % of the answers that change"
        rows.append(("follow the other image", share))
    if found.margin is not None and found.verdict is not None:
        rows.append(("counts as harmless", f"within {points(found.margin)} points of exact match"))
    return rows


def _learnt(gain: float, need: float) -> str:
    if need <= 0.0:
        return "nothing to learn: all answers are the same"
    whole = f"of the {need:.2f} nats that the answers need"
    if gain < 0.0:
        return f"nothing {whole}; guessing by frequency alone is {-gain:.2f} nats nearer"
    return f"{gain:.2f} {whole}"


def change_text(measure: Estimate) -> str:
    """A difference of two shares in points, with its interval."""
    value = points(measure.value, "+")
    if measure.low is None or measure.high is None:
        return value
    return f"{value} ({points(measure.low, '+')} to {points(measure.high, '+')})"


def _percent(measure: Estimate) -> str:
    return f"{measure.value * 100:.0f} %"
