"""Where tones stand is no difference; letters are, and words of other languages stay."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.core.languages.vietnamese import is_vietnamese, with_tones_on_main_vowels

TONES = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}
OLD_AND_NEW = [
    ("hòa", "hoà"),
    ("hóa", "hoá"),
    ("tỏa", "toả"),
    ("đọa", "đoạ"),
    ("xõa", "xoã"),
    ("khỏe", "khoẻ"),
    ("hòe", "hoè"),
    ("lóe", "loé"),
    ("chọe", "choẹ"),
    ("nhõe", "nhoẽ"),
    ("thủy", "thuỷ"),
    ("tùy", "tuỳ"),
    ("húy", "huý"),
    ("lũy", "luỹ"),
    ("tụy", "tuỵ"),
    ("ủy", "uỷ"),
    ("òa", "oà"),
]
SLIPPED = [
    ("hòan", "hoàn"),
    ("tóan", "toán"),
    ("lọai", "loại"),
    ("xóay", "xoáy"),
    ("họăc", "hoặc"),
    ("khủyu", "khuỷu"),
    ("búyt", "buýt"),
    ("túân", "tuấn"),
    ("thúê", "thuế"),
    ("thủơ", "thuở"),
    ("hụyêt", "huyệt"),
    ("gỉa", "giả"),
    ("gìa", "già"),
    ("gíơi", "giới"),
    ("gíông", "giống"),
    ("gíêng", "giếng"),
    ("gìương", "giường"),
    ("qùy", "quỳ"),
    ("qúy", "quý"),
    ("qúi", "quí"),
    ("qủa", "quả"),
    ("qúôc", "quốc"),
    ("qúyêt", "quyết"),
]
# open rimes with a glide, which alone the two customs write differently
GLIDED = [("o", "a"), ("o", "e"), ("u", "y")]
ONSETS = "- b ch d đ g h kh l m n ng nh ph r s t th tr v x"  # the first is none
UNMOVED = (
    "của mùa lúa mía kìa giữa rượu muỗi suối điều diều người trường hươu biển tiếng mèo chó cầu "
    "quả quý quí giả gì gìn giếng thuyền nguyễn khuya xoong rùa cửa chùa bìa vỉa hè níu chịu dịu "
    "núi mũi gửi bơi sói trời cái áo tàu máy đầu trâu cây quần áo xoài ngoài bưởi chuối"
)
FOREIGN = (
    "coração não fácil lápis avó água possível português pingüino niño qué río día también más "
    "può più già città perché virtù caffè élève être français où naïve œuvre garçon Noël Zoé "
    "žluťoučký kůň úpěl ďábelské ódy çocuk güneş şöyle \u0131ğd\u0131r İstanbul größe straße naïf "
    "coöperatie zażółć gęślą jaźń guó liú jiǔ huà duì ọmọ ẹ̀kọ́ ṣé ñandú fiancée déjà vu Müller"
)


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def without_tones(text: str) -> str:
    kept = "".join(one for one in nfd(text) if one not in TONES)
    return unicodedata.normalize("NFC", kept)


@pytest.mark.parametrize(("old", "new"), [*OLD_AND_NEW, *SLIPPED])
def test_both_placements_are_one_word_in_any_case_and_form(old: str, new: str) -> None:
    for change in (str, str.upper, str.capitalize):
        for form in (str, nfd):
            assert with_tones_on_main_vowels(form(change(old))) == change(new)
            assert with_tones_on_main_vowels(form(change(new))) == change(new)


def test_every_tone_of_every_open_rime_with_a_glide_agrees() -> None:
    seen = set()
    for onset in ONSETS.replace("-", "").split(" "):
        for glide, vowel in GLIDED:
            for tone in sorted(TONES):
                old = unicodedata.normalize("NFC", f"{onset}{glide}{tone}{vowel}")
                new = unicodedata.normalize("NFC", f"{onset}{glide}{vowel}{tone}")
                assert old != new
                assert with_tones_on_main_vowels(old) == new
                seen.add(new)
    assert len(seen) == 21 * 3 * 5


@pytest.mark.parametrize("word", [*UNMOVED.split(), *FOREIGN.split()])
def test_a_word_that_has_one_spelling_stays(word: str) -> None:
    for change in (str, str.upper, str.capitalize):
        whole = unicodedata.normalize("NFC", change(word))
        assert with_tones_on_main_vowels(whole) == whole
        assert with_tones_on_main_vowels(nfd(whole)) == whole


def test_letters_tell_words_apart_and_tones_do() -> None:
    words = ["quý", "quí", "quy", "hoà", "hoá", "hoả", "hoa", "hỏa", "hoạ"]
    assert len(set(map(with_tones_on_main_vowels, words))) == len(words) - 1  # hoả, hỏa


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Ông cụ có KHỎE không?", "Ông cụ có KHOẺ không?"),
        ('"hòa", (thủy)...khóa/mở', '"hoà", (thuỷ)...khoá/mở'),
        ("hòa_bình lọ_hoa2hòa", "hoà_bình lọ_hoa2hoà"),
        ("the tòa nhà is a building", "the toà nhà is a building"),
        ("hòà hòaa xhòa hòàng", "hòà hòaa xhòa hòàng"),  # no syllables
        ("hòa\u0331 ho\u0331\u0300a", "hòa\u0331 ho\u0331\u0300a"),  # a mark of no tone
        ("", ""),
        ("thuy hoa", "thuy hoa"),
    ],
)
def test_words_in_sentences_are_found(text: str, wanted: str) -> None:
    wanted = unicodedata.normalize("NFC", wanted)
    assert with_tones_on_main_vowels(text) == wanted


LETTERS = "bcdđghklmnpqrstvxaăâeêioôơuưy" + "".join(sorted(TONES)) + " .ZWFßñç\u0331-'"


@given(st.one_of(st.text(), st.text(st.sampled_from(LETTERS + LETTERS.upper()))))
def test_only_tones_move_and_they_move_once(text: str) -> None:
    found = with_tones_on_main_vowels(text)
    composed = unicodedata.normalize("NFC", text)
    assert with_tones_on_main_vowels(found) == found
    assert with_tones_on_main_vowels(composed) == with_tones_on_main_vowels(nfd(text)) == found
    assert len(found) == len(composed)
    assert without_tones(found) == without_tones(composed)
    held = [sorted(one for one in nfd(word) if one in TONES) for word in composed.split(" ")]
    assert held == [sorted(one for one in nfd(word) if one in TONES) for word in found.split(" ")]


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_ascii_is_given_back(text: str) -> None:
    assert with_tones_on_main_vowels(text) is text


VIETNAMESE = [
    ["Con mèo màu gì?", "Có bao nhiêu chiếc xe máy trên phố?", "Người đàn ông đang làm gì?"],
    ["Cô gái mặc áo màu gì?", "màu đỏ", "Thuyền đang ở đâu?", "trên biển", "hai", "con chó"],
    ["what colour is the boat?", "blue", "thuyền màu gì?", "màu xanh", "is it red?", "yes"],
]
OTHERS = {
    "French": ["De quelle couleur est le château ?", "Où sont les élèves ? Là-bas, déjà à côté."],
    "Portuguese": ["De que cor é o avião?", "Não há pão, então são três irmãos e um leão à vista."],
    "English": ["What colour is the fiancée's café?", "How many boats are there?"],
    "Turkish": [
        "Kedinin rengi ne?",
        "Çocuk ağaçta m\u0131 oturuyor, yoksa güneşte mi İstanbul'da?",
    ],
    "Czech": ["Jakou barvu má kočka?", "Příliš žluťoučký kůň úpěl ďábelské ódy."],
    "Romanian": ["Ce culoare are mașina?", "Câți copii sunt în fața bisericii? Șapte băieți."],
    "Croatian": ["Koje je boje mačka?", "Đak i učiteljica vođe čekaju đački autobus."],
    "Yoruba": ["Àwọ̀ wo ni ológbò náà?", "Ọmọ náà ń jẹ ẹ̀bà ní ilé ẹ̀kọ́."],
    "pinyin": ["Māo shì shénme yánsè de? Lǜsè, hóngsè hé huángsè."],
    "Vietnamese without tones": ["Con meo mau gi?", "Co bao nhieu chiec xe may tren pho?"],
    "Vietnamese with letters only": ["Con meo mau gi?", "Ngươi đan ông đang lam gi? Trên đương."],
    "nothing": [],
    "no letters": ["", "12", "?"],
}


@pytest.mark.parametrize("texts", VIETNAMESE)
def test_vietnamese_is_known_by_its_letters(texts: list[str]) -> None:
    assert is_vietnamese(texts)
    assert is_vietnamese(text.upper() for text in texts)
    assert is_vietnamese(map(nfd, texts))


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_else_is_taken_for_vietnamese(language: str) -> None:
    assert not is_vietnamese(OTHERS[language])
    assert not is_vietnamese(map(nfd, OTHERS[language]))


def test_one_foreign_name_does_not_make_a_table_vietnamese() -> None:
    english = ["what colour is the boat on the left side of the harbour?"] * 20
    assert not is_vietnamese([*english, "who is Nguyễn Huệ?"])
