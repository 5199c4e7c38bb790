"""The network namespace that a world lives in."""

import hashlib
import os
import subprocess


def name_for(state):
    """Two worlds with two state directories have two namespaces."""
    return "mxlab-" + hashlib.sha256(os.fsencode(os.path.realpath(state))).hexdigest()[:8]


def exists(name):
    return os.path.exists(f"/run/netns/{name}")


def inside(name):
    """The words to put before a command that is to run inside."""
    return ["ip", "netns", "exec", name]


def create(name, addresses):
    """A namespace with all ADDRESSES on its loopback interface and no way out."""
    subprocess.run(["ip", "netns", "add", name], check=True)
    lines = ["link set lo up"]
    for address in addresses:
        lines.append(f"address add {address}/128 dev lo nodad" if ":" in address else f"address add {address}/32 dev lo")
    subprocess.run(["ip", "-netns", name, "-batch", "-"], input="\n".join(lines), text=True, check=True)


def remove(name):
    if exists(name):
        subprocess.run(["ip", "netns", "delete", name], check=True)
