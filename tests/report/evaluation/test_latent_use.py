from dataclasses import replace

from rich.console import Console

from latentvqa.core.estimates import Estimate
from latentvqa.core.latent_use import LatentUseVerdict
from latentvqa.core.results.latent_use import (
    Arm,
    Information,
    LatentUse,
    MeanAttention,
    MutualInformation,
)
from latentvqa.report.evaluation.latent_use import arm_label, change_text, latent_use_panel


def measure(value, spread=0.02):
    return Estimate(value, value - spread, value + spread, 500)


def arm(score, change, nll, flips):
    return Arm(measure(score), measure(nll), measure(flips), measure(change))


FOUND = LatentUse(
    verdict=LatentUseVerdict(
        "used, image and question", "The latent is used: it costs 40.0 points."
    ),
    questions=5000,
    images=1000,
    arms={
        "posterior_mean": arm(0.95, 0.0, 0.21, 0.0),
        "posterior_sample": arm(0.94, -0.01, 0.22, 0.015),
        "latents_of_another_image": arm(0.55, -0.4, 3.5, 0.46),
        "noise_0.5": arm(0.94, -0.01, 0.22, 0.015),
        "image_blank": arm(0.5, -0.45, 3.1, 0.5),
        "without_token_0": arm(0.948, -0.002, 0.213, 0.004),
        "without_token_1": arm(0.9, -0.05, 0.3, 0.06),
    },
    movement={"image_blank": measure(0.61)},
    cosine=measure(0.12),
    active_units=120,
    units=128,
    token_ranking=(1, 0),
    information=Information(12.3, 1.6, 1.7, 0.5),
    mutual_information=MutualInformation(6.9, 7.6, 2000, 0.5, True, "Hoffman", "low"),
    attention=None,
    followed_share=0.97,
)


def rendered(found, width=80):
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(latent_use_panel(found, width))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def test_the_whole_panel_at_80_columns():
    assert rendered(FOUND) == PANEL


def test_maps_that_hardly_depend_on_the_question_are_told_of_where_there_are_maps():
    alike = replace(FOUND, map_divergence=0.0005)
    with_maps = replace(alike, attention=MeanAttention((1, 1), ((0.9, 0.1),)))
    assert "hardly differ" in rendered(with_maps)
    assert "hardly differ" not in rendered(alike)
    assert "hardly differ" not in rendered(replace(with_maps, map_divergence=0.02))


def test_at_60_columns_what_decides_is_not_folded():
    text = rendered(FOUND, width=60)
    for figure in ("-40.0 (-42.0 to -38.0)", "55.0 %", "120 of 128", "61 %"):
        assert figure in text
    assert "no room for: nats per answer; answers changed, %" in " ".join(text.split())


def test_a_model_without_latent_tokens_has_no_verdict():
    nothing = replace(
        FOUND,
        verdict=None,
        movement={},
        cosine=None,
        active_units=None,
        token_ranking=(),
        mutual_information=None,
    )
    text = rendered(nothing)
    assert "The latent is" not in text
    assert "learnt" in text


PANEL = """\
Latent use on 5,000 questions, 1,000 images

                          exact        change in points  nats per  answers
 answered from            match         (95 % interval)    answer  changed
 ──────────────────────────────────────────────────────────────────────────
 latents
  posterior mean         95.0 %                             0.210
  posterior sample       94.0 %     -1.0 (-3.0 to +1.0)     0.220    1.5 %
  other image's latents  55.0 %  -40.0 (-42.0 to -38.0)     3.500   46.0 %
 noise (std)
  0.5                    94.0 %     -1.0 (-3.0 to +1.0)     0.220    1.5 %
 without one token
  token 0                94.8 %     -0.2 (-2.2 to +1.8)     0.213    0.4 %
  token 1                90.0 %     -5.0 (-7.0 to -3.0)     0.300    6.0 %
 input
  blank image            50.0 %  -45.0 (-47.0 to -43.0)     3.100   50.0 %

latent dims in use          120 of 128
tokens, costliest first     1, 0
latents move (blank image)  61 % of the way to another example
cosine of two examples      0.12
latent can carry            at most 12.3 nats at temperature 0.5
learnt                      1.60 of the 1.70 nats that the answers need
I(x; z), low-biased         6.90 nats (at the ceiling, log n = 7.6 for 2,000
                            examples: at least this)
follow the other image      97 % of the answers that change
The latent is used: it costs 40.0 points."""


def test_a_part_that_is_exchanged_is_a_share_of_the_way():
    assert arm_label("exchanged_0.25") == ("exchanged in part", "25 %")
    assert arm_label("noise_0.5") == ("noise (std)", "0.5")


def test_a_difference_says_its_direction_and_its_interval():
    assert change_text(Estimate(-0.52, -0.55, -0.492, 9)) == "-52.0 (-55.0 to -49.2)"
    assert change_text(Estimate(0.1, None, None, 1)) == "+10.0"
