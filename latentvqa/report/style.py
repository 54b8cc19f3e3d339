"""The colours of pages and pictures, light and dark."""

LIGHT = {
    "ground": "#fff",
    "card": "#f6f7f9",
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
}
DARK = {
    "ground": "#12161c",
    "card": "#1a2028",
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
}
