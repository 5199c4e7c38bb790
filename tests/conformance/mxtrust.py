"""How the replay rig starts mxtrustd: a scenario's wishes as a configuration, in test mode.

The rig is beside the project, not in it (see run). It moves the daemon's wall clock with a preload library, and wants the daemon in the
foreground, ready when it accepts TCP, gone soon after SIGTERM.
"""
import json
from pathlib import Path

from rig.sandbox import Launch
from rig.settings import Settings

BINARY = "mxtrustd"
# Switches that mxtrustd has, and what it does by itself: RFC 8020; nothing that a referral says is believed, so that there is nothing to
# harden; keys are always fetched ahead. DNS64 it has not, on purpose: it makes up addresses, and a mail server wants those that exist.
FEATURES = {"forward", "forward-first", "stub", "qmin-off", "ttl-limits", "min-negative-ttl", "aggressive-nsec", "nxdomain-cut",
            "private-address", "prefetch", "serve-expired", "harden-referral-path", "nsec3-iterations", "ignore-dates"}

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


def iterations(text: str) -> str:
    """`1024 150 2048 500` as pairs."""
    numbers = [int(word) for word in text.split()]
    return "[" + ", ".join(table(bits=bits, iterations=most) for bits, most in zip(numbers[::2], numbers[1::2])) + "]"


def stale(s: Settings) -> dict[str, int]:
    """RFC 8767, where it is wanted; times as far as mxtrustd goes along."""
    def of(option: str, default: str, most: int) -> int:
        return bounded(s.feature("serve-expired", option, default), most)
    if "serve-expired" not in s.features:
        return {"stale": 0, "stale_after": 1800, "stale_ttl": 30}
    return {"stale": of("serve-expired-ttl", "86400", 259200) or 259200,    # 0: no limit
            "stale_after": of("serve-expired-client-timeout", "1800", 30000),
            "stale_ttl": of("serve-expired-reply-ttl", "30", 3600)}


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
        "least_negative": bounded(s.feature("min-negative-ttl", "cache-min-negative-ttl", "0"), 3600),
        "most_negative": bounded(s.feature("ttl-limits", "cache-max-negative-ttl", "3600"), 86400),
        "prefetch": toml("prefetch" in s.features),
        "private": toml(s.features.get("private-address", {}).get("private-address", [])),
        "private_but": toml([name.strip("\"'") for name in s.features.get("private-address", {}).get("private-domain", [])]),
        "verify_glue": toml(s.tuning.get("harden-unverified-glue") == "yes"),
        "all_algorithms": toml(bool(s.downgrade)),
        "iterations": iterations(s.feature("nsec3-iterations", "val-nsec3-keysize-iterations", "").strip("\"'")),
        "ignore_dates": toml(s.ignore_dates),
        **stale(s),
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
