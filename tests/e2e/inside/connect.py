"""Says which of the addresses it is given it can connect to. Prints one line of JSON."""

import json
import socket
import sys


def reaches(address: str) -> bool:
    host, port = address.rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port)), timeout=3):
            return True
    except OSError:
        return False


print(json.dumps({address: reaches(address) for address in sys.argv[1:]}))
