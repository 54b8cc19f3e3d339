import pytest
from PIL import Image

from latentvqa.data.formats.kinds import FORMATS, HEAD_BYTES, Kind, kind_of


@pytest.mark.parametrize("name", FORMATS)
def test_a_saved_image_is_known_by_its_content(tmp_path, name):
    Image.new("RGB", (8, 8)).save(tmp_path / "x", name)
    head = (tmp_path / "x").read_bytes()[:HEAD_BYTES]
    assert kind_of(head) == Kind(name, is_read=True)


def box(*brands):
    content = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return (len(content) + 4).to_bytes(4, "big") + content


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (box(b"avif", b"mif1"), Kind("AVIF", is_read=True)),
        (box(b"mif1", b"miaf", b"avif"), Kind("AVIF", is_read=True)),
        (box(b"heic", b"mif1"), Kind("HEIC", is_read=False)),
        (box(b"mif1", b"heic"), Kind("HEIC", is_read=False)),
        (box(b"mp42", b"isom"), None),
        (b"\xff\x0a" + bytes(20), Kind("JPEG XL", is_read=False)),
        (b"8BPS" + bytes(20), Kind("Photoshop", is_read=False)),
        (b"BMW is a car and no picture", None),
        (b"RIFF....WAVE", None),
        (b"\xff\xd8", None),
        (b"", None),
    ],
)
def test_containers_and_lookalikes_are_told_apart(head, kind):
    assert kind_of(head) == kind
