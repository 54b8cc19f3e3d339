import pytest
import torch

from latentvqa.data.tokenizer import BOS, EOS, PAD, UNK
from latentvqa.engine.language.reading import read_language_model
from latentvqa.models import PretrainedDecoder, generate, search_beams
from latentvqa.models.weights import load_own_state, own_state
from latentvqa.objectives import answer_loss, answer_nll
from tests.language_models import CAUSAL, PAIRS, write_language_model
from tests.tiny import ANSWERS, padded

FAMILIES = (*PAIRS, *CAUSAL, "bartpho-syllable")
WIDTH, MEMORY = 12, 3


@pytest.fixture(scope="module", params=FAMILIES)
def read(request, tmp_path_factory):
    folder = write_language_model(request.param, tmp_path_factory.mktemp(request.param))
    return folder, *read_language_model(folder, "text.decoder")


def made(read, **options):
    folder, model, _ = read
    torch.manual_seed(0)
    return PretrainedDecoder(model, width=WIDTH, max_tokens=12, pretrained=folder, **options)


def answers_of(read):
    return padded([[*ids, EOS] for ids in read[2].encode(ANSWERS)])


def memory_of(count):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, MEMORY, WIDTH, generator=generator)


def teacher_forced(decoder, memory, answers):
    begin = torch.full_like(answers[:, :1], BOS)
    return decoder(torch.cat([begin, answers[:, :-1]], dim=1), memory)


def test_its_weights_are_those_of_the_folder(read):
    first, second = made(read), made(read)
    untrained = PretrainedDecoder(read[1], width=WIDTH, max_tokens=12)
    memory, answers = memory_of(len(ANSWERS)), answers_of(read)
    logits = [teacher_forced(one.eval(), memory, answers) for one in (first, second, untrained)]
    assert torch.equal(logits[0], logits[1])
    assert not torch.allclose(logits[0], logits[2])


def test_one_step_after_the_other_says_what_all_at_once_says(read):
    decoder, memory, answers = made(read).eval(), memory_of(len(ANSWERS)), answers_of(read)
    whole = teacher_forced(decoder, memory, answers)
    cache = decoder.start(memory)
    tokens = torch.cat([torch.full_like(answers[:, :1], BOS), answers[:, :-1]], dim=1)
    steps = [decoder.step(tokens[:, place], place, cache) for place in range(tokens.shape[1])]
    assert torch.allclose(torch.stack(steps, dim=1), whole, atol=1e-4)


@torch.no_grad()
def test_beams_are_as_likely_as_they_say_and_one_is_greedy(read):
    decoder, memory = made(read).eval(), memory_of(4)
    ids = {"begin_id": BOS, "end_id": EOS, "pad_id": PAD}
    found, greedy = search_beams(decoder, memory, beams=3, **ids), generate(decoder, memory, **ids)
    one = search_beams(decoder, memory, beams=1, **ids)
    assert torch.equal(one.tokens[:, 0], greedy.tokens)
    for beam in range(3):
        tokens = found.tokens[:, beam]
        nll = answer_nll(teacher_forced(decoder, memory, tokens), tokens, PAD)
        assert torch.allclose(found.log_probability[:, beam], -nll, atol=1e-2)


def test_it_reads_nothing_but_the_memory(read):
    decoder, answers = made(read).eval(), answers_of(read)
    memory = memory_of(len(ANSWERS))
    swapped = teacher_forced(decoder, memory.flip(0), answers.flip(0)).flip(0)
    assert torch.allclose(swapped, teacher_forced(decoder, memory, answers), atol=1e-5)
    other = teacher_forced(decoder, memory + 1, answers)
    assert not torch.allclose(other, swapped, atol=1e-4)


def test_it_learns_a_few_answers_by_heart_and_writes_them(read):
    tokenizer, decoder = read[2], made(read)
    memory, answers = memory_of(len(ANSWERS)), answers_of(read)
    optimizer = torch.optim.Adam(decoder.parameters(), lr=0.01)
    for _ in range(150):
        loss = answer_loss(answer_nll(teacher_forced(decoder, memory, answers), answers), answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    decoder.eval()
    written = generate(decoder, memory, begin_id=BOS, end_id=EOS, pad_id=PAD)
    assert [tokenizer.decode(row) for row in written.tokens.tolist()] == list(ANSWERS)
    assert written.log_probability.exp().min() > 0.9


def test_what_is_no_text_is_never_written(read):
    decoder, model = made(read).eval(), read[1]
    logits = teacher_forced(decoder, memory_of(len(ANSWERS)), answers_of(read))
    shares = logits.softmax(-1)
    reserved = [PAD, BOS] + [UNK] * (model.unknown is None)
    assert shares[..., [*reserved, *(one + 4 for one in model.specials)]].max() == 0
    assert shares[..., EOS].min() > 0


def test_it_comes_back_from_its_own_state_without_the_folder(read):
    decoder = made(read).eval()
    again = PretrainedDecoder(read[1], width=WIDTH, max_tokens=12).eval()
    load_own_state(again, own_state(decoder))
    memory, answers = memory_of(len(ANSWERS)), answers_of(read)
    assert torch.equal(
        teacher_forced(again, memory, answers), teacher_forced(decoder, memory, answers)
    )


def test_low_rank_matrices_alone_are_trained(read):
    decoder = made(read, lora_rank=2)
    decoder.requires_grad_(False)
    decoder.requires_grad_(True)
    trained = [name for name, one in decoder.named_parameters() if one.requires_grad]
    assert trained
    assert all("lora_" in name or name.startswith("project.") for name in trained)
    again = PretrainedDecoder(read[1], width=WIDTH, max_tokens=12, lora_rank=2).eval()
    load_own_state(again, own_state(decoder))
    memory, answers = memory_of(len(ANSWERS)), answers_of(read)
    assert torch.equal(
        teacher_forced(again, memory, answers), teacher_forced(decoder.eval(), memory, answers)
    )
