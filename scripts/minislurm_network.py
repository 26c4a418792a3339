"""The place of a scripts/minislurm cluster on this machine: names, a network, a port, and one network namespace a node.

All of it is derived from the cluster's directory and checked to be free. The bridge bears the directory as its
alias, so that what a crash left behind is known for whose it is, even when the directory is gone.
"""

import contextlib
import hashlib
import ipaddress
import itertools
import json
import os
import socket

from minislurm_processes import Failure, all_pids, command, end_processes, running


def candidates(directory):
    """Places for a cluster, in the order of preference: always the same ones for the same directory."""
    for salt in range(1000):
        digest = hashlib.sha256(f"{directory}:{salt}".encode()).digest()
        yield {
            "tag": "ms" + "".join(chr(ord("a") + byte % 26) for byte in digest[:4]),
            "net": f"10.{64 + digest[4] % 128}.{digest[5]}",
            "port": 20000 + int.from_bytes(digest[6:8], "big") % 10000,
        }


def bridge_of(place):
    return place["tag"] + "br"


def node_name(place, number):
    return f"{place['tag']}n{number}"


def node_address(place, number):
    return f"{place['net']}.{10 + number}"


def owner_of(place):
    """The directory of the cluster that a place belongs to; None when it is nobody's."""
    shown = command("ip", "-json", "link", "show", "dev", bridge_of(place), check=False)
    return json.loads(shown.stdout)[0].get("ifalias", "?") if shown.returncode == 0 else None


def port_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def choose(directory, known):
    """The place known from last time when nobody else has taken it, else the first candidate that is free."""
    routes = json.loads(command("ip", "-json", "-4", "route", "show", "table", "all").stdout or "[]")
    taken = [ipaddress.ip_network(r["dst"], strict=False) for r in routes if r.get("dst", "default") != "default"]
    for place in ([known] if known else []) + list(candidates(directory)):
        owner = owner_of(place)
        if owner == directory:
            return place
        mine = ipaddress.ip_network(place["net"] + ".0/24")
        if owner is None and not any(t.overlaps(mine) for t in taken) and (place is known or port_free(place["port"])):
            return place
    raise Failure("no free private network was found for this cluster")


def orphan(directory):
    """(place, number of nodes) of a cluster that outlived its directory; (None, 0) when there is none."""
    for place in itertools.islice(candidates(directory), 20):
        if owner_of(place) == directory:
            namespaces = os.listdir("/run/netns") if os.path.isdir("/run/netns") else []
            return place, sum(name.startswith(place["tag"] + "n") for name in namespaces)
    return None, 0


def node_pids(*nodes):
    """All processes in the network namespaces of these nodes."""
    spaces = set()
    for node in nodes:
        with contextlib.suppress(FileNotFoundError):
            spaces.add(os.stat(f"/run/netns/{node}").st_ino)
    spaces.discard(os.stat("/proc/self/ns/net").st_ino)  # never everybody, whatever lies in /run/netns
    found = []
    for pid in all_pids():
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}/ns/net").st_ino in spaces and running(pid):
                found.append(pid)
    return found


def hardware_address(address):
    """A node that is made anew keeps its hardware address: its neighbours remember it for half a minute."""
    return "02:00:" + ":".join(f"{int(byte):02x}" for byte in address.split("."))


def make(place, count, directory):
    """Makes what is missing of the bridge and of the namespaces of `count` nodes."""
    bridge, gateway = bridge_of(place), place["net"] + ".1"
    if owner_of(place) is None:
        command("ip", "link", "add", bridge, "address", hardware_address(gateway), "type", "bridge")
        command("ip", "link", "set", "dev", bridge, "alias", directory)
        command("ip", "addr", "add", gateway + "/24", "dev", bridge)
        command("ip", "link", "set", bridge, "up")
    for number in range(1, count + 1):
        node, address, cable = node_name(place, number), node_address(place, number), f"{place['tag']}v{number}"
        # A node is whole only if its end of the cable is there.
        if command("ip", "-n", node, "link", "show", "eth0", check=False).returncode == 0:
            continue
        remove_node(place, number)
        command("ip", "netns", "add", node)
        peer = ("peer", "name", "eth0", "address", hardware_address(address), "netns", node)
        command("ip", "link", "add", cable, "type", "veth", *peer)
        command("ip", "link", "set", cable, "master", bridge, "up")
        command("ip", "-n", node, "addr", "add", address + "/24", "dev", "eth0")
        command("ip", "-n", node, "link", "set", "lo", "up")
        command("ip", "-n", node, "link", "set", "eth0", "up")
        command("ip", "-n", node, "route", "add", "default", "via", gateway)


def remove_node(place, number):
    node = node_name(place, number)
    if os.path.exists(f"/run/netns/{node}"):
        end_processes(lambda: node_pids(node), 0)
        command("ip", "netns", "del", node)
    # The other end may outlive the name of its namespace by a moment.
    command("ip", "link", "del", f"{place['tag']}v{number}", check=False)


def remove(place, count, directory):
    for number in range(1, count + 1):
        remove_node(place, number)
    if owner_of(place) == directory:
        command("ip", "link", "del", bridge_of(place))
