"""Shows spamd the parts of a long mail that a reader sees first, so that neither padding nor load leaves a mail unscored.

    python3 -I spam-head.py SOCKET SPAMD_SOCKET PULSE_SOCKET

Stands between spamc and spamd and speaks their protocol (spamd/PROTOCOL of SpamAssassin). What spamd gets:

- the first HEADER_BYTES of the header, and from its rest the fields that say how to read the mail;
- of a body larger than BODY_BYTES, the start and the end of each MIME part.

Some HTML costs spamd the cube of its length. Only one long mail at a time is therefore scored with this much text, by one of
spamd's processes, of which there are usually two. If spamd exceeds its `time_limit`, did so recently, or more mails wait, it gets
the same with SHORT_BYTES. spamc asks for headers only (`--headers`) and keeps the body itself, so no part of the mail is lost.

Each connection to PULSE_SOCKET is told at once how long ago spamd last answered about a mail, however many mails wait. A
busy spamd answers no other question, and must not be mistaken for one that hangs.
"""
import contextlib
import io
import os
import re
import select
import socket
import socketserver
import sys
import threading
import time

# Python's -I leaves out the program's directory, which is safe here because it belongs to root.
sys.path.append(os.path.dirname(os.path.abspath(__file__)))
from spam_view import CHUNK_BYTES, body_of, chunks, header_of  # noqa: E402

HEADER_BYTES = 256 * 1024
BODY_BYTES = 500 * 1024
SHORT_BYTES = 16 * 1024
# Maximum sizes of a request without its mail, and of an answer, which has the mail's headers and what spamd adds.
REQUEST_BYTES = 16 * 1024
ANSWER_BYTES = 1024 * 1024
# Questions with a long view of their mail. Further ones have a short view, and those beyond MOST_WAITING wait unread.
AT_ONCE = 16
MOST_WAITING = 64
FEW = 6
# The thread that accepts connections, and the one at PULSE_SOCKET.
OWN_THREADS = 2
# spamc gives up after 15 s (mail/spamassassin/spam-services.ts), spamd after 7 s (mail/spamassassin/spamassassin-conf.ts).
PLACE_SECONDS = 3
LONG_WAIT_SECONDS = 2
LONG_SECONDS = 8
LATELY_SECONDS = 15
CLIENT_SECONDS = 60
ANSWER_SECONDS = 60
SECOND_TRY_UNTIL_SECONDS = 14

LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,12})[ \t]*$", re.IGNORECASE | re.MULTILINE)
SCORE = re.compile(rb"^Spam:[^;\r\n]*;\s*(-?\d+(?:\.\d+)?)\s*/", re.MULTILINE)
OUT_OF_TIME = re.compile(rb"^X-Spam-Status:[^\n]*(?:\n[ \t][^\n]*)*\bTIME_LIMIT_EXCEEDED\b", re.MULTILINE)


class Question(socketserver.StreamRequestHandler):
    timeout = CLIENT_SECONDS

    def handle(self):
        began = time.monotonic()
        with place_of(self.server.places, PLACE_SECONDS) as roomy:
            if self.hung_up():
                return
            request = self.request_lines()
            # TELL teaches spamd what is spam, which is forbidden to clients that have mail scored.
            if not request or request[:4].upper() == b"TELL":
                return
            found = LENGTH.search(request)
            header_bytes, body_bytes = (HEADER_BYTES, BODY_BYTES) if roomy else (SHORT_BYTES, SHORT_BYTES)
            header, left = header_of(self.rfile, int(found.group(1)) if found else 0, header_bytes)
            body = body_of(chunks(self.rfile, left), left, header, body_bytes)
            self.wfile.write(self.scored(request, header, body, began))

    def scored(self, request, header, body, began):
        if len(header) + len(body) <= SHORT_BYTES:
            return self.ask(request, header + body, ANSWER_SECONDS)
        answer = b""
        if not self.server.hurries():
            with place_of(self.server.long, LONG_WAIT_SECONDS) as alone:
                if alone and not self.server.hurries():
                    answer = self.long_try(request, header + body)
            if answer and not OUT_OF_TIME.search(answer):
                return answer
        header = header_of(io.BytesIO(header), len(header), SHORT_BYTES)[0]
        short = header + body_of(chunks(io.BytesIO(body), len(body)), len(body), header, SHORT_BYTES)
        if not answer:
            return self.ask(request, short, ANSWER_SECONDS)
        try:
            seconds = began + SECOND_TRY_UNTIL_SECONDS - time.monotonic()
            return max(answer, self.ask(request, short, max(seconds, 1)), key=score)
        except OSError:
            return answer

    def long_try(self, request, mail):
        """Returns nothing if spamd does not answer in time."""
        try:
            answer = self.ask(request, mail, LONG_SECONDS)
        except TimeoutError:
            answer = b""
        if not answer or OUT_OF_TIME.search(answer):
            self.server.hurry_until = time.monotonic() + LATELY_SECONDS
        return answer

    def request_lines(self):
        """Returns the lines before the empty one, each with a Unix line end."""
        lines = b""
        while True:
            line = self.rfile.readline(REQUEST_BYTES).rstrip(b"\r\n")
            if not line:
                return lines
            lines += line + b"\n"
            if len(lines) > REQUEST_BYTES:
                raise ValueError("the request is too long")

    def hung_up(self, seconds=0):
        """Whether the client has closed both directions (poll(2), POLLHUP), or does within `seconds`."""
        poll = select.poll()
        poll.register(self.request, 0)
        return bool(poll.poll(seconds * 1000))

    def ask(self, request, mail, seconds):
        deadline = time.monotonic() + seconds
        request = LENGTH.sub(b"Content-length: %d" % len(mail), request)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as spamd:
            spamd.setblocking(False)
            self.connect(spamd, deadline)
            answer = self.exchange(spamd, request.replace(b"\n", b"\r\n") + b"\r\n" + mail, deadline)
            if mail and answer:
                self.server.answered = time.monotonic()
            return answer

    def connect(self, spamd, deadline):
        """Retries while spamd has its maximum of waiting connections: connect(2) then fails with EAGAIN."""
        while True:
            try:
                return spamd.connect(self.server.spamd)
            except BlockingIOError:
                if self.hung_up(0.1):
                    raise ConnectionError("the client hung up") from None
                if time.monotonic() > deadline:
                    raise TimeoutError("spamd takes no more") from None

    def exchange(self, spamd, question, deadline):
        """Ends early if spamc has hung up."""
        poll = select.poll()
        poll.register(spamd, select.POLLIN | select.POLLOUT)
        poll.register(self.request, 0)
        unsent, answer = memoryview(question), bytearray()
        while True:
            ready = dict(poll.poll(max(deadline - time.monotonic(), 0) * 1000))
            if not ready:
                raise TimeoutError("spamd did not answer")
            if self.request.fileno() in ready:
                raise ConnectionError("the client hung up")
            if unsent and ready[spamd.fileno()] & select.POLLOUT:
                unsent = unsent[spamd.send(unsent) :]
                if not unsent:
                    spamd.shutdown(socket.SHUT_WR)
                    poll.modify(spamd, select.POLLIN)
                continue
            chunk = spamd.recv(CHUNK_BYTES)
            if not chunk:
                return bytes(answer)
            answer += chunk
            if len(answer) > ANSWER_BYTES:
                raise ValueError("the answer is too long")


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128
    hurry_until = 0.0
    answered = None

    def __init__(self, path, spamd):
        self.spamd = spamd
        self.places = threading.BoundedSemaphore(AT_ONCE)
        self.long = threading.BoundedSemaphore(1)
        self.waiting = threading.BoundedSemaphore(MOST_WAITING)
        super().__init__(path, Question)

    def hurries(self):
        return time.monotonic() < self.hurry_until or threading.active_count() - OWN_THREADS > FEW

    def process_request(self, request, client_address):
        self.waiting.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.waiting.release()

    def handle_error(self, request, client_address):
        """Without an answer spamc lets the mail pass or makes it wait, depending on its options."""
        print("no answer: %s" % sys.exc_info()[1], file=sys.stderr, flush=True)


class Pulse(socketserver.UnixStreamServer):
    """Runs in its own thread, so that it waits for no place."""

    def __init__(self, path, scored):
        self.scored = scored
        super().__init__(path, Told)


class Told(socketserver.StreamRequestHandler):
    def handle(self):
        answered = self.server.scored.answered
        if answered is None:
            self.wfile.write(b"spamd answered about no mail yet\n")
        else:
            self.wfile.write(b"spamd answered %d s ago\n" % (time.monotonic() - answered))


@contextlib.contextmanager
def place_of(places, seconds):
    """Yields whether one was free in time."""
    taken = places.acquire(timeout=seconds)
    try:
        yield taken
    finally:
        if taken:
            places.release()


def score(answer):
    found = SCORE.search(answer)
    return float(found.group(1)) if found else float("-inf")


def main(path, spamd, pulse):
    for socket_path in (path, pulse):
        if os.path.lexists(socket_path):
            os.unlink(socket_path)
    # The milter connects through its group.
    os.umask(0o007)
    with Server(path, spamd) as server:
        # Only root connects to the pulse.
        os.umask(0o077)
        threading.Thread(target=Pulse(pulse, server).serve_forever, daemon=True).start()
        server.serve_forever()


main(*sys.argv[1:])
