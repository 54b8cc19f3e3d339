"""The sections of a run's configuration: every hyper-parameter, its unit and bounds.

Sections are values: they read no file and build nothing. ``"auto"`` stands where
the data, the device or another key decides; the run folder records what it
became. Long, because all keys are read as one list.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from latentvqa.core.exchanges import ExchangeLimits
from latentvqa.core.records import KLSchedule
from latentvqa.core.rules.thresholds import KLHealthThresholds

Auto = Literal["auto"]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Epochs = Annotated[int, Field(ge=0, le=100_000)]
Probability = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)]


def _without_nul(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("a path holds no NUL character")
    return path


_HUB_MODEL = re.compile(r"\w[\w.-]*/\w[\w.-]*(@[\w./-]+)?", re.ASCII)


def _buildable(name: str) -> str:
    """Refuse a name of which no library could make a backbone, whatever is installed."""
    source, colon, model = name.partition(":")
    if not colon:
        if "/" in name:
            raise ValueError(f"a model of a hub is written hf-hub:{name}")
    elif source.lower() in ("hf-hub", "hf_hub"):
        if not _HUB_MODEL.fullmatch(model):
            raise ValueError("a model of a hub is written hf-hub:OWNER/MODEL")
    elif source.lower() != "local-dir":
        raise ValueError("write the name of a timm model, hf-hub:OWNER/MODEL or local-dir:FOLDER")
    elif not model or "\0" in model:
        raise ValueError("a folder with a model is written local-dir:FOLDER")
    return name


RULE_SCORER = "rule"  # the package's own teacher

# TOML has no path type; strictness is lifted for these alone
File = Annotated[Path, Field(strict=False), AfterValidator(_without_nul)]
HubModel = Annotated[str, Field(pattern=r"^hf-hub:\w[\w.-]*/\w[\w.-]*(@[\w./-]+)?$")]


Tool = Literal["tensorboard", "wandb", "trackio"]  # that a training is logged to


# TOML has no tuples either
Family = Literal["shape", "left", "top", "closest", "furthest", "count"]
Families = Annotated[tuple[Family, ...], Field(strict=False)]


class Section(BaseModel):
    """Base of all sections: frozen, strict, no unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


class Data(Section):
    """Which questions and images to train on."""

    train: File | None = None
    """table of training questions (.csv, .tsv, .jsonl, .json, .parquet)"""
    val: File | None = None
    """table of validation questions; without it images of `train` are held out"""
    images: File | None = None
    """folder that the image column is relative to"""
    val_images: File | None = None
    """folder of the validation images where it is another one"""
    columns: dict[str, str] = {}
    """names in the table for image, question, answer, answers, type, id"""
    first_types: list[str] = []
    """question types that the first epochs ask alone; the rest of the table waits"""
    first_epochs: Epochs = 0
    """epochs in which only `first_types` are asked"""
    val_fraction: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.1
    """share of the images held out where `val` is absent"""
    keep_copies_together: bool = True
    """hold re-encoded, resized and cropped copies out together; every image is read for it once"""
    on_bad_image: Literal["error", "skip"] = "error"
    """what to do about images that cannot be decoded"""
    allow_outside: bool = False
    """allow image paths that leave the images folder"""
    max_pixels: Annotated[int, Field(ge=1, le=178_000_000)] = 89_478_485
    """larger images cannot be used; each takes up to 4 bytes per pixel while it is decoded"""
    scenes: Literal["easy", "full"] | None = None
    """generate scenes of this difficulty in the run folder instead of reading `train`"""
    scene_images: Annotated[int, Field(ge=10, le=1_000_000)] = 1000
    """images to generate"""
    scene_questions: Annotated[int, Field(ge=1, le=1000)] = 20
    """questions per generated image"""
    scene_families: Families | None = None
    """what they ask, as `["shape", "left"]`; without it all that the difficulty has"""
    scene_seed: Annotated[int, Field(ge=0)] = 0
    """seed of the generated scenes"""


class Vision(Section):
    """The image backbone."""

    name: Annotated[str, Field(min_length=1), AfterValidator(_buildable)] = "test_resnet"
    """timm name, `hf-hub:OWNER/MODEL` or `local-dir:FOLDER`; default: small, learns from scratch"""
    pretrained: bool | File = False
    """true: timm's cache, then its hub; a path: local weights; false: from scratch"""
    image_size: Annotated[int, Field(ge=16, le=2048)] | Auto = "auto"
    """pixels per side; auto: the backbone's own when pretrained, else 96"""
    stride: Annotated[int, Field(ge=2, le=64)] | Literal["auto", "last"] = "auto"
    """pixels per patch side; last: the whole backbone; auto: last when pretrained, else 16"""
    pool: Annotated[int, Field(ge=1, le=64)] | Literal["none"] = "none"
    """patch tokens per side that a larger square grid of them is averaged to"""
    layers: Annotated[int, Field(ge=0, le=24)] = 0
    """transformer layers among the patches of an image, shared by all its questions"""
    relative_places: bool = False
    """these layers know how far apart two patches are, and begin as if they were not there"""
    freeze_epochs: Epochs | Auto = "auto"
    """epochs at the start in which the backbone is frozen; auto: 3 when pretrained, else 0"""
    trained_layers: Annotated[int, Field(ge=0, le=1000)] | Literal["all"] = "all"
    """layers of the backbone that are trained once it is not frozen, from its end; 0: none, ever"""
    lora_rank: Annotated[int, Field(ge=0, le=1024)] = 0
    """train matrices of this rank beside the backbone's linear layers, and nothing else; 0: no"""
    fixed_statistics: bool = False
    """batch normalisation keeps the statistics that its weights came with"""
    drop_path: Probability = 0.0
    """chance of the backbone's last branch to be skipped in training, less below it"""
    blind: bool = False
    """no image reaches the model, and there is no backbone: the question-only control"""


class Augment(Section):
    """Random changes of training images, where their pixels reach a backbone that is trained."""

    crop: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """least share of the area that a random crop keeps; 1: no crop"""
    rotation: Annotated[float, Field(ge=0.0, le=180.0)] = 0.0
    """most degrees of a random rotation"""
    flip: bool | Auto = False
    """mirror half of the images; auto: unless a training question or answer says left or right"""
    colour: Annotated[float, Field(ge=0.0, le=1.0)] | Auto = 0.0
    """strength of random light and colour; auto: 0.5, or 0 where training texts name colours"""


class Text(Section):
    """Tokenizers, question encoder and answer decoder."""

    encoder: HubModel | File | None = None
    """pretrained question encoder with its own tokenizer: a folder, or hf-hub:OWNER/MODEL"""
    decoder: HubModel | File | None = None
    """pretrained answer decoder with its own tokenizer, likewise"""
    trained_layers: Annotated[int, Field(ge=0, le=1000)] | Literal["all"] = 0
    """layers of the pretrained question encoder that are trained, from its end"""
    lora_rank: Annotated[int, Field(ge=0, le=1024)] = 0
    """train matrices of this rank beside the linear layers of pretrained language; 0: no"""
    tokenizer: Literal["word", "bpe"] = "word"
    """word-level or byte-level BPE, trained on the training split"""
    vocabulary_size: Annotated[int, Field(ge=16, le=1_000_000)] = 20_000
    """most tokens per vocabulary"""
    language: Annotated[str, Field(pattern=r"^([a-z]{2,3})?$")] = ""
    """language of the texts (ISO 639); `vi`: tones in one place; `en`: articles go in scoring"""
    min_count: Count = 1
    """a word must occur this often in the training split"""
    lowercase: bool = True
    """fold the case of questions and answers"""
    max_question_tokens: Annotated[int, Field(ge=1, le=1024)] = 32
    """longer questions are cut"""
    max_answer_tokens: Annotated[int, Field(ge=1, le=256)] = 8
    """longer answers are cut; the end token does not count"""
    word_dropout: Probability = 0.0
    """chance of each word of a question to be hidden in training"""
    question_layers: Annotated[int, Field(ge=0, le=24)] = 1
    """layers of the question encoder"""
    decoder_layers: Annotated[int, Field(ge=1, le=24)] = 1
    """layers of the answer decoder"""


class Fusion(Section):
    """Width of the model and the layers that condition patches on the question."""

    width: Annotated[int, Field(ge=8, le=4096, multiple_of=4)] = 128
    """size of every token vector"""
    kind: Literal["modulated", "joint", "reading"] = "modulated"
    """modulated: the question scales patches; joint: all attend to all; reading: it looks"""
    layers: Annotated[int, Field(ge=1, le=24)] = 2
    """fusion layers: reasoning steps"""
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    """attention heads everywhere; must divide the width"""
    dropout: Probability = 0.0
    """dropout in patches, question encoder, fusion, bottleneck and decoder"""


class Latent(Section):
    """The variational bottleneck."""

    bottleneck: Literal["gaussian", "deterministic", "none"] = "gaussian"
    """gaussian; deterministic: z = mu without KL; none: the decoder sees the fused tokens"""
    tokens: Annotated[int, Field(ge=1, le=1024)] = 6
    """latent tokens K"""
    dims: Annotated[int, Field(ge=1, le=8192)] = 256
    """dimensions Z per latent token"""
    temperature: Annotated[float, Field(ge=0.0, le=10.0)] = 0.6
    """scale of the posterior's standard deviation in training"""
    validation_temperature: Annotated[float, Field(ge=0.0, le=10.0)] = 0.5
    """the same for the validation loss"""
    temperature_warmup_epochs: Epochs = 3
    """epochs over which the training temperature rises from 0"""
    initial_logvar: Annotated[float, Field(ge=-10.0, le=2.0)] = 0.0
    """log variance of the untrained posterior"""
    token_dropout: Probability = 0.3
    """chance of each memory token to be zeroed in training"""
    orthogonality_weight: Weight = 0.1
    """weight of the mean squared cosine between memory tokens"""


class KL(Section):
    """The KL term and the schedule of its weight."""

    max_weight: Weight = 15.0
    """scheduled weight at its full height"""
    factor: Weight = 0.2
    """multiplies the scheduled weight: 15 x 0.2 = 3.0"""
    free_bits: Weight | Auto = 0.1
    """allowance per latent token and example, nats of kl_token; auto: set once from the answers"""
    free_bits_per_need: Annotated[float, Field(gt=0.0, le=1e6, allow_inf_nan=False)] = 90.0
    """under auto: nats of rate that go unpenalised per nat of answer entropy"""
    reduction: Literal["mean", "sum"] = "mean"
    """how the dimensions of a token are reduced; sum costs Z times as much"""
    schedule: KLSchedule = "linear"
    """how the weight moves; controller: it holds kl_raw at `set_point`"""
    warmup_start_epoch: Epochs = 0
    """epoch of the warmup stage at which the schedule begins; before it the weight is 0"""
    warmup_epochs: Epochs | Auto = "auto"
    """linear: epochs from 0 to the full weight; cyclical: of all cycles; auto: the warmup stage"""
    warmup_by: Literal["epoch", "step"] = "epoch"
    """linear: step is the same slope in smaller steps; the others always move by step"""
    cycles: Annotated[int, Field(ge=1, le=100_000)] = 4
    """cyclical: rises from 0; after the last cycle the full weight stays"""
    rising_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5
    """cyclical: share of each cycle in which the weight rises"""
    set_point: Annotated[float, Field(gt=0.0, le=1e6, allow_inf_nan=False)] | None = None
    """controller: kl_raw to hold, nats of kl_token; must lie above `free_bits`"""
    proportional_gain: Annotated[float, Field(ge=0.0, le=1.0)] = 0.01
    """controller: most that the proportional term adds, share of the full weight"""
    integral_gain: Annotated[float, Field(ge=0.0, le=1.0)] = 0.003
    """controller: share of the full weight added per step where kl_raw is twice the set point"""


class Stages(Section):
    """Epochs of each stage, in this order."""

    baseline: Epochs = 0
    """frozen decoder on the fused tokens; for the ablation only"""
    warmup: Epochs = 15
    """latent on, KL weight rising"""
    full: Epochs = 35
    """full KL weight, teacher on, early stopping"""


class Teacher(Section):
    """The preference term of the full stage."""

    weight: Weight = 0.3
    """weight of the preference loss; 0 turns the teacher off"""
    samples: Annotated[int, Field(ge=2, le=64)] = 3
    """latent samples decoded per question"""
    margin: Annotated[float, Field(ge=0.0, le=100.0)] = 0.1
    """wanted difference of log-probabilities, nats per token"""
    min_score_difference: Annotated[float, Field(ge=0.0, le=1.0)] = 0.05
    """pairs whose scores are closer than this teach nothing"""
    scorer: str = RULE_SCORER
    """rule, or package.module:factory of another scorer"""


class Optimizer(Section):
    """AdamW with one learning rate per component."""

    decoder_rate: Rate | Auto = "auto"
    """answer decoder; auto: 5e-5 when pretrained, else 5e-4"""
    latent_rate: Rate = 5e-4
    """bottleneck"""
    fusion_rate: Rate = 5e-4
    """fusion layers and patch projection"""
    question_rate: Rate | Auto = "auto"
    """question encoder; auto: 5e-5 when pretrained, else 5e-4"""
    vision_rate: Rate | Auto = "auto"
    """backbone; auto: 5e-5 when pretrained, else 5e-4"""
    weight_decay: Annotated[float, Field(ge=0.0, le=1.0)] = 0.05
    """decoupled decay of matrices; biases, gains, embeddings and learned places are spared"""
    layer_decay: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """factor of the backbone's rate from each of its layers to the one below"""
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """share of each target that is spread over all answer tokens, in training"""
    average_decay: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """decay per step of the moving average of the weights that is kept and judged; 0: none"""
    clip_norm: Annotated[float, Field(gt=0.0, le=1e6)] = 1.0
    """largest norm of the whole gradient"""
    warmup_share: Annotated[float, Field(ge=0.0, lt=1.0)] | Auto = "auto"
    """share of all steps in which the rates rise from 0; auto: 0.1, at most two epochs"""
    schedule: Literal["cosine", "constant"] = "cosine"
    """after the rise"""
    final_factor: Annotated[float, Field(ge=0.0, le=1.0)] = 0.01
    """rate at the last step over the peak rate, under cosine"""


class EarlyStopping(Section):
    """When to stop, and what counts as best."""

    metric: Literal["answer_loss", "total_loss", "exact_match"] = "answer_loss"
    """validation measure that is watched"""
    patience: Annotated[int, Field(ge=1, le=100_000)] | Auto = "auto"
    """full-stage epochs since the best of the whole run; auto: 5, and no fewer than 500 steps"""
    min_delta: Annotated[float, Field(ge=0.0, le=100.0)] = 0.0
    """nats (a share for exact_match) by which a best must improve"""
    target: Annotated[float, Field(ge=0.0, le=100.0)] = 0.8
    """validation loss aimed at, nats; the first epoch below it is logged"""


class Loader(Section):
    """How batches are made."""

    batch_size: Annotated[int, Field(ge=1, le=100_000)] | Auto = 160
    """questions per batch; auto: 32 to 512, and 250 batches an epoch where there are enough"""
    micro_batch_size: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """questions whose gradient is computed at once, where a whole batch needs too much memory"""
    questions_per_image: Annotated[int, Field(ge=1, le=100_000)] | Auto = 4
    """most questions of one image in a batch, which is encoded once; auto: 32 images a batch"""
    evaluation_batch_size: Annotated[int, Field(ge=1, le=100_000)] = 640
    """questions per batch where no gradient is kept"""
    workers: Annotated[int, Field(ge=0, le=256)] = 0
    """processes that decode images which memory does not hold; 0: threads of the main process"""
    cache_mib: Annotated[int, Field(ge=0)] = 2048
    """decoded images are kept in memory if they all fit, MiB"""
    feature_mib: Annotated[int, Field(ge=0)] = 2048
    """features of a frozen backbone are computed once if they all fit, MiB"""
    feature_folder: File | None = None
    """folder where other runs find them; absent: each run computes its own"""


class Run(Section):
    """What belongs to the run and not to the model."""

    init_from: File | None = None
    """run whose weights and words a new one begins with; also its `last` or a checkpoint"""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """seed of weights, order and noise"""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps"""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bf16 where the device is faster with it, CPU included"""
    threads: Annotated[int, Field(ge=1, le=1024)] | Auto = "auto"
    """CPU threads; auto: torch's own choice"""
    max_minutes: Annotated[float, Field(gt=0.0, le=1e6)] | None = None
    """fit stages and warm-ups to this many minutes of training"""
    auto_tune: bool = False
    """apply the advice of the rules at decision epochs, one change at a time"""
    checkpoint_minutes: Annotated[float, Field(gt=0.0, le=1e6)] = 15.0
    """save `last` this often inside an epoch"""
    log_to: list[Tool] = []
    """tools that are told epochs, verdict, sample answers and scores, as `["tensorboard"]`"""
    sample_every: Epochs = 5
    """epochs after which the answers to the same few validation questions are kept; 0: never"""


class Config(Section):
    """Everything that a run is made from."""

    data: Data = Data()
    vision: Vision = Vision()
    augment: Augment = Augment()
    text: Text = Text()
    fusion: Fusion = Fusion()
    latent: Latent = Latent()
    kl: KL = KL()
    kl_health: KLHealthThresholds = KLHealthThresholds()
    latent_use: ExchangeLimits = ExchangeLimits()
    stages: Stages = Stages()
    teacher: Teacher = Teacher()
    optimizer: Optimizer = Optimizer()
    early_stopping: EarlyStopping = EarlyStopping()
    loader: Loader = Loader()
    run: Run = Run()

    def replace(self, section: str, **values: object) -> Config:
        """Return a copy with keys of one section replaced."""
        changed = getattr(self, section).model_copy(update=values)
        return self.model_copy(update={section: changed})


def conflicts(config: Config) -> list[tuple[str, str]]:
    """Faults between keys that are each within their own bounds.

    Returns:
        Pairs of a dotted key and what is wrong with it.
    """
    found: list[tuple[str, str]] = []
    if config.fusion.width % config.fusion.heads:
        found.append(("fusion.heads", f"must divide fusion.width = {config.fusion.width}"))
    if config.stages.baseline + config.stages.warmup + config.stages.full == 0:
        found.append(("stages.warmup", "all stages together must have at least one epoch"))
    if config.data.train is None and config.data.scenes is None:
        found.append(("data.train", "is missing: the table of training questions"))
    if config.data.train is not None and config.data.images is None:
        found.append(("data.images", "is missing: the folder of the images"))
    if bool(config.data.first_types) != bool(config.data.first_epochs):
        lacking, given = ("first_epochs", "first_types")
        if config.data.first_epochs:
            lacking, given = given, lacking
        found.append((f"data.{lacking}", f"is missing: data.{given} says nothing without it"))
    allowed = ("image", "question", "answer", "answers", "type", "id")
    for name in config.data.columns:
        if name not in allowed:
            found.append((f"data.columns.{name}", f"is none of {', '.join(allowed)}"))
    if config.teacher.scorer != RULE_SCORER and ":" not in config.teacher.scorer:
        found.append(("teacher.scorer", 'must be "rule" or "package.module:factory"'))
    return found + _controller_conflicts(config.kl)


def _controller_conflicts(kl: KL) -> list[tuple[str, str]]:
    """A controller needs a set point, and one that its weight can reach."""
    if kl.schedule != "controller":
        return []
    if kl.set_point is None:
        what = 'is missing: the kl_raw that kl.schedule = "controller" is to hold'
        return [("kl.set_point", what)]
    if kl.free_bits != "auto" and kl.set_point <= kl.free_bits:
        what = (
            f"= {kl.set_point:g} must lie above kl.free_bits = {kl.free_bits:g}: free bits take "
            "the weight's pull away before kl_raw is there"
        )
        return [("kl.set_point", what)]
    return []
