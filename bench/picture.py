"""The table of bench/run as a picture: for each figure a bar for each resolver, as a ratio to the best peer."""

from html import escape

WIDTH, LEFT, BAR, GAP, HEAD = 960, 330, 11, 14, 46
SHADES = {"mxtrust": "#0b6e4f", "unbound": "#8a8f98", "bind": "#a9adb5", "powerdns": "#c3c6cc", "knot": "#6d727b"}
MOST = 4.0  # longest bar, in times of the best peer


def draw(rows, names):
    """An SVG. Bars longer than MOST times the best peer's are cut and say so."""
    block = BAR * len(names) + GAP
    height = HEAD + block * len(rows) + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="11">',
           f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
           f'<text x="12" y="20" font-size="14">mxtrust beside other resolvers: length = value / best peer\'s</text>']
    unit = (WIDTH - LEFT - 90) / MOST
    for place, name in enumerate(names):
        out.append(f'<rect x="{LEFT + 110 * place}" y="28" width="10" height="10" fill="{SHADES[name]}"/>'
                   f'<text x="{LEFT + 14 + 110 * place}" y="37">{escape(name)}</text>')
    for number, (row, middle, best, verdict) in enumerate(rows):
        top = HEAD + number * block
        arrow = "more is better" if row.better == "more" else "less is better"
        out.append(f'<text x="12" y="{top + 11}">{escape(row.title)}</text><text x="12" y="{top + 24}" fill="#777">{arrow}'
                   f'{escape("; target " + row.target[0] + ": " + verdict.lower()) if verdict else ""}</text>')
        for place, name in enumerate(names):
            if name not in middle or not best:
                continue
            ratio = middle[name] / best
            long = min(ratio, MOST)
            y = top + place * BAR
            out.append(f'<rect x="{LEFT}" y="{y}" width="{max(1.0, long * unit):.1f}" height="{BAR - 2}" fill="{SHADES[name]}"/>'
                       f'<text x="{LEFT + long * unit + 4:.1f}" y="{y + 8}" font-size="9">{ratio:.2f}{" (cut)" if ratio > MOST else ""}</text>')
        out.append(f'<line x1="{LEFT + unit:.1f}" x2="{LEFT + unit:.1f}" y1="{top - 2}" y2="{top + BAR * len(names)}" stroke="#c33" stroke-dasharray="2 2"/>')
    return "\n".join([*out, "</svg>", ""])
