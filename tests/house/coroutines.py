"""The coroutine rule (resolver/README.md): what g++ 12 compiles wrongly is not written at all.

Every co_await stands in a statement of one of four forms, and nothing else does:
    co_await f(x);    co_return co_await f(x);    T name = co_await f(x);    name = co_await f(x);
"""
import re

from house.code import bare, line_of, matching, split_top

# What may stand before the awaiting statement itself: it is a statement of its own there.
CONTROL = re.compile(r"\s*(?:(?:if(?:\s+constexpr)?|while|for|switch)\s*(?=\()|else\b|do\b|case\b[^:;]*:(?!:)|default\s*:|\w+\s*:(?!:)|"
                     r"\[\[\w+\]\])")
LAMBDA = re.compile(r"(?:^|[^\w\])>])\[[^\[\]]*\]\s*(?:<[^{}]*>\s*)?(?:\([^{}]*\)\s*)?(?:mutable\b|noexcept\b|constexpr\b|->[^{}()]*|\s)*$")
ASSIGNMENT = re.compile(r"^[\w:<>,\s.*\[\]&()]*?(?:->[\w.]+)*\s*(?<![=!<>+\-*/|&^%])=(?!=)\s*$")


def opens_block(text: str, brace: int) -> bool:
    """Does this brace open a block (and not the initialiser of an expression)?"""
    before = text[:brace].rstrip()
    if not before or before[-1] in ");:{}":
        return True
    if before[-1] == ">":       # a trailing return type, or Type<T>{…}
        return re.search(r"\)\s*(?:\w+\s*)*->[^;{}()]*$", before[-200:]) is not None
    word = re.search(r"\w+$", before)
    return word is not None and (word[0] in ("else", "do", "try", "const", "noexcept", "override", "final", "mutable") or
                                 re.search(r"->\s*[\w:]+$|\b(?:namespace|struct|class|union|enum)\b[^;{}()]*$", before[-200:]) is not None)


def statement_start(text: str, offset: int) -> tuple[int, bool]:
    """Where the statement around `offset` begins, and whether the place is inside parentheses or braces of an expression."""
    depth = 0
    for place in range(offset - 1, -1, -1):
        char = text[place]
        if char in ")]":
            depth += 1
        elif char in "([":
            if depth == 0:
                return place + 1, True
            depth -= 1
        elif char in ";{}" and depth == 0:
            return place + 1, char == "{" and not opens_block(text, place)
    return 0, False


def statement_end(text: str, offset: int) -> int:
    depth = 0
    for place in range(offset, len(text)):
        char = text[place]
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth < 0:
                return place
        elif char == ";" and depth == 0:
            return place
    return len(text)


def strip_control(left: str) -> str:
    """`if (x) `, `else `, `case y:` before the statement proper."""
    while (match := CONTROL.match(left)) is not None:
        rest = left[match.end():]
        if rest.startswith("("):
            close = matching(rest, 0)
            if close < 0:
                return left
            rest = rest[close + 1:]
        left = rest
    return left


def complaint(left: str, right: str, inside: bool) -> str | None:
    """What is wrong with the statement `left co_await right;`, if anything."""
    if inside:
        return "inside parentheses, braces or a condition: give it a statement of its own"
    left = strip_control(left)
    if "co_await" in right:
        return "two awaits in one statement"
    if "{" in right:
        return "braces or a lambda in an awaiting statement: name a local first"
    if "?" in right or "?" in left:
        return "?: in an awaiting statement"
    if "&&" in right or "||" in right or re.search(r"[^=!<>]==|!=", right):
        return "a condition in an awaiting statement: name a local first"
    if re.search(r"(?:^|[^\w\])>])\s*\[", right):
        return "a lambda in an awaiting statement: name a local first"
    plain = right
    while (reduced := re.sub(r"\([^()]*\)", " ", plain)) != plain:
        plain = reduced
    plain = plain.replace("->", ".")
    plain = re.sub(r"<[\w:\s,<>*]*>\s*$|<[\w:\s,<>*]*>(?=\s*(?:::|\.|\s|$))", "", plain).strip()
    if not re.fullmatch(r"[\w:.*\s]*", plain) or re.search(r"\w\s+\w", plain):
        return "more than one call: co_await is the whole right-hand side"
    if left.strip() in ("", "co_return") or re.fullmatch(r"\s*(?:\(void\)|static_cast<void>)\s*", left):
        return None
    if re.search(r"\bauto\s*&{0,2}\s*\[", left):
        return "a structured binding of an awaited value"
    if not ASSIGNMENT.match(left.strip()):
        return "co_await is not the whole right-hand side"
    target = left.strip()[:-1]
    if re.search(r"&\s*\w+\s*$", target):
        return "a reference to an awaited value: nothing borrowed crosses an await"
    if "[" in target or "(" in target:
        return "assigned into a container or through a call: name a local, assign in the next statement"
    return None


def lambda_bodies(text: str) -> list[tuple[int, int]]:
    spans = []
    for match in re.finditer(r"\{", text):
        head = text[max(0, match.start() - 400):match.start()]
        if LAMBDA.search(head):
            close = matching(text, match.start())
            spans.append((match.start(), close if close >= 0 else len(text)))
    return spans


def awaits(files: dict[str, str]) -> list[str]:
    found = []
    for path, source in files.items():
        text = bare(source)
        if not re.search(r"\bco_(await|return|yield)\b", text):
            continue
        lambdas = lambda_bodies(text)
        for match in re.finditer(r"\bco_(?:await|return|yield)\b", text):
            if any(start < match.start() < end for start, end in lambdas):
                found.append(f"{path}:{line_of(text, match.start())}: a lambda is no coroutine: write a named function")
        for match in re.finditer(r"\bco_await\b", text):
            start, inside = statement_start(text, match.start())
            if re.search(r"operator\s*$", text[start:match.start()]):
                continue
            wrong = complaint(text[start:match.start()], text[match.end():statement_end(text, match.end())], inside)
            if wrong:
                found.append(f"{path}:{line_of(text, match.start())}: {wrong}")
    return sorted(set(found))


TASK = re.compile(r"\bTask<")
BORROWED = re.compile(r"\b(?:BytesView|string_view|span)\b")
# The words that make a borrowed parameter a promise; on the declaration's lines or in the comment above it.
PROMISE = re.compile(r"awaited in the same statement|outlives? the (?:task|await|coroutine)")


def task_functions(text: str):
    """name, offset, parameters of everything that is declared to return a Task."""
    for match in TASK.finditer(text):
        close = matching(text, match.end() - 1)
        if close < 0:
            continue
        name = re.match(r"\s+((?:\w+(?:<[^<>]*>)?::)*~?\w+)\s*\(", text[close + 1:])
        if name is None:
            continue
        opening = close + 1 + name.end() - 1
        end = matching(text, opening)
        if end < 0 or not re.match(r"\s*(?:const|noexcept|override|final|=\s*0|->|\{|;|requires)", text[end + 1:end + 40]):
            continue
        yield name[1].split("::")[-1], match.start(), text[opening + 1:end]


def parameters(files: dict[str, str]) -> list[str]:
    """No borrowed parameters of tasks, unless a comment beside the declaration promises who keeps them alive."""
    promised, wrong = set(), []
    for path, source in files.items():
        text = bare(source)
        lines = source.splitlines()
        for name, offset, inner in task_functions(text):
            first, last = line_of(text, offset) - 1, line_of(text, offset + len(inner))
            above = first
            while above > 0 and lines[above - 1].lstrip().startswith("//"):
                above -= 1
            where = "/".join(path.split("/")[:2])
            if PROMISE.search(" ".join(line.strip().lstrip("/ ") for line in lines[above:last + 1])):
                promised.add((where, name))
            for parameter in split_top(inner):
                plain = parameter
                while (reduced := re.sub(r"<[^<>]*>|\([^()]*\)", "", plain)) != plain:
                    plain = reduced
                if "&" in plain or BORROWED.search(plain):
                    wrong.append((where, name, f"{path}:{first + 1}: {name}() borrows `{' '.join(parameter.split())}` across an await"))
    return sorted({line for where, name, line in wrong if (where, name) not in promised})
