import assert from "node:assert/strict";
import { test } from "node:test";
import { HOUR_MS } from "../../core/time.ts";
import { type BanMail, renderBanMail, reportMail } from "./mail-text.ts";

const ENVELOPE = { from: "fail2ban@mail.example.org", to: "admin@example.org", hostname: "mail.example.org" };
const FACTS = { jail: "dovecot", failures: 3, lastsMs: 2 * HOUR_MS, unsaid: 0 };
const BAN: BanMail = { verb: "mail_ban", prefix: "198.51.100.7/32", ...FACTS };

test("subject and sender are those of Fail2ban's own mails", () => {
  const mail = renderBanMail(BAN, ENVELOPE);
  assert.match(mail, /^From: Fail2Ban <fail2ban@mail\.example\.org>$/m);
  assert.match(mail, /^Subject: \[Fail2Ban\] dovecot: banned 198\.51\.100\.7 from mail\.example\.org$/m);
  assert.match(mail, /banned by Fail2Ban and GhostInbox for 2h\nafter 3 attempts against dovecot\./);
  assert.match(mail, /ghostinbox unban 198\.51\.100\.7$/m);
  assert.doesNotMatch(mail, /No mail was sent/);
});

test("a network, a permanent ban, and fields without a value", () => {
  const mail = renderBanMail({ ...BAN, prefix: "2001:db8::/64", failures: 1, lastsMs: null, unsaid: 7 }, ENVELOPE);
  assert.match(mail, /banned 2001:db8::\/64 from/);
  assert.match(mail, /permanently\nafter 1 attempt against dovecot\./);
  assert.match(mail, /why 2001:db8::$/m);
  assert.match(mail, /about the 7 bans before it/);
  assert.match(renderBanMail({ ...BAN, prefix: "2001:db8::/32" }, ENVELOPE), /unban 2001:db8::\/32$/m);
  assert.match(renderBanMail({ ...BAN, prefix: "2001:db8::7/128" }, ENVELOPE), /unban 2001:db8::7$/m);
});

const mail = reportMail({
  id: "report-2026-11-16",
  host: "mail.example.org",
  from: "postmaster@example.org",
  to: ["anna@example.org", "bea@example.org"],
  at: Date.UTC(2026, 10, 16, 7),
  title: "Weekly report of mail.example.org",
  text: "Grüße\n".repeat(100),
  html: "<p>Grüße</p>",
});

test("both parts are decoded unchanged, the text first", () => {
  const [head = "", ...parts] = mail.split("--=_report");
  assert.match(head, /\r\nContent-Type: multipart\/alternative; boundary="=_report"\r\n\r\n$/);
  assert.equal(parts.at(-1), "--\r\n");
  const read = parts.slice(0, -1).map((part) => {
    const [headers = "", body = ""] = part.split("\r\n\r\n");
    assert.match(headers, /Content-Transfer-Encoding: base64/);
    return `${/text\/\w+/.exec(headers)?.[0]}: ${Buffer.from(body, "base64").toString()}`;
  });
  assert.deepEqual(read, [`text/plain: ${"Grüße\n".repeat(100)}`, "text/html: <p>Grüße</p>"]);
});

test("its header names the report, and no line is too long (RFC 5322, 2.1.1)", () => {
  for (const line of [
    "From: GhostInbox <postmaster@example.org>",
    "To: anna@example.org,",
    " bea@example.org",
    "Subject: Weekly report of mail.example.org",
    "Date: Mon, 16 Nov 2026 07:00:00 +0000",
    "Message-ID: <report-2026-11-16@mail.example.org>",
    "Auto-Submitted: auto-generated",
  ])
    assert.ok(mail.includes(`${line}\r\n`), line);
  assert.ok(mail.split("\r\n").every((line) => line.length <= 78 && !line.includes("\n")));
});
