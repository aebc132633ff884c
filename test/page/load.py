# SPDX-License-Identifier: MIT
# Gives a server of counting_test_server.cpp, which denies 127.0.0.2 and whose second listener has `proxy`, connections
# that end in every way, and children that end by several causes. Then waits for a line from its standard input, while
# one connection stays open.
# load.py BROODCTL DIRECTORY ADDRESS PROXY_ADDRESS
import socket
import subprocess
import sys

broodctl, directory = sys.argv[1:3]
address, proxy = ((host, int(port)) for host, port in (each.rsplit(":", 1) for each in sys.argv[3:5]))


def connection(to=address, source="127.0.0.1"):
    return socket.create_connection(to, timeout=60, source_address=(source, 0))


# Nothing, if the connection has ended.
def ask(client, *lines):
    try:
        for line in lines:
            client.sendall(line.encode() + b"\n")
            answer = client.recv(4096)
        return answer.decode().strip()
    except ConnectionResetError:
        return ""


def one(*lines):
    with connection() as client:
        return ask(client, *lines)


def order(*words):
    subprocess.run([broodctl, "--runtime-directory=" + directory, *words], check=True, stdout=subprocess.DEVNULL)


order("reload")
for number in range(1234):
    one("count %d" % number)
for command in ["note GET <b>&amp;\"quoted\"</b>", "sleep 40", "throw", "throw", "throw", "late", "late", "crash"]:
    one(command)
for _ in range(3):
    connection().close()
with connection() as client:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    ask(client, "pid")
    client.sendall(b"sleep 20\n" * 3)
for _ in range(5):
    with connection(source="127.0.0.2") as client:
        client.recv(1)
for line in [b"no header\n", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\npid\n"]:
    with connection(to=proxy) as client:
        client.sendall(line)
        client.recv(4096)
connection(to=proxy).close()
order("retire", one("pid"))
for command in ["throw", "throw", "throw", "late"]:  # of children that stay
    one(command)
held = connection()
ask(held, "note the one that stays", "hold")
print("ready", flush=True)
sys.stdin.readline()
