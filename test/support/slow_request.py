# SPDX-License-Identifier: MIT
# A request that takes 3 seconds, or with "fast" none: slow_request.py KIND ADDRESS BEGAN [fast]. The file BEGAN is made
# when the server has it. Exits with 0 if the answer was whole.
import os, socket, ssl, sys, time

kind, address, began = sys.argv[1:4]
pause = 0 if sys.argv[4:] else 3


def connect():
    if address.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(60)
        connection.connect(address[5:])
        return connection
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), 60)


def begin():
    open(began, "w").close()
    time.sleep(pause)


def until_end(connection):
    whole = b""
    while part := connection.recv(65536):
        whole += part
    return whole


def in_halves(connection):
    connection.sendall(b"the first half, ")
    begin()
    connection.sendall(b"and the second\n")
    answer = b""
    while not answer.endswith(b"\n") and (part := connection.recv(999)):
        answer += part
    return answer == b"the first half, and the second\n"


# The handler sleeps, and makes the file itself.
def http(connection):
    connection.sendall(f"GET /slow?{pause}&{began} HTTP/1.0\r\nHost: here\r\n\r\n".encode())
    return b"the whole answer" in until_end(connection)


# The server sends a file of 300,000 bytes slowly.
def http_file(connection):
    name = "slow" if pause else "fast"
    connection.sendall(f"GET /{name} HTTP/1.0\r\nHost: here\r\n\r\n".encode())
    answer = connection.recv(999)
    open(began, "w").close()
    answer += until_end(connection)
    return len(answer.partition(b"\r\n\r\n")[2]) == 300_000


def fastcgi(connection):
    def record(kind, content):
        return bytes([1, kind, 0, 1]) + len(content).to_bytes(2, "big") + bytes(2) + content

    script = os.environ["SCRIPT"]
    parameters = b""
    for name, value in (("SCRIPT_FILENAME", script), ("REQUEST_METHOD", "GET"), ("QUERY_STRING", f"{pause}&{began}")):
        parameters += bytes([len(name), len(value)]) + (name + value).encode()
    connection.sendall(record(1, bytes([0, 1, 0, 0, 0, 0, 0, 0])) + record(4, parameters) + record(4, b"") + record(5, b""))
    return b"the whole answer" in until_end(connection)


# A client that asks for the references.
def git(connection):
    request = b"git-upload-pack /repository\0host=here\0"
    request = b"%04x" % (len(request) + 4) + request
    connection.sendall(request[:10])
    begin()
    connection.sendall(request[10:])
    answer = b""
    while not answer.endswith(b"0000") and (part := connection.recv(999)):
        answer += part
    connection.sendall(b"0000")
    return b"refs/heads/" in answer


connection = connect()
if kind == "tls":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection, kind = context.wrap_socket(connection), "in_halves"
sys.exit(0 if globals()[kind](connection) else "the answer was cut")
