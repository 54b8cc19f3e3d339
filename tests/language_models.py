"""Tiny untrained language models of every family that is read, each in a folder of its own."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import sentencepiece
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing

from tests.tiny import ANSWERS, QUESTIONS

ENCODERS = ("bert", "roberta", "xlm-roberta")
PAIRS = ("bart", "mbart", "t5")
CAUSAL = ("gpt2", "llama", "qwen2")
# without a tokenizer.json: the shape, and the library's class that reads the plain files
PLAIN = {
    "phobert": ("roberta", "PhobertTokenizer"),
    "bartpho-syllable": ("mbart", "BartphoTokenizer"),
    "bartpho-word": ("mbart", "PhobertTokenizer"),
}
FAMILIES = ENCODERS + PAIRS + CAUSAL + tuple(PLAIN)

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
    if family in PLAIN:
        return _write_plain(folder, texts, seed, *PLAIN[family], shape)
    tokenizer = _tokenizer(family, texts)
    tokenizer.save_pretrained(folder)
    options = {"vocab_size": len(tokenizer), **_SHAPES[family], **shape}
    for name in ("pad", "bos", "eos"):
        options[f"{name}_token_id"] = getattr(tokenizer, f"{name}_token_id")
    if family in PAIRS:
        start = {"bart": "eos", "t5": "pad"}.get(family)
        options["decoder_start_token_id"] = start and getattr(tokenizer, f"{start}_token_id")
    _write_model(family, folder, options, seed)
    return folder


def _write_model(kind: str, folder: Path, options: dict[str, object], seed: int) -> None:
    config = transformers.AutoConfig.for_model(kind, **options)
    torch.manual_seed(seed)
    auto = "AutoModel"
    if kind in PAIRS:
        auto = "AutoModelForSeq2SeqLM"
    elif kind in CAUSAL:
        auto = "AutoModelForCausalLM"
    getattr(transformers, auto).from_config(config).save_pretrained(folder)


def _write_plain(
    folder: Path,
    texts: Sequence[str],
    seed: int,
    kind: str,
    tokenizer_class: str,
    shape: dict[str, int],
) -> Path:
    """A model with the files that its hub has: no tokenizer.json, no tokenizer_config.json."""
    folder.mkdir(exist_ok=True)
    write = write_syllables if tokenizer_class == "BartphoTokenizer" else write_word_pieces
    ids = 4 + write(folder, texts) + 1  # the special ones before, the mask after them
    options = {
        "vocab_size": ids,
        "bos_token_id": 0,
        "pad_token_id": 1,
        "eos_token_id": 2,
        "tokenizer_class": tokenizer_class,
        **_SHAPES[kind],
        **shape,
    }
    if kind in PAIRS:
        options["decoder_start_token_id"] = 2
    _write_model(kind, folder, options, seed)
    return folder


def write_syllables(folder: Path, texts: Sequence[str]) -> int:
    """Files of a ``BartphoTokenizer``; how many pieces of its model it knows: not the rarest."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=model,
        vocab_size=120,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (folder / "sentencepiece.bpe.model").write_bytes(model.getvalue())
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    known = [pieces.id_to_piece(one) for one in range(3, pieces.get_piece_size())]
    (folder / "dict.txt").write_text("".join(f"{one} 1\n" for one in known), encoding="utf-8")
    return len(known)


def write_word_pieces(folder: Path, texts: Sequence[str]) -> int:
    """Files of a ``PhobertTokenizer``; how many pieces it knows."""
    whole = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    whole.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=120, end_of_word_suffix="</w>", min_frequency=1, show_progress=False
    )
    whole.train_from_iterator(texts, trainer)
    whole.save(str(folder / "trained.json"))
    trained = json.loads((folder / "trained.json").read_text("utf-8"))["model"]
    (folder / "trained.json").unlink()
    merges = "".join(f"{first} {second} 1\n" for first, second in trained["merges"])
    (folder / "bpe.codes").write_text(merges, encoding="utf-8")
    pieces = [
        one.removesuffix("</w>") if one.endswith("</w>") else f"{one}@@" for one in trained["vocab"]
    ]
    (folder / "vocab.txt").write_text("".join(f"{one} 1\n" for one in pieces), encoding="utf-8")
    return len(pieces)


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
