"""The colours of pages and pictures, light and dark, and of terminals, which may be either."""

# Of a terminal nobody knows the ground: on white and on black these have the same
# contrast, 4.5 to 1. Rich takes the nearest where a terminal has fewer colours.
OK, INFO, WARNING, CRITICAL = "#138831", "#1079c4", "#b25f00", "#ea1313"
NOT_JUDGED = "#bd3fbd"

LIGHT = {
    "ground": "#fff",
    "card": "#f6f7f9",
    "frame": "#e7eaee",
    "ink": "#1c2128",
    "soft": "#59636e",
    "rule": "#d5dae0",
    "ok": "#1a7f37",
    "info": "#0969da",
    "warning": "#9a6700",
    "critical": "#cf222e",
    "c0": "#0969da",
    "c1": "#c2410c",
    "c2": "#1a7f37",
    "c3": "#8250df",
    "c4": "#0e7490",
    "c5": "#b4237a",
    "c6": "#7a5c00",
    "c7": "#57606a",
}
DARK = {
    "ground": "#12161c",
    "card": "#1a2028",
    "frame": "#0b0e12",
    "ink": "#e4e8ee",
    "soft": "#9aa5b1",
    "rule": "#333c47",
    "ok": "#4ac26b",
    "info": "#6cb6ff",
    "warning": "#e0b341",
    "critical": "#ff7b72",
    "c0": "#6cb6ff",
    "c1": "#f0904f",
    "c2": "#4ac26b",
    "c3": "#c297ff",
    "c4": "#5fd0e0",
    "c5": "#ff8fc7",
    "c6": "#d6c25a",
    "c7": "#b6c2cf",
}
