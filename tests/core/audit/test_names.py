import re
from pathlib import Path

import latentvqa
from latentvqa.core.audit.names import NAMES


def test_every_finding_has_a_name_of_its_own():
    folder = Path(latentvqa.__file__).parent / "core" / "audit"
    texts = [path.read_text("utf-8") for path in folder.glob("*.py") if path.name != "names.py"]
    codes = set(re.findall(r'"(DA\d{3})"', "".join(texts)))
    assert codes == NAMES.keys()
    assert len(set(NAMES.values())) == len(NAMES)
