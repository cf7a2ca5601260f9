"""What spamd sees of a long mail: enough of its header and of each MIME part to judge what a reader sees."""
import re

# Maximum from the start of each part of a body. Together with the part's end this is less than SpamAssassin reads of its text
# (Mail::SpamAssassin::Conf(3), body_part_scan_size).
START_BYTES = 40 * 1024
# Maximum of each part's header and of its end, and minimum of its start.
PART_BYTES = 4 * 1024
MOST_PARTS = 100
FIELD_BYTES = 2 * 1024
FIELDS_OF_A_NAME = 4
LINE_BYTES = 4 * 1024
CHUNK_BYTES = 64 * 1024

LINE_OF_DASHES = re.compile(rb"^--[^\n]*\n?", re.MULTILINE)
BOUNDARY = re.compile(rb"\bboundary\s*=\s*(?:\"([^\"\r\n]+)\"|([^\s;\"]+))", re.IGNORECASE)
MATTERS = frozenset(
    b"from sender reply-to to cc subject date message-id mime-version received "
    b"content-type content-transfer-encoding content-disposition".split()
)


class Fields:
    """The first `size` bytes of a header, in whole lines, and of the rest the fields that matter."""

    def __init__(self, size):
        self.text, self.size = bytearray(), size
        self.full = self.keeps = False
        self.seen, self.field_bytes = {}, 0

    def add(self, line, starts=True):
        if not self.full and len(self.text) + len(line) <= self.size:
            self.text += line
            return
        if not self.full:
            self.full = True
            del self.text[self.text.rfind(b"\n") + 1 :]
        if starts and line[:1] not in (b" ", b"\t"):
            name = line.partition(b":")[0].strip().lower()
            self.keeps = name in MATTERS and self.seen.get(name, 0) < FIELDS_OF_A_NAME
            if self.keeps:
                self.seen[name] = self.seen.get(name, 0) + 1
                self.field_bytes = 0
        if self.keeps:
            self.field_bytes += len(line)
            if self.field_bytes <= FIELD_BYTES:
                self.text += line


class Parts:
    """The start and the end of each part of a body: of each at most half of what the ones before it left."""

    def __init__(self, header, size):
        self.size, self.view, self.end = size, bytearray(), bytearray()
        self.part_bytes = min(PART_BYTES, size // 16)
        self.boundaries, self.fields, self.count = set(), None, 0
        self.learn(header)
        self.room = min(size // 2, START_BYTES)

    def learn(self, text):
        for quoted, plain in BOUNDARY.findall(text):
            if len(self.boundaries) < MOST_PARTS:
                self.boundaries.add((quoted or plain).rstrip())

    def is_delimiter(self, line):
        """In time that does not grow with the number of boundaries, which a stranger chooses."""
        if not line.startswith(b"--"):
            return False
        name = line[2:].rstrip()
        return name in self.boundaries or (name.endswith(b"--") and name[:-2] in self.boundaries)

    def add(self, chunk):
        at = 0
        while at < len(chunk):
            if self.fields is not None:
                end = chunk.find(b"\n", at) + 1 or len(chunk)
                if not (self.is_delimiter(chunk[at:end]) and self.next_part(chunk[at:end])):
                    self.add_to_header(chunk[at:end])
            else:
                lines = LINE_OF_DASHES.finditer(chunk, at) if self.boundaries and self.takes_more() else ()
                found = next((line for line in lines if self.is_delimiter(line.group())), None)
                self.keep(chunk[at : found.start() if found else len(chunk)])
                end = found.end() if found else len(chunk)
                if found:
                    self.next_part(found.group())
            at = end

    def takes_more(self):
        return self.count < MOST_PARTS and len(self.view) < 2 * self.size

    def add_to_header(self, line):
        self.fields.add(line)
        if not line.strip(b"\r\n"):
            text = bytes(self.fields.text)
            self.learn(text)
            self.view += text if text.endswith((b"\n\n", b"\n\r\n")) else text + b"\n"
            # A mail within the mail begins with a header of its own.
            self.fields = Fields(self.part_bytes) if b"message/rfc822" in text.lower() else None

    def next_part(self, line):
        if not self.takes_more():
            return False
        self.count += 1
        self.close()
        self.view += line
        left = (self.size - len(self.view)) // 2
        self.room = max(min(left, START_BYTES), self.part_bytes)
        self.fields = Fields(self.part_bytes) if self.takes_more() else None
        return True

    def keep(self, text):
        if len(text) <= self.room:
            self.view += text
            self.room -= len(text)
            return
        start = cut(text, self.room)
        self.view += start
        self.room = 0
        self.end += text[len(start) :][-2 * self.part_bytes :]
        del self.end[: -2 * self.part_bytes]

    def close(self):
        """The end of a part, in whole lines."""
        if self.fields is not None:
            self.view += self.fields.text
        if len(self.end) > self.part_bytes:
            del self.end[: self.end.find(b"\n", len(self.end) - self.part_bytes - 1) + 1]
        self.view += self.end[-self.part_bytes :]
        self.end.clear()


def header_of(stream, length, size):
    """The header with the empty line, less what is too much, and how long the body is."""
    fields, starts = Fields(size), True
    while length > 0:
        line = stream.readline(min(length, LINE_BYTES))
        length -= len(line)
        if not line:
            raise ConnectionError("the mail is shorter than its length")
        if starts and line in (b"\n", b"\r\n"):
            return bytes(fields.text) + line, length
        fields.add(line, starts)
        starts = line.endswith(b"\n")
    return bytes(fields.text), 0


def body_of(pieces, length, header, size):
    if length <= size:
        return b"".join(pieces)
    parts = Parts(header, size)
    for piece in pieces:
        parts.add(piece)
    parts.close()
    return bytes(parts.view)


def chunks(stream, length):
    """Whole lines, unless they are too long."""
    while length > 0:
        chunk = stream.read(min(length, CHUNK_BYTES))
        if not chunk:
            raise ConnectionError("the mail is shorter than its length")
        chunk += stream.readline(min(length - len(chunk), LINE_BYTES))
        length -= len(chunk)
        yield chunk


def cut(text, size):
    """Whole lines, as many as fit."""
    return text if len(text) <= size else text[: text.rfind(b"\n", 0, size) + 1] or text[:size]
