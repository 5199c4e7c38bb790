"""C++ as far as the house rules need it: sources without comments and literals, and where a place is."""
import re

TOKEN = re.compile(r'''
    (?P<line>//[^\n]*)
  | (?P<block>/\*.*?\*/)
  | (?P<raw>R"(?P<tag>[^()\s]{0,16})\(.*?\)(?P=tag)")
  | (?P<string>"(?:\\.|[^"\\\n])*")
  | (?P<char>(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+')
''', re.X | re.S)


def blank(text: str) -> str:
    """The same text with spaces for everything but line ends."""
    return re.sub(r"[^\n]", " ", text)


def without_comments(source: str) -> str:
    """Comments blanked, literals kept; every place keeps its line and column."""
    return TOKEN.sub(lambda m: blank(m[0]) if m["line"] is not None or m["block"] is not None else m[0], source)


def bare(source: str) -> str:
    """Comments and the insides of literals blanked, preprocessor lines too."""
    def replace(match: re.Match) -> str:
        if match["line"] is not None or match["block"] is not None:
            return blank(match[0])
        quote = match[0][-1]
        return quote + blank(match[0][1:-1]) + quote
    text = TOKEN.sub(replace, source)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: blank(m[0]), text, flags=re.M)


def line_of(source: str, offset: int) -> int:
    return source.count("\n", 0, offset) + 1


def matching(text: str, opening: int) -> int:
    """Offset of the bracket that closes the one at `opening`, or -1."""
    pairs = {"(": ")", "{": "}", "[": "]", "<": ">"}
    left, right = text[opening], pairs[text[opening]]
    depth = 0
    for offset in range(opening, len(text)):
        if text[offset] == left:
            depth += 1
        elif text[offset] == right and not (right == ">" and text[offset - 1] == "-"):
            depth -= 1
            if depth == 0:
                return offset
        elif left == "<" and text[offset] in ";{}":
            return -1
    return -1


def split_top(text: str) -> list[str]:
    """Parts between commas that stand in no bracket."""
    parts, depth, start = [], 0, 0
    for offset, char in enumerate(text):
        if char in "([{<":
            depth += 1
        elif char in ")]}" or (char == ">" and text[offset - 1] != "-"):
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:offset])
            start = offset + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]
