import json
import subprocess
import sys
import unicodedata

import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from latentvqa.data.tokenizer import UNK, TextTokenizer
from latentvqa.data.vocabularies.library import LibraryTokenizer
from latentvqa.errors import DataError
from tests.language_models import write_syllables, write_word_pieces

SENTENCES = (
    "con mèo màu gì ?",
    "có bao nhiêu người đang đứng trước toà nhà ?",
    "chiếc xe_máy màu đỏ nằm ở đâu ?",
    "quả chuối vàng , quả táo đỏ",
    "trên bàn có hai cái ly thuỷ_tinh",
)
STRANGE = (
    "",
    " ",
    "\u200b",
    "\u2603\u2603 zzz",
    "con \u2603 mèo",
    "mèo\nđỏ",
    "  hai   con  ",
    "CON MÈO",
    "a",
    "<s> con <mask> mèo </s> <unk> <pad>",
    "con mèo" * 200,
)
TEXTS = [*SENTENCES, *(unicodedata.normalize("NFD", one) for one in SENTENCES), *STRANGE]
WRITERS = {"BartphoTokenizer": write_syllables, "PhobertTokenizer": write_word_pieces}


@pytest.fixture(scope="module", params=WRITERS)
def theirs(request, tmp_path_factory):
    """A tokenizer of the library over files as its hub has them."""
    folder = tmp_path_factory.mktemp(request.param)
    WRITERS[request.param](folder, SENTENCES * 5)
    return getattr(transformers, request.param).from_pretrained(folder)


@pytest.fixture(scope="module")
def kept(theirs):
    """It after a checkpoint."""
    tokenizer = TextTokenizer.pretrained(LibraryTokenizer.of(theirs))
    return TextTokenizer.from_json(tokenizer.to_json())


def ids_of(theirs, text):
    """As the library has them with the names of special tokens read as text."""
    ids = theirs(text, add_special_tokens=False, split_special_tokens=True).input_ids
    return [UNK if one in theirs.all_special_ids else one + 4 for one in ids]


def test_the_ids_are_those_of_the_library_after_a_checkpoint(theirs, kept):
    for text, ids in zip(TEXTS, kept.encode(TEXTS), strict=True):
        assert ids == ids_of(theirs, text), text
    known = [one for text in SENTENCES for one in kept.encode([text])[0]]
    assert len(set(known)) > 20
    assert UNK not in known
    assert UNK in kept.encode(["con \u2603 mèo"])[0]


@settings(deadline=None, max_examples=30)
@given(
    text=st.text(max_size=30)
    | st.lists(st.sampled_from("mèoconđ\u0300\u0301 _<s>@\n")).map("".join)
)
def test_no_text_has_other_ids(theirs, kept, text):
    assert kept.encode([text]) == [ids_of(theirs, text)]


def test_a_text_comes_back_as_the_library_writes_it(theirs, kept):
    for text, ids in zip(SENTENCES, kept.encode(SENTENCES), strict=True):
        assert kept.decode(ids) == text
        plain = [one - 4 for one in ids]
        assert theirs.decode(plain, skip_special_tokens=True) == text


def test_ids_that_name_nothing_and_special_ones_are_no_text(theirs, kept):
    ids = kept.encode(["con mèo"])[0]
    more = [theirs.mask_token_id + 4, kept.size + 3]
    assert kept.decode([*ids, *more]) == "con mèo"
    assert kept.size == len(theirs) + 4


def test_a_spelling_comes_before_it(theirs, kept):
    spelt = kept.spelling("vi")
    old, new = "toà nhà thuỷ_tinh", "tòa nhà thủy_tinh"
    assert spelt.encode([old]) == spelt.encode([unicodedata.normalize("NFD", new)])
    assert kept.encode([old]) != kept.encode([new])
    assert TextTokenizer.from_json(spelt.to_json()).language == "vi"


def state_of(kept, **changes):
    state = json.loads(kept.to_json())
    state["tokenizer"] |= changes
    return json.dumps(state)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"class": "os"}, "is none of the installed transformers"),
        ({"class": "BertModel"}, "is none of the installed transformers"),
        ({"class": "AutoTokenizer"}, "is none of the installed transformers"),
        ({"files": {}}, "cannot be read"),
        ({"files": {"../../vocab.txt": "YQ=="}}, "a file named"),
        ({"files": {"vocab.txt": 1}}, "not a tokenizer of LatentVQA"),
        ({"files": {"vocab.txt": "!"}}, "not a tokenizer of LatentVQA"),
        ({"files": None}, "not a tokenizer of LatentVQA"),
    ],
)
def test_what_is_no_kept_tokenizer_is_refused(kept, changes, said):
    with pytest.raises(DataError, match=said) as caught:
        TextTokenizer.from_json(state_of(kept, **changes))
    assert "\n" not in str(caught.value)


def test_one_that_its_own_files_do_not_give_back_is_refused(tmp_path):
    write_word_pieces(tmp_path, SENTENCES)
    tokenizer = transformers.PhobertTokenizer.from_pretrained(tmp_path)
    tokenizer.encoder["con"] = 7  # as code does that changes a vocabulary after it was read
    with pytest.raises(DataError, match="does not come back the same from its own files"):
        LibraryTokenizer.of(tokenizer)


@pytest.mark.parametrize("module", ["transformers", "sentencepiece"])
def test_without_its_library_the_message_says_what_to_install(tmp_path, module):
    write_syllables(tmp_path, SENTENCES * 5)
    tokenizer = transformers.BartphoTokenizer.from_pretrained(tmp_path)
    kept = TextTokenizer.pretrained(LibraryTokenizer.of(tokenizer))
    (tmp_path / "kept.json").write_text(kept.to_json(), encoding="utf-8")
    code = f"""if True:
        import sys
        sys.modules[{module!r}] = None
        from pathlib import Path
        from latentvqa.data.tokenizer import TextTokenizer
        from latentvqa.errors import ConfigError
        try:
            TextTokenizer.from_json(Path({str(tmp_path / "kept.json")!r}).read_text("utf-8"))
        except ConfigError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'pip install "latentvqa[hf]"' in done.stdout
    assert module in done.stdout
