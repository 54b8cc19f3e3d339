"""The VQA challenge's accuracy once more, written from its published definition.

Independent of the package on purpose: nothing is imported from it, the
contractions are spelled out pair by pair, and every annotator is left out in
turn.
"""

import re

PUNCTUATION = [";", "/", "[", "]", '"', "{", "}", "(", ")", "=", "+", "\\", "_", "-"]
PUNCTUATION += [">", "<", "@", "`", ",", "?", "!"]
DIGITS = {"none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4"}
DIGITS |= {"five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10"}
PAIRS = """
aint>ain't arent>aren't cant>can't couldve>could've couldnt>couldn't couldn'tve>couldn't've
couldnt've>couldn't've didnt>didn't doesnt>doesn't dont>don't hadnt>hadn't hadnt've>hadn't've
hadn'tve>hadn't've hasnt>hasn't havent>haven't hed>he'd hed've>he'd've he'dve>he'd've hes>he's
howd>how'd howll>how'll hows>how's Id've>I'd've I'dve>I'd've Im>I'm Ive>I've isnt>isn't itd>it'd
itd've>it'd've it'dve>it'd've itll>it'll let's>let's maam>ma'am mightnt>mightn't
mightnt've>mightn't've mightn'tve>mightn't've mightve>might've mustnt>mustn't mustve>must've
neednt>needn't notve>not've oclock>o'clock oughtnt>oughtn't ow's'at>'ow's'at 'ows'at>'ow's'at
'ow'sat>'ow's'at shant>shan't shed've>she'd've she'dve>she'd've she's>she's shouldve>should've
shouldnt>shouldn't shouldnt've>shouldn't've shouldn'tve>shouldn't've somebody'd>somebodyd
somebodyd've>somebody'd've somebody'dve>somebody'd've somebodyll>somebody'll somebodys>somebody's
someoned>someone'd someoned've>someone'd've someone'dve>someone'd've someonell>someone'll
someones>someone's somethingd>something'd somethingd've>something'd've
something'dve>something'd've somethingll>something'll thats>that's thered>there'd
thered've>there'd've there'dve>there'd've therere>there're theres>there's theyd>they'd
theyd've>they'd've they'dve>they'd've theyll>they'll theyre>they're theyve>they've twas>'twas
wasnt>wasn't wed've>we'd've we'dve>we'd've weve>we've werent>weren't whatll>what'll whatre>what're
whats>what's whatve>what've whens>when's whered>where'd wheres>where's whereve>where've whod>who'd
whod've>who'd've who'dve>who'd've wholl>who'll whos>who's whove>who've whyll>why'll whyre>why're
whys>why's wont>won't wouldve>would've wouldnt>wouldn't wouldnt've>wouldn't've
wouldn'tve>wouldn't've yall>y'all yall'll>y'all'll y'allll>y'all'll yall'd've>y'all'd've
y'alld've>y'all'd've y'all'dve>y'all'd've youd>you'd youd've>you'd've you'dve>you'd've
youll>you'll youre>you're youve>you've
"""
CONTRACTIONS = dict(pair.split(">") for pair in PAIRS.split())


def challenge_accuracy(candidate, references):
    """Mean over the annotators of min(1, matches among the others / 3)."""
    answers = [_one_line(text) for text in references]
    said = _one_line(candidate)
    if len(set(answers)) > 1:
        answers = [_words(_marks(text)) for text in answers]
        said = _words(_marks(said))
    accuracies = []
    for left_out in range(len(answers)):
        others = [text for place, text in enumerate(answers) if place != left_out]
        agreeing = sum(1 for text in others if text == said)
        accuracies.append(min(1.0, agreeing / 3.0))
    return sum(accuracies) / len(accuracies)


def _one_line(text):
    return text.replace("\n", " ").replace("\t", " ").strip()


def _marks(text):
    out = text
    for mark in PUNCTUATION:
        beside_space = (mark + " ") in text or (" " + mark) in text
        if beside_space or re.search("([0-9])(,)([0-9])", text) is not None:
            out = out.replace(mark, "")
        else:
            out = out.replace(mark, " ")
    # a flag stands where the count belongs: 32 periods go, and none before a digit
    return re.sub(r"(?!<=\d)(\.)(?!\d)", "", out, count=int(re.UNICODE))


def _words(text):
    kept = []
    for word in text.lower().split():
        mapped = DIGITS.get(word, word)
        if mapped not in ("a", "an", "the"):
            kept.append(mapped)
    return " ".join(CONTRACTIONS.get(word, word) for word in kept)
