"""The style sheet of the HTML page, curves included."""

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


def _variables(colours: dict[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in colours.items())


_LAYOUT = """
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1020px;margin:0 auto;padding:20px 16px 48px}
h1{font-size:1.5rem;margin:0 0 12px;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:32px 0 10px}
p{margin:4px 0}
code,pre{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.9em}
.verdict{border-left:4px solid var(--soft);background:var(--card);padding:10px 14px;
border-radius:0 6px 6px 0;overflow-wrap:anywhere}
.verdict .level{font-weight:700}
.verdict.ok{border-color:var(--ok)}.verdict.ok .level{color:var(--ok)}
.verdict.info{border-color:var(--info)}.verdict.info .level{color:var(--info)}
.verdict.warning{border-color:var(--warning)}.verdict.warning .level{color:var(--warning)}
.verdict.critical{border-color:var(--critical)}.verdict.critical .level{color:var(--critical)}
.facts{display:flex;flex-wrap:wrap;gap:6px 28px;margin:16px 0 0}
.facts dt{color:var(--soft);font-size:.8rem}.facts dd{margin:0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:16px}
figure{margin:0;background:var(--card);border-radius:6px;padding:10px;min-width:0}
figcaption{font-weight:600;font-size:.9rem}
figure>svg{display:block;width:100%;height:auto}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;font-size:.85rem;color:var(--soft)}
.wide{overflow-x:auto}
.long{max-height:32rem;overflow-y:auto}
.long th{position:sticky;top:0;background:var(--ground)}
@media print{.long{max-height:none}}
.run{margin-top:56px;border-top:2px solid var(--rule);padding-top:20px}
a{color:var(--info)}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums;width:100%}
th,td{padding:4px 8px;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
th{color:var(--soft);font-weight:600;vertical-align:bottom}
th.right,td.right{text-align:right}
.findings td:nth-child(-n+3),.epochs td,.comparison td{white-space:nowrap}
.comparison td,.comparison th{padding:4px 5px}.comparison td:nth-child(2){white-space:normal}
.findings td:last-child{min-width:220px;overflow-wrap:anywhere}
@media (max-width:600px){.findings thead{display:none}.findings tr{display:block;
border-bottom:1px solid var(--rule);padding:6px 0}.findings td{display:inline-block;border:0;
padding:0 12px 0 0}.findings td:last-child{display:block}}
.past td{color:var(--soft)}
small{color:var(--soft)}
.tag{font-weight:600}.tag.ok{color:var(--ok)}.tag.info{color:var(--info)}
.tag.warning{color:var(--warning)}.tag.critical{color:var(--critical)}
.samples{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px}
.samples img{width:100%;border-radius:4px;image-rendering:auto}
.samples p{overflow-wrap:anywhere}
details{margin-top:32px}summary{cursor:pointer;font-weight:600}
pre{overflow-x:auto;background:var(--card);padding:12px;border-radius:6px}
"""

CHART_STYLE = """
svg .grid{stroke:var(--rule);stroke-width:1}
svg text{font-size:11px;fill:var(--soft)}
svg .stage-name{font-size:10px}
svg .band{fill:var(--ok);fill-opacity:.14}svg .stage{fill:var(--soft);fill-opacity:.09}
svg .mark-line{stroke:var(--soft);stroke-width:1;stroke-dasharray:3 3}
svg .curve{fill:none;stroke-width:2}
svg .c0{stroke:var(--c0)}svg .c1{stroke:var(--c1)}svg .c2{stroke:var(--c2)}svg .c3{stroke:var(--c3)}
svg .dot{stroke-width:0}
svg .start{stroke-width:2}
svg .start.ok{stroke:var(--ok)}svg .start.info{stroke:var(--info)}
svg .start.warning,svg .start.critical{stroke-width:1.5;stroke-dasharray:2 2}
svg .start.warning{stroke:var(--warning)}svg .start.critical{stroke:var(--critical)}
svg .bar{fill-opacity:.28}svg .bar.past{fill-opacity:.1}
svg .bar.ok{fill:var(--ok)}svg .bar.info{fill:var(--info)}
svg .bar.warning{fill:var(--warning)}svg .bar.critical{fill:var(--critical)}
svg .bar-name{fill:var(--ink)}
svg .dot.c0{fill:var(--c0)}svg .dot.c1{fill:var(--c1)}
svg .dot.c2{fill:var(--c2)}svg .dot.c3{fill:var(--c3)}
"""

STYLE = (
    f":root{{color-scheme:light dark;{_variables(LIGHT)}}}\n"
    f"@media (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}{_LAYOUT}{CHART_STYLE}"
)
