"""What all pages for instructors share: one file that runs and loads nothing, light or dark, on any width."""

import html

POLICY = "default-src 'none'; style-src 'unsafe-inline'"

STYLE = """
:root { color-scheme: light dark; --ink: #1f2430; --soft: #5d6472; --line: #dde1e8; --bar: #3b6ea8;
  --faint: #eef2f7; --bad: #a8451f; --paper: #fff; --link: #1f5a99; --mark: #fff0c2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7ee; --soft: #a3abba; --line: #3a404c;
  --bar: #6b9fdb; --faint: #21252d; --bad: #f2a182; --paper: #16191f; --link: #8ab8f0; --mark: #4a3d12; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1100px; padding: 2rem 1.5rem 4rem; color: var(--ink);
  background: var(--paper); overflow-wrap: break-word;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; } h2 { font-size: 1.15rem; margin: 2.4rem 0 .8rem; }
p { margin: .3rem 0; } .soft { color: var(--soft); }
.figures { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.4rem 0 0; }
.figures div { flex: 1 1 9rem; border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; }
.figures strong { display: block; font-size: 1.45rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .5rem .9rem .5rem 0;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; font-size: .85rem; color: var(--soft); white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.track { width: 9rem; min-width: 5rem; height: .6rem; margin-top: .45rem; background: var(--faint);
  border-radius: 3px; }
.track span { display: block; height: 100%; background: var(--bar); border-radius: 3px; }
.status { white-space: nowrap; } .status.other { color: var(--bad); font-weight: 600; }
.status .soft { font-weight: normal; }
ul { margin: 0; padding-left: 1.1rem; } .name { white-space: nowrap; }
.remarks { color: var(--soft); font-size: .92em; }
code { font: .92em ui-monospace, "SF Mono", Menlo, Consolas, monospace; background: var(--faint);
  padding: 0 .25em; border-radius: 3px; }
pre { margin: .3rem 0; padding: .6rem; background: var(--faint); border-radius: 6px; white-space: pre-wrap;
  font: .82rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
summary { cursor: pointer; }
a { color: var(--link); } svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
@media (max-width: 40rem) { body { padding: 1.2rem 1rem 3rem; } th, th.number { white-space: normal; }
  .track { width: 3rem; min-width: 2rem; } }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --bar: #3b6ea8;
  --bad: #8c1d18; --faint: #eef2f7; --paper: #fff; --link: #000; --mark: #fff0c2; }
  body { padding: 0; max-width: none; font-size: 11px; } tr, svg { break-inside: avoid; }
  thead { display: table-header-group; } a { color: inherit; text-decoration: none; } }
"""


def document(title, parts, style="", policy=POLICY):
    """The page of these parts, which are html, as text; ``style``: what this page has besides."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def figures(pairs):
    """The large numbers at the top of a page; ``pairs``: (name, value)."""
    boxes = "".join(f"<div><strong>{value}</strong>{name}</div>" for name, value in pairs)
    return f'<div class="figures">{boxes}</div>'


def table(heads, rows):
    """A table as html; ``heads``: (text, class), of which "number" is set to the right; cells are html."""
    kinds = [f' class="{kind}"' if kind else "" for _, kind in heads]
    top = "".join(
        f"<th{kind}>{text}</th>" if text else f"<td{kind}></td>"
        for (text, _), kind in zip(heads, kinds, strict=True)
    )
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>\n"
        for row in rows
    )
    return wide(f"<table><thead><tr>{top}</tr></thead>\n<tbody>\n{body}</tbody></table>")


def wide(inside):
    """Html that scrolls sideways where it is wider than the page, for keyboards as well."""
    return f'<div class="wide" tabindex="0">{inside}</div>'
