"""The texts of a figure as they are drawn: where they lie, and which of them hide another."""

from itertools import combinations

from matplotlib.text import Text

from latentvqa.report.picture import take_texts_as_they_are

TOUCH = 1.0  # pixels by which two boxes may overlap: their lines have a gap of their own


def boxes(figure):
    """Every text that is seen, with its box in pixels."""
    take_texts_as_they_are(figure)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    beyond = _beyond_their_axis(figure)
    return [
        (text.get_text(), text.get_window_extent(renderer))
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in beyond
    ]


def _beyond_their_axis(figure):
    """Labels of ticks that lie outside of what their axis shows, and so are never drawn."""
    found = set()
    for axes in figure.get_axes():
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not low <= tick.get_loc() <= high:
                    found |= {tick.label1, tick.label2}
    return found


def overlapping(figure):
    """Pairs of texts that hide each other."""
    return [
        (one, other)
        for (one, a), (other, b) in combinations(boxes(figure), 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > TOUCH and min(a.y1, b.y1) - max(a.y0, b.y0) > TOUCH
    ]


def outside(figure):
    """Texts that leave the picture."""
    whole = figure.bbox
    return [
        text
        for text, box in boxes(figure)
        if box.x0 < whole.x0 - TOUCH
        or box.y0 < whole.y0 - TOUCH
        or box.x1 > whole.x1 + TOUCH
        or box.y1 > whole.y1 + TOUCH
    ]
