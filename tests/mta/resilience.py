"""When mxtrust is restarted, or is not there: mail waits, and is never delivered with less than was promised."""
import re
import time

from mta import place

TIMEOUT = 90.0
# Long enough for a message that would arrive, had it been let through.
SETTLED = 1.0


def deliver(sender, recipient):
    """The outcome of one message."""
    sender.send(recipient)
    deadline = time.monotonic() + TIMEOUT
    while (found := sender.outcome(recipient)) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def waits(on, sender, recipient, expression):
    """What is wrong with a message that must be deferred and arrive nowhere."""
    found = deliver(sender, recipient)
    time.sleep(SETTLED)
    wrong = []
    if found is None or found[0] != "deferred" or not re.search(expression, found[2]):
        wrong.append(f"outcome {found}, must be deferred with /{expression}/")
    if on.arrived(recipient):
        wrong.append(f"has arrived at {on.arrived(recipient)}")
    return wrong


def arrives(on, sender, recipient):
    found = deliver(sender, recipient)
    if found is None or found[:2] != ("sent", "verified"):
        return [f"outcome {found}, must be sent and verified"]
    try:
        place.wait_for("the message arrives", lambda: on.arrived(recipient), 30.0)
    except place.MtaError as error:
        return [str(error)]
    return []


def process_of(log, recipient):
    return re.search(rf"postfix/smtp\[(\d+)\]: \w+: to=<{re.escape(recipient)}>", log)[1]


def restarted(on, report):
    """One smtp(8) process, whose connection to the socket dies under it: it asks anew, and nobody notices."""
    sender = on.postfix("postfix-restart", "postfix-socketmap.cf", senders=1)
    first, second = "before@dane-ee.nlx", "after@alias-secure.nlx"
    wrong = arrives(on, sender, first)
    status = on.daemon.stop()
    on.daemon.start()
    wrong += [] if status == 0 else [f"the daemon ended with status {status}"]
    wrong += arrives(on, sender, second)
    if not wrong and process_of(sender.text(), first) != process_of(sender.text(), second):
        wrong.append("another smtp(8) process took over: nothing was shown")
    wrong += [line for line in sender.text().splitlines() if "lookup error" in line]
    report("mxtrust is restarted while Postfix has a connection to it", wrong)


def without_socket(on, report):
    """The socket is not there, although DNS is: the policy is not known."""
    sender = on.postfix("postfix-no-socket", "postfix-socketmap.cf", smtp_tls_policy_maps=f"socketmap:unix:{on.folder}/nothing.sock:policy")
    report("the Postfix socket is not there", waits(on, sender, "nosocket@dane-ee.nlx", "client TLS configuration problem"))
    report("the same, for a domain without DANE", waits(on, sender, "nosocket@plain.oldx", "client TLS configuration problem"))


def absent(on, report):
    """Nothing of mxtrust is there."""
    on.daemon.stop()
    for door, expression in (("postfix-dns", "try again"), ("postfix-socketmap", "try again"), ("exim-dns", "host lookup did not complete"),
                             ("exim-readsocket", r"R=mxtrust defer .* 4\.3\.5 mxtrust cannot be asked")):
        report(f"mxtrust is not there: {door}", waits(on, on.doors[door], f"absent-{door}@tlsa-ttl-0.nlx", expression))
    on.daemon.start()
    report("mxtrust is there again", arrives(on, on.doors["postfix-socketmap"], "again@tlsa-ttl-0.nlx"))


def run(on, report):
    without_socket(on, report)
    restarted(on, report)
    absent(on, report)
