"""The table of bench/run, from the raw results of a run; also into bench/README.md, between two marks."""

import statistics
from pathlib import Path

from figures import ROWS

NOISY = 0.20  # rounds lie further apart, or others use more of the machine
README = Path(__file__).resolve().parent / "README.md"
BEGIN, END = "<!-- table: written by bench/run --readme -->", "<!-- end of the table -->"


def shown(value, unit):
    if value is None:
        return "–"
    digits = 0 if value >= 1000 else 1 if value >= 20 else 2
    return f"{value:,.{digits}f}" + (f" {unit}" if unit else "")


def spread(values):
    """How far the rounds lie apart, as a part of their median."""
    return (max(values) - min(values)) / statistics.median(values) if len(values) > 1 and statistics.median(values) else 0.0


def rows_of(results):
    """(row, {resolver: median}, best peer, verdict, ratio, remark) for each row that was measured."""
    rows = []
    for row in ROWS:
        measured = results["raw"].get(row.key)
        if not measured:
            continue
        middle = {name: statistics.median(values) for name, values in measured.items()}
        peers = [value for name, value in middle.items() if name != "mxtrust"]
        best = (max if row.better == "more" else min)(peers) if peers else None
        own = middle.get("mxtrust")
        words, holds = row.target
        verdict = "" if holds is None or own is None else "reached" if holds(own, best) else "MISSED"
        apart = [f"{name} ±{spread(values) / 2:.0%}" for name, values in measured.items() if spread(values) > NOISY]
        rows.append((row, middle, best, verdict, own / best if own is not None and best else None, ", ".join(apart)))
    return rows


def head(results):
    busy = results["busy"]
    text = f"{results['world']}; {results['machine']}; rounds: {results['rounds']}"
    if busy:
        text += f"; others used {statistics.median(busy):.0%} of the machine, {max(busy):.0%} at most"
        if statistics.median(busy) > NOISY:
            text += ": TOO NOISY for figures that mean much"
    return text


def table(results):
    names = results["resolvers"]
    lines = [head(results), "", f"{'':55}" + "".join(f"{name:>14}" for name in names) + f"{'own/best peer':>15}  target"]
    for row, middle, _, verdict, ratio, apart in rows_of(results):
        lines.append((f"{row.title:55}" + "".join(f"{shown(middle.get(name), row.unit):>14}" for name in names) +
                      f"{f'{ratio:.2f}' if ratio else '–':>15}  {row.target[0]} {verdict}" + (f"  noisy: {apart}" if apart else "")).rstrip())
    return "\n".join([*lines, *(f"remark: {remark}" for remark in results["remarks"]), *(f"went wrong: {error}" for error in results["errors"])])


def into_readme(runs):
    """`runs`: {file in this folder: raw results}."""
    text = README.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    tables = "\n\n".join(f"Raw results: `{source}`; the picture beside it.\n\n```\n{table(results)}\n```" for source, results in runs.items())
    README.write_text(f"{before}{BEGIN}\n{tables}\n{END}{after}")
