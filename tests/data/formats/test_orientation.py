import pytest
from PIL import Image

from latentvqa.data.formats.orientation import orientation_in, orientation_of


def exif(value):
    known = Image.Exif()
    known[0x0112] = value
    return known.tobytes()


XMP = b'<rdf:Description tiff:Orientation="3"/>'


@pytest.mark.parametrize(
    ("exif", "xmp", "orientation"),
    [
        (exif(6), None, 6),
        (exif(6), XMP, 6),
        (None, XMP, 3),
        (None, b"<tiff:Orientation>8</tiff:Orientation>", 8),
        (b"junk", XMP, 3),
        (exif(9), XMP, 3),
        (exif(0), None, 1),
        (exif(6)[:9], None, 1),
        (None, b'tiff:Orientation="9"', 1),
        (None, None, 1),
    ],
)
def test_what_metadata_say_counts_only_if_it_can_be_read(exif, xmp, orientation):
    assert orientation_in(exif, xmp) == orientation


def test_an_open_image_with_junk_for_metadata_is_upright(tmp_path):
    for metadata, orientation in ((exif(5), 5), (b"junk", 1), (exif(5)[:9], 1)):
        Image.new("RGB", (8, 8)).save(tmp_path / "x.webp", exif=metadata)
        with Image.open(tmp_path / "x.webp") as image:
            assert orientation_of(image) == orientation
