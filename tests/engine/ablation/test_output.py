from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.engine.ablation.output import LinePrinter
from tests.runs import HEADER, make_run


def test_an_output_file_gets_a_line_per_epoch_and_the_whole_table_at_the_end(capsys):
    records = make_run(3)
    printer = LinePrinter()
    printer.progress("questions", 1, 2)
    printer.notice("run folder: a\x1b[31m\udcff")
    for count in (1, 2, 3):
        printer.epoch(HEADER, records[:count], diagnose(HEADER, records[:count]))
    known = capsys.readouterr()
    notice, *lines = known.out.splitlines()
    assert (notice, known.err) == ("run folder: a\\x1b[31m\\udcff", "")
    assert [line.split("  ")[0] for line in lines] == ["epoch 0/49", "epoch 1/49", "epoch 2/49"]
    verdict = diagnose(HEADER, records)
    printer.trained(HEADER, records)
    printer.judged(verdict)
    table = capsys.readouterr().out
    assert table.splitlines()[0].strip() == "demo"
    assert " ".join(verdict.verdict.sentence.split()[:5]) in table
    assert "\x1b" not in table and max(map(len, table.splitlines())) <= 80
