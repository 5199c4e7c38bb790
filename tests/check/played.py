"""Which server stands at which host of tests/lab/checked.py."""
import pathlib
import ssl

from check import receiver
from lab import checked

MARKUP = b"220 <script>alert(1)</script> \x1b[31m\xe2\x80\xae\"&' ESMTP\r\n"


def bomb(pki, folder):
    """One certificate, and six hundred that have nothing to do with it."""
    path = pathlib.Path(folder) / "bomb.pem"
    path.write_text((pki / "server.crt").read_text() + "".join((pki / f"filler{n % 12}.crt").read_text() for n in range(600)))
    return str(path), str(pki / "server.key")


def chain(pki, folder, leaf, *above):
    path = pathlib.Path(folder) / f"{leaf}-chain.pem"
    path.write_text("".join((pki / f"{stem}.crt").read_text() for stem in (leaf, *above)))
    return str(path), str(pki / f"{leaf}.key")


def start(pki, folder, authority):
    """host's zone → what was started. AUTHORITY is the one of the Web in here."""
    pki = pathlib.Path(pki)

    def alone(stem):
        return str(pki / f"{stem}.crt"), str(pki / f"{stem}.key")

    good = receiver.over_tls(receiver.context(alone("server")))
    plays = {
        "well": receiver.over_tls(receiver.context(alone("named"))), "stale": good, "full": good, "slow-ttl": good, "unusable": good, "plain": good,
        "garbage": receiver.starttls_says(b"220 go\r\n", receiver.garbage),
        "plain-broken": receiver.starttls_says(b"220 go\r\n", receiver.garbage),
        "plain-clear": receiver.without_starttls,
        "tls-cut": receiver.starttls_says(b"220 go\r\n", receiver.cut_in_handshake),
        "tls-slow": receiver.starttls_says(b"220 go\r\n", receiver.silence),
        "certificate-flood": receiver.starttls_says(b"220 go\r\n", receiver.flood_in_handshake),
        "starttls-cut": receiver.starttls_says(b""),
        "starttls-5xx": receiver.starttls_says(b"554 5.7.3 not today\r\n"),
        "injection": receiver.starttls_says(b"220 go\r\n250 injected\r\n"),
        "endless": receiver.endless, "long-line": receiver.long_line, "silent": receiver.silence, "drip": receiver.drip,
        "no-smtp": receiver.saying(b"SSH-2.0-OpenSSH_9.2p1\r\n"),
        "greeting-4xx": receiver.saying(b"421 4.3.2 too busy\r\n"), "greeting-5xx": receiver.saying(b"554 5.7.1 go away\r\n"),
        "closed": receiver.closed, "markup": receiver.saying(MARKUP.replace(b"220", b"554")),
        "bomb": receiver.over_tls(receiver.context(bomb(pki, folder))),
        "no-certificate": receiver.over_tls(receiver.context()),
        "old-tls": receiver.over_tls(receiver.context(alone("server"), oldest=ssl.TLSVersion.TLSv1, newest=ssl.TLSVersion.TLSv1)),
        "two-keys": receiver.over_tls(receiver.context(alone("server"), alone("server-rsa"))),
        "second-key": receiver.over_tls(receiver.context(alone("server"), alone("server-rsa"))),
        "future": receiver.over_tls(receiver.context(chain(pki, folder, "leaf-future", "ca"))),
        "no-ca": receiver.over_tls(receiver.context(chain(pki, folder, "leaf-no-ca", "no-ca"))),
        "soon": receiver.over_tls(receiver.context(alone("soon"))),
        "weak": receiver.over_tls(receiver.context(alone("weak"))),
    }
    plays |= {"exempt": good, "held": good}
    for short, kind in (("sts-good", "good"), ("sts-testing", "good"), ("sts-lacks", "good"), ("sts-wrong-name", "wrong-name"), ("sts-expired", "expired")):
        plays[short] = receiver.over_tls(authority.context(f"mx.{short}.check.nlx", kind))
    started = {}
    for name, (number, _) in checked.PLAYED.items():
        short = name.removesuffix(".check.nlx")
        if short == "unreachable":
            started[short] = receiver.Unreachable(checked.address(number))
        else:
            started[short] = receiver.Receiver(checked.address(number), plays[short])
    return started
