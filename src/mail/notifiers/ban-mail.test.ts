import assert from "node:assert/strict";
import { test } from "node:test";
import { HOUR_MS } from "../../core/time.ts";
import { type BanMail, renderBanMail } from "./mail-text.ts";

const ENVELOPE = { from: "fail2ban@mail.example.org", to: "admin@example.org", hostname: "mail.example.org" };
const BAN: BanMail = {
  verb: "mail_ban",
  prefix: "198.51.100.7/32",
  jail: "dovecot",
  failures: 3,
  lastsMs: 2 * HOUR_MS,
  unsaid: 0,
};

test("subject and sender are those of Fail2ban's own mails", () => {
  const mail = renderBanMail(BAN, ENVELOPE);
  assert.match(mail, /^From: Fail2Ban <fail2ban@mail\.example\.org>$/m);
  assert.match(mail, /^Subject: \[Fail2Ban\] dovecot: banned 198\.51\.100\.7 from mail\.example\.org$/m);
  assert.match(mail, /banned by Fail2Ban and GhostInbox for 2h\nafter 3 attempts against dovecot\./);
  assert.match(mail, /ghostinbox unban 198\.51\.100\.7$/m);
  assert.doesNotMatch(mail, /no mail was sent/);
});

test("a network, a permanent ban, and fields without a value", () => {
  const mail = renderBanMail({ ...BAN, prefix: "2001:db8::/64", lastsMs: null, unsaid: 7 }, ENVELOPE);
  assert.match(mail, /banned 2001:db8::\/64 from/);
  assert.match(mail, /for good/);
  assert.match(mail, /why 2001:db8::$/m);
  assert.match(mail, /Of 7 bans before it/);
});
