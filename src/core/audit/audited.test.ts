import assert from "node:assert/strict";
import { test } from "node:test";
import { net } from "../../../test/kit/samples.ts";
import { banOf, eventRow, START } from "../../../test/kit/test-database.ts";
import { auditRecord, changeRecord } from "../events/command.ts";
import { auditedHold, auditedOf, auditedRecovery } from "./audited.ts";

test("a command is kept with who gave it and what it was about, as JSON with its keys in order", () => {
  const about = { subject: "info@example.org", targets: ["b@example.org", "a@example.org"], by: "root" };
  assert.deepEqual(auditedOf(auditRecord({ type: "ALIAS_ADDED", ...about }, START)), {
    at: "2026-11-20T06:00:00.000Z",
    actor: "root",
    type: "ALIAS_ADDED",
    subject: "info@example.org",
    detail: '{"recipient":"info@example.org","targets":["b@example.org","a@example.org"],"verdict":"pass"}',
  });
  const refused = auditRecord({ type: "COMMAND_REFUSED", subject: "account_create_hashed", by: "web:nightly" }, START);
  assert.equal(auditedOf(refused)?.detail, '{"verdict":"refuse"}');
});

test("only bans and allow-list entries that an administrator made are kept", () => {
  const of = (source: string) =>
    auditedOf(changeRecord({ type: "BAN", ban: banOf("203.0.113.7", START, { source }) }, START) ?? assert.fail());
  assert.equal(of("engine"), null);
  assert.equal(of("fail2ban"), null);
  const actor = "web:admin via 198.51.100.9";
  assert.partialDeepStrictEqual(of(actor), { type: "BAN", subject: "203.0.113.7/32", actor });
  const prefix = net("198.51.100.7");
  const expired = changeRecord({ type: "LIFT", prefix, cause: "BAN_EXPIRED", forgiven: false, by: "engine" }, START);
  assert.equal(auditedOf(expired ?? assert.fail()), null);
  const allowed = changeRecord({ type: "ALLOW", prefix, note: "the office", by: "root", expiresAt: null }, START);
  assert.match(auditedOf(allowed ?? assert.fail())?.detail ?? "", /"note":"the office"/);
});

test("the administrator's sign-ins are kept, without the password's hash; those of mailboxes are not", () => {
  const type = "LOGIN_SUCCEEDED";
  const passwordHash = "secret2";
  const signIn = (service: "dashboard" | "imap", account = "admin") =>
    auditedOf(
      eventRow("198.51.100.9", START, { type, service, account, proof: "secret", rest: { event: type, passwordHash } }),
    );
  const kept = signIn("dashboard");
  assert.deepEqual([kept?.actor, kept?.type], ["web:admin", "LOGIN_SUCCEEDED"]);
  assert.match(kept?.detail ?? "", /"ip":"198\.51\.100\.9"/);
  assert.doesNotMatch(kept?.detail ?? "", /secret/);
  assert.equal(signIn("imap"), null);
  assert.equal(signIn("dashboard", "anna@example.org"), null);
  assert.equal(auditedOf(eventRow("203.0.113.7", START)), null);
});

test("text from a stranger or an administrator stays on its line", () => {
  const { subject, actor } =
    auditedOf(auditRecord({ type: "QUEUE_HELD", subject: "a\nb\u202e", by: "web:x\ny" }, START)) ?? assert.fail();
  assert.deepEqual([subject, actor], ["a\\x0ab\\u{202e}", "web:x\\x0ay"]);
});

test("a hold and a recovery are the engine's", () => {
  const evidence = { count: 101, limit: 100, windowMs: 3_600_000, key: "limits.sending.strangers" };
  const { ip, prefix } = banOf("203.0.113.7", START);
  const held = auditedHold({ type: "HOLD_ACCOUNT", account: "anna@example.org", prefix, ip, evidence }, START);
  assert.deepEqual([held.actor, held.type, held.subject], ["engine", "ACCOUNT_HELD", "anna@example.org"]);
  assert.match(held.detail, /"count":101,.*"limitKey":"limits\.sending\.strangers"/);
  assert.equal(auditedRecovery("missing", START).detail, '{"how":"missing"}');
});
