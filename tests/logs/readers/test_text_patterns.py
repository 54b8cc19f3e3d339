import pytest

from latentvqa.errors import HistoryError
from latentvqa.logs.readers.text_patterns import key_value
from tests.logs.conftest import has_note

# printed by the VAE script among PyTorch's examples
VAE = """\
Train Epoch: 1 [0/60000 (0%)]\tLoss: 550.133728
Train Epoch: 1 [1280/60000 (2%)]\tLoss: 310.555603
====> Epoch: 1 Average loss: 164.8223
====> Test set loss: 127.9215
Train Epoch: 2 [0/60000 (0%)]\tLoss: 128.1
====> Epoch: 2 Average loss: 121.7003
====> Test set loss: 116.0921
Train Epoch: 3 [0/60000 (0%)]\tLoss: 120.0
"""


@pytest.mark.parametrize("options", [{}, {"pattern": "pytorch-vae"}])
def test_the_vae_example_is_read(read, options):
    history = read("out.txt", "Files already downloaded\n" + VAE, **options)
    losses = [(record.train.total_loss, record.val.total_loss) for record in history.records]
    assert losses == [(164.8223, 127.9215), (121.7003, 116.0921), (120.0, None)]
    assert has_note(history, "counts its epochs from 1")


def test_a_script_that_prints_its_terms_too_is_read(read):
    text = VAE.replace("310.555603", "310.5\tBCE: 300.0\tKLD: 10.5")
    text = text.replace("loss: 127.9215", "loss: 127.9 KLD: 24.0")
    record = read("out.txt", text).records[0]
    assert (record.train.kl_raw, record.train.answer_loss, record.val.kl_raw) == (10.5, 300, 24)


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (
            "Epoch 3/50 - loss: 0.5 - kl_loss: 0.02 - val_loss: 0.6",
            {"epoch": "3", "loss": "0.5", "kl_loss": "0.02", "val_loss": "0.6"},
        ),
        (
            "2024-01-01 12:00:01 INFO [Epoch 3] Train Loss: 1.5 | Val Loss: 2e-1",
            {"epoch": "3", "Train_Loss": "1.5", "Val_Loss": "2e-1"},
        ),
        ("step=100, kl=.5, acc=87.5%", {"step": "100", "kl": ".5", "acc": "87.5%"}),
        (
            "{'loss': 0.69, 'learning_rate': 1e-05, 'epoch': 0.5}",
            {"epoch": "0.5", "loss": "0.69", "learning_rate": "1e-05"},
        ),
        ("iter 20 KLD: nan recon=-inf", {"step": "20", "KLD": "nan", "recon": "-inf"}),
        ("Validation loss: 0.6, kl: 0.3", {"split": "val", "Validation_loss": "0.6", "kl": "0.3"}),
        ("INFO Epoch loss: 0.5", {"Epoch_loss": "0.5"}),
        ("Average training loss: 0.5", {"Average_training_loss": "0.5"}),
        ("Namespace(epochs=10, lr=0.001)", {"lr": "0.001"}),
        ("Epoch: 3 starts", None),
        ("no numbers: here", None),
    ],
)
def test_pairs_of_a_line(line, row):
    assert key_value(line) == row


def test_lines_of_both_splits_are_kept_apart(read):
    text = "".join(
        f"\x1b[32mEpoch {e}: loss={1 / e} kl=0.{e}\x1b[0m\nval: loss={2 / e} kl=0.5\n"
        for e in (1, 2)
    )
    records = read("run.log", text).records
    assert [(r.train.total_loss, r.val.total_loss) for r in records] == [(1.0, 2.0), (0.5, 1.0)]
    assert [(r.train.kl_raw, r.val.kl_raw) for r in records] == [(0.1, 0.5), (0.2, 0.5)]


def test_the_output_of_a_redirected_windows_shell_is_read(read):
    assert len(read("out.txt", VAE.encode("utf-16")).records) == 3


@pytest.mark.parametrize("content", ["", "\n\n", "prose without any number\n", "a" * 3_000_000])
def test_text_without_a_measure_is_an_error_that_says_what_to_do(read, content):
    with pytest.raises(HistoryError, match="--pattern NAME"):
        read("out.txt", content)


def test_a_binary_file_is_refused(read):
    with pytest.raises(HistoryError, match="binary file"):
        read("model.bin", b"\x00\x01\x02PK\x03\x04" * 100)


@pytest.mark.parametrize("number", ["1e300", "12e+7"])
def test_an_epoch_with_an_exponent_is_no_small_one(number):
    assert key_value(f"epoch={number} kl=0.5")["epoch"] == number
