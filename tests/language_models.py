"""Tiny untrained language models of every family that is read, each in a folder of its own."""

from collections.abc import Sequence
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing

from tests.tiny import ANSWERS, QUESTIONS

ENCODERS = ("bert", "roberta", "xlm-roberta")
PAIRS = ("bart", "mbart", "t5")
CAUSAL = ("gpt2", "llama", "qwen2")
FAMILIES = ENCODERS + PAIRS + CAUSAL

_SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
_LLAMA = {**_SIZES, "intermediate_size": 32, "num_key_value_heads": 1}
_BERT = {**_SIZES, "intermediate_size": 32, "max_position_embeddings": 64}
_BART = {
    "d_model": 16,
    "max_position_embeddings": 64,
    **{f"{side}_layers": 2 for side in ("encoder", "decoder")},
    **{f"{side}_attention_heads": 2 for side in ("encoder", "decoder")},
    **{f"{side}_ffn_dim": 32 for side in ("encoder", "decoder")},
}
_SHAPES = {
    "bert": _BERT,
    "roberta": _BERT,
    "xlm-roberta": _BERT,
    "bart": _BART,
    "mbart": _BART,
    "t5": {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2},
    "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64},
    "llama": _LLAMA,
    "qwen2": _LLAMA,
}
# padding, begin, end, unknown, before a text, after it; as the families have them
_SPECIALS = {
    "bert": ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[CLS]", "[SEP]"),
    "roberta": ("<pad>", "<s>", "</s>", "<unk>", "<s>", "</s>"),
    "xlm-roberta": ("<pad>", "<s>", "</s>", "<unk>", "<s>", "</s>"),
    "bart": ("<pad>", "<s>", "</s>", "<unk>", "<s>", "</s>"),
    "mbart": ("<pad>", "<s>", "</s>", "<unk>", "", "</s> vi_VN"),
    "t5": ("<pad>", None, "</s>", "<unk>", "", "</s>"),
    "gpt2": (None, "<|end|>", "<|end|>", None, "", ""),
    "llama": (None, "<s>", "</s>", None, "<s>", ""),
    "qwen2": ("<|pad|>", None, "<|end|>", None, "", ""),
}


def write_language_model(
    family: str,
    folder: Path,
    texts: Sequence[str] = (*QUESTIONS, *ANSWERS),
    seed: int = 0,
    **shape: int,
) -> Path:
    """Write an untrained model, enlarged by ``shape``, with a tokenizer of some texts."""
    tokenizer = _tokenizer(family, texts)
    tokenizer.save_pretrained(folder)
    options = {"vocab_size": len(tokenizer), **_SHAPES[family], **shape}
    for name in ("pad", "bos", "eos"):
        options[f"{name}_token_id"] = getattr(tokenizer, f"{name}_token_id")
    if family in PAIRS:
        start = {"bart": "eos", "t5": "pad"}.get(family)
        options["decoder_start_token_id"] = start and getattr(tokenizer, f"{start}_token_id")
    config = transformers.AutoConfig.for_model(family, **options)
    torch.manual_seed(seed)
    kind = "AutoModel"
    if family in PAIRS:
        kind = "AutoModelForSeq2SeqLM"
    elif family in CAUSAL:
        kind = "AutoModelForCausalLM"
    getattr(transformers, kind).from_config(config).save_pretrained(folder)
    return folder


def _tokenizer(family: str, texts: Sequence[str]) -> transformers.PreTrainedTokenizerFast:
    padding, begin, end, unknown, before, after = _SPECIALS[family]
    known = [padding, begin, end, unknown, *before.split(), *after.split()]
    specials = list(dict.fromkeys(one for one in known if one))
    if unknown is None:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=300, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
        )
    else:
        tokenizer = Tokenizer(models.WordLevel(unk_token=unknown))
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        trainer = trainers.WordLevelTrainer(special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    if before or after:
        ids = [
            (one, tokenizer.token_to_id(one))
            for one in dict.fromkeys([*before.split(), *after.split()])
        ]
        tokenizer.post_processor = TemplateProcessing(
            single=f"{before} $A {after}".strip(), special_tokens=ids
        )
    names = {"pad_token": padding, "bos_token": begin, "eos_token": end, "unk_token": unknown}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **{name: one for name, one in names.items() if one}
    )
