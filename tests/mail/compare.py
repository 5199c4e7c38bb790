"""Compares a mail answer with its row of expected.table. Pure: no network, no files."""

from mail.table import agrees

# Codes whose name the protocol fixes; of the others the number is compared.
CODE_NAMES = {"4.7.324": "dnssec-invalid", "4.4.312": "DNS query failed", "5.1.10": "null MX"}
TLSRPT = {"4.7.324": "dnssec-invalid"}
# Hosts that are listed only to be flagged: they need not be in the table.
DROPPED = {"address-literal", "invalid-name", "malformed-null-mx"}
SHORT = {"secure": "S", "insecure": "I", "bogus": "B", "indeterminate": "X", "records": "+", "nodata": "0", "nxdomain": "x",
         "failure": "!"}
WHICH = ("a", "aaaa", "tlsa")


def short(status):
    """A status as the table writes it."""
    if status is None:
        return "-"
    return SHORT.get(status.get("security"), "?") + SHORT.get(status.get("outcome"), "?")


def compare_status(what, expected, status, time):
    """What is wrong with one RRset's status."""
    if status is None:
        return [] if "-" in expected.split("/") else [f"{what} was not asked, expected {expected}"]
    if expected == "-":
        return [f"{what} was asked ({short(status)}), and must not be"]
    wrong = []
    security, outcome = status.get("security"), status.get("outcome")
    if not agrees(expected, security, outcome):
        wrong.append(f"{what} is {short(status)}, expected {expected}: {status.get('reason')}")
    if security == "bogus" and status.get("records"):
        wrong.append(f"{what} is bogus and carries records")
    if security in ("bogus", "indeterminate") and not status.get("reason"):
        wrong.append(f"{what} is {security} without a reason")
    if outcome == "records" and security == "secure" and status.get("expires", 0) < time:
        wrong.append(f"{what} has expired before it was said")
    ede = status.get("ede")
    if ede is not None and not (isinstance(ede.get("code"), int) and ede.get("text")):
        wrong.append(f"{what} has an odd ede: {ede}")
    return wrong


def compare_count(expected, status):
    """S+(1of2): how many TLSA records there are and how many can be used."""
    if status is None or "(" not in expected or status.get("outcome") != "records":
        return []
    usable, total = expected[expected.index("(") + 1:expected.index(")")].split("of")
    records = status.get("records", [])
    found = sum(1 for record in records if record.get("usable") is True)
    wrong = [f"tlsa: a record is unusable without saying why: {r}" for r in records if not r.get("usable") and not r.get("why")]
    if (found, len(records)) != (int(usable), int(total)):
        wrong.append(f"tlsa: {found} of {len(records)} usable, expected {usable} of {total}")
    return wrong


def compare_more(what, key, value, status, time):
    """ede.X=CODE and maxage.X=SECONDS."""
    if status is None:
        return [f"{what} was not asked"]
    if key == "ede":
        code = (status.get("ede") or {}).get("code")
        return [] if code == int(value) else [f"{what} has EDE {code}, expected {value}"]
    age = status.get("expires", 0) - time
    return [] if age <= int(value) else [f"{what} is good for {age} s, at most {value} were expected"]


def compare_code(what, found, expected):
    if expected is None:
        return [] if found is None else [f"{what} has the code {found}, expected none"]
    name = CODE_NAMES.get(expected)
    right = found == f"{expected} {name}" if name else str(found).split()[0] == expected
    return [] if right else [f"{what} has the code {found}, expected {expected} {name or ''}".rstrip()]


def compare_policy(host, policy):
    name = host.name
    alternatives = [one.partition(":") for one in host.policy.split("/")]
    found = policy.get("action")
    match = [one for one in alternatives if one[0] == found]
    if not match:
        return [f"{name}: policy {found}, expected {host.policy}: {policy.get('text')}"]
    wrong = []
    action, _, code = match[0]
    if code:
        wrong += compare_code(f"{name}: policy", policy.get("code"), code)
        if code in TLSRPT and policy.get("tlsrpt") != TLSRPT[code]:
            wrong.append(f"{name}: tlsrpt is {policy.get('tlsrpt')}, expected {TLSRPT[code]}")
    if action != "dane" and not policy.get("text"):
        wrong.append(f"{name}: {action} without a text")
    if action == "dane":
        if policy.get("sni") != host.base:
            wrong.append(f"{name}: SNI {policy.get('sni')}, expected {host.base}")
        names = policy.get("names") or [None]
        if names[0] != host.base:
            wrong.append(f"{name}: first reference identifier {names[0]}, expected {host.base}")
    if "names" in host.more and sorted(policy.get("names") or []) != sorted(host.more["names"].split(",")):
        wrong.append(f"{name}: reference identifiers {policy.get('names')}, expected {host.more['names']}")
    return wrong


def compare_alias(host, alias):
    expected = host.more.get("alias")
    if expected == "any":
        return []
    found = "-" if alias is None else SHORT.get(alias.get("security"), "?")
    wrong = [] if found == (expected or "-") else [f"{host.name}: alias is {found}, expected {expected or '-'}"]
    if alias is not None and (not alias.get("chain") or alias["chain"][0] != host.name or
                              alias["chain"][-1] != alias.get("expanded")):
        wrong.append(f"{host.name}: the alias chain does not lead from the host to the expanded name: {alias}")
    return wrong


def compare_host(host, found, time):
    wrong = []
    if found.get("preference") != host.preference:
        wrong.append(f"{host.name}: preference {found.get('preference')}, expected {host.preference}")
    for which in WHICH:
        wrong += compare_status(f"{host.name} {which}", getattr(host, which), found.get(which), time)
    tlsa = found.get("tlsa")
    wrong += [f"{host.name} {one}" for one in compare_count(host.tlsa, tlsa)]
    if tlsa is not None and ("base" in host.more or host.policy == "dane"):
        if (tlsa.get("base"), tlsa.get("name")) != (host.base, host.tlsa_name):
            wrong.append(f"{host.name}: TLSA at {tlsa.get('name')} (base {tlsa.get('base')}), expected {host.tlsa_name}")
    wrong += compare_alias(host, found.get("alias"))
    wrong += compare_policy(host, found.get("policy") or {})
    for key, value in host.more.items():
        kind, _, which = key.partition(".")
        if which:
            wrong += compare_more(f"{host.name} {which}", kind, value, found.get(which), time)
    return wrong


def compare_hosts(row, answer):
    if row.more.get("hosts") == "any":
        return []
    expected = {host.name: host for host in row.hosts}
    listed = [host for host in answer.get("hosts", []) if host["name"] in expected or not DROPPED & set(host.get("flags", []))]
    order = [host["name"] for host in listed]
    if order != [host.name for host in row.hosts]:
        return [f"hosts are {' '.join(order) or 'none'}, expected {' '.join(expected) or 'none'}"]
    wrong = []
    for found in listed:
        wrong += compare_host(expected[found["name"]], found, answer.get("time", 0))
    return wrong


def compare_decision(row, decision):
    found = decision.get("action")
    alternatives = [one.split(":") for one in row.decision.split("/")]
    match = [one for one in alternatives if one[0] == found]
    if not match:
        return [f"decision {found} {decision.get('code') or decision.get('level')}, expected {row.decision}"]
    wrong = []
    action, detail, *auth = match[0]
    if not decision.get("text"):
        wrong.append("the decision has no text")
    if decision.get("authenticated") is not bool(auth):
        wrong.append(f"authenticated is {decision.get('authenticated')}, expected {bool(auth)}")
    if action == "deliver":
        wrong += compare_code("the decision", decision.get("code"), None)
        if decision.get("level") != detail:
            wrong.append(f"level {decision.get('level')}, expected {detail}")
        return wrong
    wrong += compare_code("the decision", decision.get("code"), detail)
    if decision.get("level") is not None:
        wrong.append(f"{action} has the level {decision.get('level')}")
    if action == "defer" and not (isinstance(decision.get("retry_after"), int) and decision["retry_after"] > 0):
        wrong.append(f"defer with retry_after {decision.get('retry_after')}")
    if detail in TLSRPT and decision.get("tlsrpt") != TLSRPT[detail]:
        wrong.append(f"tlsrpt of the decision is {decision.get('tlsrpt')}, expected {TLSRPT[detail]}")
    return wrong


def compare(row, answer, canonical):
    """All that is wrong with ANSWER, as sentences. CANONICAL: the domain as the answer must name it."""
    if "error" in answer:
        return [f"an error: {answer['error']}"]
    time = answer.get("time", 0)
    wrong = []
    if answer.get("version") != 1 or answer.get("domain") != canonical or answer.get("asked") != row.domain:
        wrong.append(f"version {answer.get('version')}, domain {answer.get('domain')}, asked {answer.get('asked')}")
    mx = answer.get("mx")
    wrong += compare_status("mx", row.mx, mx, time)
    for key, value in row.more.items():
        kind, _, which = key.partition(".")
        if which:
            wrong += compare_more(which, kind, value, mx, time)
    if mx is not None and answer.get("expires", 0) > mx.get("expires", 0):
        wrong.append("the answer is good for longer than its MX RRset")
    wrong += compare_hosts(row, answer)
    wrong += compare_decision(row, answer.get("decision") or {})
    flags = {flag for host in answer.get("hosts", []) for flag in host.get("flags", [])} | set(answer.get("flags", []))
    if "flag" in row.more and row.more["flag"] not in flags:
        wrong.append(f"the flag {row.more['flag']} is nowhere in the answer")
    return wrong


def summary(row, answer):
    """One line of the printed table: statuses → policies → decision."""
    hosts = answer.get("hosts", [])
    statuses = f"mx {short(answer.get('mx'))}"
    shown = [f"{short(h.get('a'))} {short(h.get('aaaa'))} {short(h.get('tlsa'))}" for h in hosts[:3]]
    policies = [(h.get("policy") or {}).get("action") or "?" for h in hosts[:3]]
    more = f" +{len(hosts) - 3}" if len(hosts) > 3 else ""
    decision = answer.get("decision") or {}
    told = decision.get("code") or decision.get("level")
    auth = " auth" if decision.get("authenticated") else ""
    return (f"{row.case:>5} {row.domain:28} {statuses} | {' | '.join(shown)}{more} → {' '.join(policies)}{more} → "
            f"{decision.get('action')} {told}{auth}")
