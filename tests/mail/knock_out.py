"""Can the comparison fail? From each row of the table the answer that it asks for is made, which must agree; then one
thing at a time is spoiled, and each spoiled answer must be noticed."""

import copy

from mail.compare import CODE_NAMES, TLSRPT, compare
from mail.table import OUTCOME, SECURITY

NOW = 1795305600


def made_status(expected, more, which):
    one = expected.split("/")[0]
    if one == "-":
        return None
    if one == "B":
        status = {"security": "bogus", "outcome": "failure", "records": []}
    else:
        security = SECURITY.get(one[0], "indeterminate")
        status = {"security": security, "outcome": OUTCOME[one[1]], "records": []}
        if "(" in one:
            usable, total = (int(n) for n in one[3:-1].split("of"))
            status["records"] = [{"usable": n < usable, "why": None if n < usable else "because"} for n in range(total)]
    code = more.get(f"ede.{which}")
    age = int(more.get(f"maxage.{which}", 3600))
    return {**status, "expires": NOW + age, "reason": "because", "ede": {"code": int(code), "text": "so"} if code else None}


def made_code(code):
    return f"{code} {CODE_NAMES.get(code, 'something')}" if code else None


def made_host(host):
    made = {"name": host.name, "preference": host.preference, "flags": [], "alias": None}
    for which in ("a", "aaaa", "tlsa"):
        made[which] = made_status(getattr(host, which), host.more, which)
    if made["tlsa"] is not None:
        made["tlsa"].update(base=host.base, name=host.tlsa_name)
    alias = host.more.get("alias")
    if alias and alias != "any":
        made["alias"] = {"security": SECURITY[alias], "chain": [host.name, "x"], "expanded": "x"}
    action, _, code = host.policy.split("/")[0].partition(":")
    names = host.more["names"].split(",") if "names" in host.more else [host.base]
    made["policy"] = {"action": action, "sni": host.base, "names": names, "code": made_code(code), "tlsrpt": TLSRPT.get(code),
                      "text": "because"}
    return made


def made_answer(row, canonical):
    # The first alternatives of a row need not fit together: comparisons are independent of each other.
    action, detail, *auth = row.decision.split("/")[0].split(":")
    deliver = action == "deliver"
    decision = {"action": action, "level": detail if deliver else None, "authenticated": bool(auth), "text": "because",
                "code": None if deliver else made_code(detail), "tlsrpt": None if deliver else TLSRPT.get(detail),
                "retry_after": 900 if action == "defer" else None}
    return {"id": 7, "version": 1, "domain": canonical, "asked": row.domain, "time": NOW, "expires": NOW + 1,
            "decision": decision, "mx": made_status(row.mx, row.more, "mx"), "hosts": [made_host(host) for host in row.hosts],
            "flags": [row.more["flag"]] if "flag" in row.more else []}


def spoiled(row, answer):
    """(what was spoiled, the spoiled answer)"""
    def variant(what, change):
        other = copy.deepcopy(answer)
        change(other)
        return what, other

    yield variant("action", lambda a: a["decision"].update(action="bounce" if "bounce" not in row.decision else "deliver"))
    yield variant("authenticated", lambda a: a["decision"].update(authenticated=not a["decision"]["authenticated"]))
    yield variant("level or code", lambda a: a["decision"].update(level="nonsense", code="4.0.0 nonsense"))
    yield variant("decision text", lambda a: a["decision"].update(text=""))
    if row.mx != "-":
        yield variant("mx security", lambda a: a["mx"].update(security="bogus" if row.mx[0] == "?" else "secure" if row.mx[0] != "S" else "insecure"))
        if row.mx != "B":
            yield variant("mx outcome", lambda a: a["mx"].update(outcome="nodata" if row.mx[1] != "0" else "nxdomain"))
        yield variant("mx not asked", lambda a: a.update(mx=None))
    if "flag" in row.more:
        yield variant("flag", lambda a: a.update(flags=[]))
    for key in row.more:
        if key == "ede.mx":
            yield variant("EDE", lambda a: a["mx"].update(ede=None))
        if key == "maxage.mx":
            yield variant("age", lambda a: a["mx"].update(expires=a["mx"]["expires"] + 10))
    if row.more.get("hosts") == "any":
        return
    yield variant("a host more", lambda a: a["hosts"].append({"name": "evil.example", "flags": []}))
    for n, host in enumerate(row.hosts):
        yield variant(f"without host {n}", lambda a, n=n: a["hosts"].pop(n))
        for which in ("a", "aaaa", "tlsa"):
            status = getattr(host, which)
            if status == "-":
                yield variant(f"{which} asked", lambda a, n=n, w=which: a["hosts"][n].update(
                    {w: {"security": "secure", "outcome": "records", "expires": NOW}}))
                continue
            worse = "insecure" if status[0] != "I" else "secure"
            if status[0] != "?":
                yield variant(f"{which} security", lambda a, n=n, w=which, s=worse: a["hosts"][n][w].update(security=s))
            else:
                yield variant(f"{which} bogus", lambda a, n=n, w=which: a["hosts"][n][w].update(security="bogus"))
            yield variant(f"{which} not asked", lambda a, n=n, w=which: a["hosts"][n].update({w: None}))
        weaker = "may" if not host.policy.startswith("may") else "dane"
        yield variant("policy", lambda a, n=n, p=weaker: a["hosts"][n]["policy"].update(action=p))
        if ":" in host.policy.split("/")[0]:
            yield variant("policy code", lambda a, n=n: a["hosts"][n]["policy"].update(code=None))
        if host.policy == "dane":
            yield variant("SNI", lambda a, n=n: a["hosts"][n]["policy"].update(sni="evil.example"))
            yield variant("base", lambda a, n=n: a["hosts"][n]["tlsa"].update(base="evil.example"))
        if "names" in host.more:
            yield variant("names", lambda a, n=n: a["hosts"][n]["policy"]["names"].append("evil.example"))
        if "(" in host.tlsa:
            yield variant("TLSA count", lambda a, n=n: a["hosts"][n]["tlsa"]["records"].append({"usable": True}))


def check(rows, canonical):
    """(number of spoiled answers, what went unnoticed or was wrongly noticed)"""
    wrong = []
    tried = 0
    for row in rows:
        answer = made_answer(row, canonical(row.domain))
        wrong += [f"{row.domain}: the right answer is not accepted: {sentence}"
                  for sentence in compare(row, answer, canonical(row.domain))]
        for what, other in spoiled(row, answer):
            tried += 1
            if not compare(row, other, canonical(row.domain)):
                wrong.append(f"{row.domain}: {what} spoiled, and not noticed")
    return tried, wrong
