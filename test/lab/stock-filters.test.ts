// Invariant: A stranger's text cannot pass for another client's address.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseMailLine } from "../../src/mail/logs/log-line.ts";
import { matchPattern } from "../../src/mail/logs/mail-log.ts";

/**
 * Over lines that Postfix and Dovecot wrote in this lab, our patterns and the stock filters of Fail2ban name the same
 * address, or the difference is listed here with its reason.
 */
const LOG = fileURLToPath(new URL("../logs/lab.log", import.meta.url));
const LINES = readFileSync(LOG, "utf8").trimEnd().split("\n");

type Difference = Readonly<{ seenBy: "us" | "fail2ban"; lines: RegExp; why: string }>;
const DIFFERENCES: readonly Difference[] = [
  {
    seenBy: "fail2ban",
    lines: /: reject: .*: (?:User unknown;|Too busy,|Sending limit reached[,:]|Service unavailable; Client host \[)/,
    why: "The guard had Postfix refuse it, and recorded it then with its reason: once is enough.",
  },
  {
    seenBy: "fail2ban",
    lines: /postfix\/submissions?\/smtpd\[\d+\]: disconnect from .* auth=0\/\d+ /,
    why: "The end of a session sums up failed sign-ins that were counted one by one.",
  },
  {
    seenBy: "fail2ban",
    lines: /imap-login: .*\((?:no auth attempts|disconnected before auth was ready)/,
    why: "No password was tried: honest phones, monitoring probes, and sessions cut by a ban.",
  },
  {
    seenBy: "us",
    lines: /Helo command rejected: Invalid name;/,
    why: "The stock filter knows a HELO without a domain only.",
  },
  {
    seenBy: "us",
    lines: /rejected: Improper use of SMTP command pipelining;/,
    why: "Its code 503 is none of the stock filter's; the line `improper command pipelining` is, and both see it.",
  },
  {
    seenBy: "us",
    lines: /: warning: (?:non-SMTP command|Illegal address syntax|\S+: request longer)/,
    why: "The stock filter has no words for it.",
  },
  {
    seenBy: "us",
    lines: /: lost connection after DATA /,
    why: "The stock filter omits it, since honest connections break there too; we record it and never ban for it.",
  },
  { seenBy: "us", lines: /: SSL_accept error from /, why: "The stock filter has no words for it." },
  {
    seenBy: "us",
    lines: /Sender address rejected: (?:need fully-qualified address|not owned by user|Access denied)/,
    why: "The stock filter knows senders without a host name only.",
  },
  {
    seenBy: "us",
    lines: /Message size exceeds fixed limit;/,
    why: "Honest servers send large mail too: we record that it was refused.",
  },
  {
    seenBy: "us",
    lines: /user=<x>, method=PLAIN, rip=198\.51\.100\.33, .*rip=198\.51\.100\.208,/,
    why: "A user name that imitates the rest of the line hides the failure from the stock filter; we read from the end.",
  },
];

function ours(line: string): Readonly<{ ip: string; login: boolean }> | null {
  const parsed = parseMailLine(line);
  const found = parsed === null ? null : matchPattern(parsed);
  const ip = found?.groups["ip"];
  return ip === undefined ? null : { ip, login: found?.pattern.reports === "login_failed" };
}

/** Lines that a stock filter matches, with the address that it blames. */
function stock(...filters: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const filter of filters) {
    const argv = ["-c", "/etc/fail2ban", "--usedns=no", "-o", "<ip>|<msg>", LOG, filter];
    for (const row of execFileSync("fail2ban-regex", argv, { encoding: "utf8" }).split("\n")) {
      const [, ip = "", line = ""] = /^([0-9a-f.:]+)\|(.*)$/.exec(row) ?? [];
      if (ip !== "") found.set(line, ip);
    }
  }
  return found;
}

const MISSING = spawnSync("fail2ban-regex", ["--version"]).status === 0 ? false : "Fail2ban is not installed";

describe("our patterns and Fail2ban's stock filters", { skip: MISSING }, () => {
  test("who failed to sign in: the same lines, the same addresses", () => {
    const theirs = stock("postfix[mode=auth]", "dovecot");
    const differing = LINES.filter(
      (line) => (ours(line)?.login === true ? ours(line)?.ip : undefined) !== theirs.get(line),
    );
    assert.deepEqual(
      differing.filter((line) => reasonOf(line, "us") === undefined),
      [],
    );
    assert.equal(differing.length, 1, "the one that imitates a line");
    assert.ok(theirs.size >= 10, "there is something to compare");
  });

  test("all the rest: the same address, or a reason for the difference; no reason is idle", () => {
    const theirs = stock("postfix[mode=aggressive]", "dovecot[mode=aggressive]");
    const used = new Set<Difference>();
    let agreed = 0;
    for (const line of LINES) {
      const mine = ours(line)?.ip;
      const other = theirs.get(line);
      if (mine === other) {
        agreed += mine === undefined ? 0 : 1;
        continue;
      }
      assert.ok(mine === undefined || other === undefined, `two addresses for one line: ${mine}, ${other}: ${line}`);
      const difference = reasonOf(line, mine === undefined ? "fail2ban" : "us");
      assert.ok(difference !== undefined, `only ${mine === undefined ? "Fail2ban" : "we"} noticed: ${line}`);
      used.add(difference);
    }
    assert.deepEqual(
      DIFFERENCES.filter((each) => !used.has(each)),
      [],
    );
    assert.ok(agreed >= 80, `${agreed} lines in common`);
  });

  test("no address that a stranger wrote into a line is blamed", () => {
    const innocent = "198.51.100.33";
    assert.ok(LINES.some((line) => line.includes(innocent)));
    assert.ok(LINES.every((line) => ours(line)?.ip !== innocent));
  });
});

function reasonOf(line: string, seenBy: Difference["seenBy"]): Difference | undefined {
  return DIFFERENCES.find((each) => each.seenBy === seenBy && each.lines.test(line));
}
