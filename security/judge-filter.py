"""Finds what a filter of Fail2ban would match, with Fail2ban's own code.

Standard input: one line of JSON, {"name", "text", "tricks"}, then the lines of a log. Standard output: one JSON object,
{"error"} or {"matches": [[address, time, line], ...], "lines", "tricked": null or the line by which an attacker chooses
the address}. With "tricks" it also tries lines that an attacker can make Postfix and Dovecot write. It runs without any
rights, and its caller ends it if it takes too long.
"""
import json
import logging
import os
import re
import sys
import tempfile
import time

from fail2ban.client.filterreader import FilterReader
from fail2ban.server.filter import Filter

try:
    from re import _parser as parser
except ImportError:
    import sre_parse as parser

STOCK = "/etc/fail2ban/filter.d"
STOCK_FILTERS = ("common.conf", "postfix.conf", "dovecot.conf")
MOST_MATCHES = 10000
MOST_LINES_SHOWN = 200
# Documentation addresses (RFC 5737): the attacker's, and the one that the attacker wants to get banned.
CLIENT = "203.0.113.99"
VICTIM = "198.51.100.66"

# Where Postfix and Dovecot write a stranger's words in their lines.
TEMPLATES = [
    "mail postfix/smtpd[99]: NOQUEUE: reject: RCPT from unknown[{c}]: 550 5.1.1 <{}>: Recipient address rejected: User unknown; from=<a@b.test> to=<{}> proto=ESMTP helo=<c.test>",
    "mail postfix/smtpd[99]: NOQUEUE: reject: RCPT from unknown[{c}]: 550 5.1.1 <a@b.test>: Recipient address rejected: User unknown; from=<{}> to=<a@b.test> proto=ESMTP helo=<c.test>",
    "mail postfix/smtpd[99]: NOQUEUE: reject: RCPT from unknown[{c}]: 554 5.7.1 <a@b.test>: Relay access denied; from=<a@b.test> to=<a@b.test> proto=ESMTP helo=<{}>",
    "mail postfix/smtpd[99]: NOQUEUE: reject: EHLO from unknown[{c}]: 501 5.5.2 <{}>: Helo command rejected: Invalid name; proto=SMTP helo=<{}>",
    "mail postfix/smtpd[99]: NOQUEUE: reject: MAIL from unknown[{c}]: 504 5.5.2 <{}>: Sender address rejected: need fully-qualified address; from=<{}> proto=ESMTP helo=<c.test>",
    "mail postfix/smtpd[99]: warning: Illegal address syntax from unknown[{c}] in MAIL command: <{}>",
    "mail postfix/smtpd[99]: warning: non-SMTP command from unknown[{c}]: {}",
    "mail postfix/submission/smtpd[99]: warning: unknown[{c}]: SASL PLAIN authentication failed: {}",
    "mail postfix/submission/smtpd[99]: warning: unknown[{c}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username={}",
    "mail postfix/submission/smtpd[99]: 4ABCDEF: client=unknown[{c}], sasl_method=PLAIN, sasl_username={}",
    "mail postfix/cleanup[99]: 4ABCDEF: message-id=<{}>",
    "mail postfix/cleanup[99]: 4ABCDEF: milter-reject: END-OF-MESSAGE from unknown[{c}]: 5.7.1 Message content refused; from=<{}> to=<a@b.test> proto=ESMTP helo=<{}>",
    "mail postfix/qmgr[99]: 4ABCDEF: from=<{}>, size=999, nrcpt=1 (queue active)",
    "mail postfix/smtp[99]: 4ABCDEF: to=<a@b.test>, relay=b.test[{c}]:25, delay=1, dsn=5.0.0, status=bounced (host b.test[{c}] said: 550 {} (in reply to RCPT TO command))",
    "imap-login: Info: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<{}>, method=PLAIN, rip={c}, lip=203.0.113.10, TLS, session=<0aBcDeFg>",
    "auth-worker(99): Info: conn unix:auth-worker (pid=99,uid=99): auth-worker<9>: sql({},{c}): unknown user",
    "lmtp(a@b.test)<99><9>: Info: msgid=<{}>: saved mail to INBOX",
]


def load(name, text):
    """Loads the filter as a jail would."""
    with tempfile.TemporaryDirectory() as base:
        directory = os.path.join(base, "filter.d")
        os.mkdir(directory)
        for stock in STOCK_FILTERS:
            os.symlink(os.path.join(STOCK, stock), os.path.join(directory, stock))
        own = os.path.join(directory, name + ".conf")
        if os.path.lexists(own):
            os.unlink(own)
        with open(own, "w", encoding="utf-8") as file:
            file.write(text)
        reader = FilterReader(name, "jail", {}, basedir=base)
        if not reader.read():
            raise ValueError("a file that it includes is missing: there are %s" % ", ".join(STOCK_FILTERS))
        reader.getOptions(None)
        commands = reader.convert()
    live = Filter(None)
    live.setUseDns("no")
    live.checkFindTime = False
    patterns = []
    for command in commands:
        option = command[2]
        for value in command[3] if command[0] == "multi-set" else command[3:]:
            if option == "prefregex":
                live.prefRegex = value
            elif option == "addfailregex":
                live.addFailRegex(value)
                patterns.append(value)
            elif option == "addignoreregex":
                live.addIgnoreRegex(value)
            elif option == "maxlines":
                live.setMaxLines(value)
            elif option == "datepattern":
                live.setDatePattern(value)
    if not patterns:
        raise ValueError("it has no failregex")
    return live


def addresses(live, line, dated=True):
    """Returns the addresses and times that a line yields. A line without a date counts as of now."""
    if dated:
        found = live.processLine(line)
    else:
        now = time.time()
        date = time.strftime("%b %d %H:%M:%S", time.localtime(now))
        found = live.processLine(("", date, line if line.startswith(" ") else " " + line), now)
    return [(str(data.get("ip", host)), int(at)) for _, host, at, data in found if not data.get("nofail")]


class Sample:
    """The shortest text that a regular expression matches. Repeats are numbered in the order of the text."""

    def __init__(self, regex, host, content=None, fills=None, pumps=None):
        self._host = host
        self._content = content
        self._fills = fills or {}
        self._pumps = pumps or {}
        self._groups = {}
        self.repeats = 0
        # The numbers of the repeats of "." before the address, and of those without a bound.
        self.gaps = []
        self.endless = []
        self._hosted = False
        tree = parser.parse(regex)
        self._names = {number: name for name, number in tree.state.groupdict.items()}
        self.text = self._all(tree)

    def _all(self, tree):
        return "".join(self._one(str(op), value) for op, value in tree)

    def _one(self, op, value):
        if op == "LITERAL":
            return chr(value)
        if op == "NOT_LITERAL":
            return "b" if value == ord("a") else "a"
        if op == "ANY":
            return "x"
        if op == "IN":
            return self._member(value)
        if op == "BRANCH":
            branches = value[1]
            hosted = [branch for branch in branches if self._holds_host(branch)]
            return self._all((hosted or branches)[0])
        if op == "SUBPATTERN":
            name = self._names.get(value[0], "")
            if name in ("ip4", "fid"):
                self._hosted = True
                text = self._host
            elif name == "content" and self._content is not None:
                text = self._content
            else:
                text = self._all(value[-1])
            self._groups[value[0]] = text
            return text
        if op == "ATOMIC_GROUP":
            return self._all(value)
        if op in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            return self._repeat(*value)
        if op == "GROUPREF":
            return self._groups.get(value, "")
        return ""

    def _repeat(self, least, most, item):
        number = self.repeats
        self.repeats += 1
        if most >= 1000:
            self.endless.append(number)
            if [str(op) for op, _ in item] == ["ANY"] and not self._hosted:
                self.gaps.append(number)
        if number in self._fills:
            return self._fills[number]
        count = max(least, self._pumps.get(number, 0))
        if count == 0 and self._holds_host(item):
            count = 1
        before = self.repeats
        text = ""
        for _ in range(count):
            self.repeats = before
            text += self._all(item)
        if count == 0:
            self._skip(item)
        return text

    def _skip(self, item):
        """Also numbers parts that are left out, so that numbers do not depend on how often something is repeated."""
        hosted, groups = self._hosted, dict(self._groups)
        self._all(item)
        self._hosted, self._groups = hosted, groups

    def _holds_host(self, tree):
        for op, value in tree:
            if str(op) == "SUBPATTERN":
                if self._names.get(value[0]) in ("ip4", "fid") or self._holds_host(value[-1]):
                    return True
            elif str(op) == "BRANCH" and any(self._holds_host(branch) for branch in value[1]):
                return True
            elif str(op).endswith("_REPEAT") and self._holds_host(value[2]):
                return True
        return False

    def _member(self, members):
        negated = bool(members) and str(members[0][0]) == "NEGATE"
        for letter in "ax1 .-_:/=@[<,;0":
            if any(self._has(member, letter) for member in members) != negated:
                return letter
        return "a"

    @staticmethod
    def _has(member, letter):
        op, value = str(member[0]), member[1]
        if op == "LITERAL":
            return ord(letter) == value
        if op == "RANGE":
            return value[0] <= ord(letter) <= value[1]
        if op == "CATEGORY":
            kinds = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}
            kind = str(value).replace("CATEGORY_", "")
            return bool(re.match(kinds.get(kind.replace("NOT_", ""), r"\w"), letter)) != kind.startswith("NOT_")
        return False


def sample(live, index, host, fills=None, pumps=None):
    """The part of a line that the filter looks at. Only the repeats of failregex are numbered."""
    regex = live._Filter__failRegex[index].getRegex()
    made = Sample(regex, host, None, fills, pumps)
    if live.prefRegex is None:
        return made, made.text.strip("\n")
    return made, Sample(live.prefRegex.getRegex(), host, made.text).text.strip("\n")


def trick_of(live):
    """Returns a line by which a client gets someone else banned; None if none was found."""
    count = len(live._Filter__failRegex)
    for index in range(count):
        tails = tails_of(sample(live, index, VICTIM)[1])
        for line in (template.replace("{c}", CLIENT).replace("{}", tail) for template in TEMPLATES for tail in tails):
            if is_tricked(live, line):
                return line
        made, honest = sample(live, index, CLIENT)
        for gap in made.gaps:
            for tail in tails:
                line = sample(live, index, CLIENT, {gap: "x " + tail + " "})[1]
                if is_tricked(live, line):
                    return line
        if CLIENT in dict(addresses(live, honest + " and more", False)):
            for tail in tails:
                if is_tricked(live, honest + " " + tail):
                    return honest + " " + tail
    return None


def is_tricked(live, line):
    return VICTIM in dict(addresses(live, line, False))


def tails_of(text):
    """Returns the text from each of its words on, while the address is in it, with endings that a stranger may choose."""
    starts = [0] + [found.end() for found in re.finditer(r"[^\w.]+", text)]
    tails = [text[start:] for start in starts if VICTIM in text[start:]]
    return tails[:40] + ["[" + tail for tail in tails[-3:]]


def strain(live):
    """Tries long lines, which a filter that backtracks too much never finishes."""
    for index in range(len(live._Filter__failRegex)):
        for number in sample(live, index, CLIENT)[0].endless:
            for times in (40, 1500):
                text = sample(live, index, CLIENT, None, {number: times})[1]
                for line in (text, text + "\0!", text[: max(1, len(text) // 2)] + "\0!", text.replace(CLIENT, "!")):
                    addresses(live, line[:4000], False)
    for letter in ("a", " ", "1", ".", "[", "<", "a ", "1."):
        for template in TEMPLATES:
            addresses(live, template.replace("{c}", CLIENT).replace("{}", letter * (900 // len(letter))), False)


def main():
    logging.getLogger("fail2ban").setLevel(logging.CRITICAL)
    wanted = json.loads(sys.stdin.readline())
    try:
        live = load(wanted["name"], wanted["text"])
    except Exception as error:
        print(json.dumps({"error": " ".join(str(error).split())}))
        return
    tricked = None
    if wanted["tricks"]:
        strain(live)
        tricked = trick_of(live)
    matches = []
    lines = 0
    for line in sys.stdin:
        lines += 1
        line = line.rstrip("\r\n")
        if line and len(matches) < MOST_MATCHES:
            shown = line[:500] if len(matches) < MOST_LINES_SHOWN else ""
            matches += [[address, at, shown] for address, at in addresses(live, line)]
    print(json.dumps({"matches": matches, "lines": lines, "tricked": tricked}))


main()
