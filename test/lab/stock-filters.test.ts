// Invariant: A stranger's text cannot pass for another client's address.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseMailLine } from "../../src/mail/logs/log-line.ts";
import { matchPattern } from "../../src/mail/logs/mail-log.ts";

/**
 * For lines that Postfix and Dovecot wrote in this lab, our patterns and Fail2ban's stock filters name the same
 * address, or the difference is listed here with its reason.
 */
const LOG = fileURLToPath(new URL("../logs/lab.log", import.meta.url));
const LINES = readFileSync(LOG, "utf8").trimEnd().split("\n");

/** Lines of which only one side names an address, each with the reason. */
const DIFFERENCES: Readonly<Record<"us" | "fail2ban", readonly RegExp[]>> = {
  fail2ban: [
    // Postfix refused it for the guard, which has already recorded it with its reason.
    /: reject: .*: (?:User unknown;|Too busy,|Sending limit reached[,:]|Service unavailable; Client host \[)/,
    // The end of a session sums up failed sign-ins, which were already counted one by one.
    /postfix\/submissions?\/smtpd\[\d+\]: disconnect from .* auth=0\/\d+ /,
    // No password was tried: honest phones, monitoring probes, and sessions cut by a ban.
    /imap-login: .*\((?:no auth attempts|disconnected before auth was ready)/,
  ],
  us: [
    // The stock filter knows only a HELO without a domain.
    /Helo command rejected: Invalid name;/,
    // The stock filter does not know the code 503. Both match the line `improper command pipelining`.
    /rejected: Improper use of SMTP command pipelining;/,
    // The stock filter has no pattern for these.
    /: warning: (?:non-SMTP command|Illegal address syntax|\S+: request longer)/,
    /: SSL_accept error from /,
    // The stock filter omits it, since honest connections break there too; we record it and never ban for it.
    /: lost connection after DATA /,
    // The stock filter knows only senders without a host name.
    /Sender address rejected: (?:need fully-qualified address|not owned by user|Access denied)/,
    // Honest servers send large mail too: we record that it was refused.
    /Message size exceeds fixed limit;/,
    // A user name that imitates the rest of the line hides the failure from the stock filter; we read from the end.
    /user=<x>, method=PLAIN, rip=198\.51\.100\.33, .*rip=198\.51\.100\.208,/,
  ],
};

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
    const mine = (line: string) => (ours(line)?.login === true ? ours(line)?.ip : undefined);
    const [imitates, ...more] = LINES.filter((line) => mine(line) !== theirs.get(line));
    assert.ok(reasonOf(imitates ?? "", "us") !== undefined);
    assert.deepEqual(more, []);
    assert.ok(theirs.size >= 10, "there is something to compare");
  });

  test("all other lines: the same address, or a reason for the difference; each reason is used", () => {
    const theirs = stock("postfix[mode=aggressive]", "dovecot[mode=aggressive]");
    const used = new Set<RegExp>();
    let agreed = 0;
    for (const line of LINES) {
      const mine = ours(line)?.ip;
      const other = theirs.get(line);
      if (mine === other) {
        agreed += mine === undefined ? 0 : 1;
        continue;
      }
      assert.ok(mine === undefined || other === undefined, `two addresses for one line: ${mine}, ${other}: ${line}`);
      const seenBy = mine === undefined ? "fail2ban" : "us";
      used.add(reasonOf(line, seenBy) ?? assert.fail(`only ${seenBy} noticed: ${line}`));
    }
    assert.deepEqual(used, new Set(Object.values(DIFFERENCES).flat()));
    assert.ok(agreed >= 80, `${agreed} lines in common`);
  });

  test("no address that a stranger wrote into a line is blamed", () => {
    const innocent = "198.51.100.33";
    assert.ok(LINES.some((line) => line.includes(innocent)));
    assert.ok(LINES.every((line) => ours(line)?.ip !== innocent));
  });
});

const reasonOf = (line: string, seenBy: keyof typeof DIFFERENCES): RegExp | undefined =>
  DIFFERENCES[seenBy].find((lines) => lines.test(line));
