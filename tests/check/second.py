"""A second opinion on every TLS verdict: Postfix's posttls-finger over DNS, and openssl s_client with the same TLSA records."""
import re
import subprocess

from mta import place

FINGER = place.TOOLS / "usr/sbin/posttls-finger"
PASSED = {"dane", "webpki"}


def verdict(report, address):
    """True: authenticated at this address, False: not; None where it was not a matter of TLS and DANE."""
    tests = [test for test in report["tests"] if f"[{address}]" in test["subject"]]
    if any(test["test"] == "connect" and test["result"] != "pass" for test in tests):
        return None
    return any(test["test"] in PASSED and test["result"] == "pass" for test in tests) and not any(test["result"] == "failure" for test in tests)


def finger(on, domain):
    """What posttls-finger says of a domain at level dane: was some server verified?"""
    done = subprocess.run([str(FINGER), "-t", "10", "-T", "10", "-c", "-l", "dane", "-L", "summary,untrusted", domain], capture_output=True, text=True,
                          timeout=60, check=False, env=place.environment(LD_LIBRARY_PATH=str(place.POSTFIX), MAIL_CONFIG=str(on.folder / "receivers/etc")))
    text = done.stdout + done.stderr
    return bool(re.search(r"Verified TLS connection established", text)), text


def client(on, server, report):
    """openssl s_client, told the records that the daemon has for the host."""
    host = next(one for one in report["mail"]["hosts"] if one["name"] == server["host"])
    address = f"[{server['address']}]" if ":" in server["address"] else server["address"]
    command = ["openssl", "s_client", "-starttls", "smtp", "-connect", f"{address}:25", "-servername", host["policy"]["sni"], "-dane_tlsa_domain",
               host["policy"]["names"][0], "-dane_ee_no_namechecks", "-verify_return_error",
               # Weak certificates are told of, not refused; TLS before 1.2 is.
               "-auth_level", "0", "-cipher", "ALL:@SECLEVEL=0", "-min_protocol", "TLSv1.2"]
    for record in host["tlsa"]["records"]:
        if record["usable"]:
            command += ["-dane_tlsa_rrdata", f"{record['usage']} {record['selector']} {record['matching']} {record['data']}"]
    done = subprocess.run(command, input="QUIT\n", capture_output=True, text=True, timeout=30, check=False)
    # "Verification: OK" alone is also what it says where nothing came to be verified.
    named = re.search(r"^DANE TLSA .* (?:matched|signed|verified) ", done.stdout, re.M)
    return "Verification: OK" in done.stdout and bool(named), done.stdout[-300:] + done.stderr[-300:]


# openssl s_client takes one name; this one is authenticated by another of the names that the policy has.
OTHER_NAME = {"dane-ta-nexthop-name.nlx"}
# A second certificate: a client that takes any gets the good one.
SECOND_KEY = {"second-key.check.nlx"}


def run(on, tally, found):
    """FOUND: (row, report). Domains whose servers were visited and that have DANE."""
    for row, report in found:
        servers = [server for server in report.get("servers", []) if server["policy"] == "dane"]
        ours = {server["address"]: verdict(report, server["address"]) for server in servers}
        if row.options or not servers or None in ours.values() or row.domain in SECOND_KEY:
            continue
        theirs, said = finger(on, row.domain)
        tally.check(f"posttls-finger agrees about {row.domain}", theirs == any(ours.values()), f"ours {ours}, theirs: {said[-400:]}")
        told = [f"posttls-finger {'verified' if theirs else 'not'}"]
        if row.domain not in OTHER_NAME:
            for server in servers:
                good, text = client(on, server, report)
                told.append(f"s_client {'OK' if good else 'not'}")
                tally.check(f"openssl agrees about {row.domain} at {server['address']}", good == ours[server["address"]], f"ours {ours}, theirs: {text}")
        print(f"{row.domain} → {'authenticated' if any(ours.values()) else 'not authenticated'}; {', '.join(told)}", flush=True)
