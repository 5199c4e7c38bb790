"""How the replay rig starts mxtrustd: a scenario's wishes as a configuration, in test mode.

The rig is beside the project, not in it (see run). It moves the daemon's wall clock with a preload library, and wants the daemon in the
foreground, ready when it accepts TCP, gone soon after SIGTERM.
"""
import json
from pathlib import Path

from rig.sandbox import Launch
from rig.settings import Settings

BINARY = "mxtrustd"
# Switches that mxtrustd has. It also does RFC 8020 by itself; DNS64, stale answers and prefetching it has not.
FEATURES = {"forward", "forward-first", "stub", "qmin-off", "ttl-limits", "aggressive-nsec", "nxdomain-cut"}

TEMPLATE = Path(__file__).with_name("mxtrust.toml.in")


def toml(value) -> str:
    """A TOML value; JSON's notation serves for booleans, numbers, strings and lists of strings."""
    return json.dumps(value, ensure_ascii=False)


def table(**values) -> str:
    """An inline table."""
    return "{ " + ", ".join(f"{key} = {toml(value)}" for key, value in values.items()) + " }"


def anchor(text: str) -> str:
    """`example. 3600 IN DS 1 2 3 AB` → `example. DS 1 2 3 AB`: TTL and class say nothing about trust."""
    words = text.split(";")[0].split()
    name, rest = words[0], words[1:]
    while rest and (rest[0].isdigit() or rest[0].upper() == "IN"):
        rest = rest[1:]
    return " ".join([name, *rest])


def bounded(text: str, most: int) -> int:
    """A limit of the scenario, as far as mxtrustd goes along."""
    return min(int(text), most)


def detour(kind: str, zone) -> str:
    """A zone to forward, or a stub zone."""
    return f"[[{kind}]]\nzone = {toml(zone.name)}\naddresses = {toml(zone.addresses)}\nfirst = {toml(zone.first)}\n"


def configure(s: Settings) -> Launch:
    """Fills the template."""
    listen = f"[{s.listen}]" if ":" in s.listen else s.listen
    anchors = [] if "no-validation" in s.features else [anchor(text) for text in s.trust_anchors]
    insecure = ["{ name = " + toml(name) + ', reason = "the scenario says so", expires = 2099-12-31 }' for name in s.insecure]
    values = {
        "state": s.workdir + "/state",
        "listen": toml(f"{listen}:{s.port}"),
        "ipv4": toml(s.ipv4), "ipv6": toml(s.ipv6), "minimisation": toml(bool(s.qmin)), "mixed_case": toml(s.caps),
        "aggressive": toml(True),    # as mxtrustd comes; no scenario wants it off
        "least_ttl": bounded(s.feature("ttl-limits", "cache-min-ttl", "0"), 3600),
        "most_ttl": bounded(s.feature("ttl-limits", "cache-max-ttl", "86400"), 604800),
        "hints": "[" + ", ".join(table(name=s.root_name, address=address) for address in s.roots) + "]",
        "anchors": toml(anchors),
        "insecure": "[" + ", ".join(insecure) + "]",
        "local": toml(s.query_localhost),
        "detours": "\n".join([detour("forward", zone) for zone in s.forwards] + [detour("stub", zone) for zone in s.stubs]),
    }
    Path(values["state"]).mkdir(exist_ok=True)
    config = Path(s.workdir, "mxtrustd.toml")
    config.write_text(TEMPLATE.read_text(encoding="utf-8").format(**values), encoding="utf-8")
    return Launch([BINARY, "--config", str(config), "--test-mode"])
