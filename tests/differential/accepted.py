"""The disagreements that are meant to be: accepted.list, read and matched.

Each line: NAME-PATTERN TYPES WHAT | reason. NAME-PATTERN is a shell pattern for the name in small letters, without the
final dot; TYPES a list with commas, or *; WHAT is rcode, answer, ad, or *.
"""

import fnmatch


class Accepted:
    def __init__(self, rules):
        self.rules = rules
        self.used = set()

    def reason(self, name, kind, part):
        plain = name.lower().rstrip(".") or "."
        for pattern, kinds, what, reason in self.rules:
            if what in (part, "*") and ("*" in kinds or kind in kinds) and fnmatch.fnmatchcase(plain, pattern):
                self.used.add((pattern, kinds, what))
                return reason
        return None

    def unused(self):
        return [" ".join((pattern, ",".join(kinds), what)) for pattern, kinds, what, _ in self.rules if (pattern, kinds, what) not in self.used]


def read(path):
    rules = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        fields, bar, reason = line.partition("|")
        words = fields.split()
        if not bar or len(words) != 3 or not reason.strip():
            raise SystemExit(f"{path}:{number}: NAME-PATTERN TYPES WHAT | reason, where WHAT is rcode, answer, ad or *")
        rules.append((words[0], tuple(words[1].split(",")), words[2], reason.strip()))
    return Accepted(rules)
