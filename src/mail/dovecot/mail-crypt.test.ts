import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { renderDovecot } from "./dovecot-conf.ts";
import { accountKeysConf } from "./mail-crypt.ts";

const keys = { publicKey: "/srv/mail/lib/mail-crypt/public.pem", privateKey: "/run/mail.pem" };
const files = (encrypts: boolean | null, byAccount = false) =>
  renderDovecot(sampleSite({ mailCrypt: encrypts === null ? null : { encrypts, byAccount, ...keys } }));
const conf = (encrypts: boolean | null): string => files(encrypts)[0]?.text ?? "";
const neverCached = (encrypts: boolean | null): readonly string[] =>
  /^mail_never_cache_fields = (.*)$/m.exec(conf(encrypts))?.[1]?.split(" ") ?? [];
const query = (name: string, ...how: Parameters<typeof files>): string =>
  new RegExp(`^${name} = (.*)$`, "m").exec(files(...how)[1]?.text ?? "")?.[1] ?? "";

test("without encryption Dovecot does not load the plugin", () => {
  assert.doesNotMatch(conf(null), /mail_crypt|hdr\.|snippet/);
});

test("fields that may be far longer than their mail are never cached, with or without encryption", () => {
  for (const encrypts of [null, true, false])
    for (const field of ["imap.envelope", "imap.body", "imap.bodystructure", "mime.parts", "binary.parts"])
      assert.ok(neverCached(encrypts).includes(field), field);
});

test("the unencrypted index contains no subjects or addresses", () => {
  const never = neverCached(true);
  for (const field of ["hdr.subject", "hdr.from", "hdr.to", "body.snippet"]) assert.ok(never.includes(field), field);
  assert.ok(!never.includes("*") && !never.includes("date.save"));
});

test("once encryption is off, encrypted mail can still be read", () => {
  assert.match(conf(false), /^ {2}mail_crypt_save_version = 0$/m);
  assert.match(conf(false), /^!include_try /m);
});

test("a sign-in gets the account's keys and their passphrase, never the password itself", () => {
  const [, fields = ""] = /^passdb \{\n[^}]*^ {2}override_fields = (.*)$/m.exec(conf(true)) ?? [];
  const names = fields.split(" ").map((field) => field.replace(/_password=.*$/, ""));
  assert.equal(fields.split("=%{sha256:password}").length, 1 + names.length);
  const [first, last] = [names[0], names.at(-1)];
  assert.deepEqual([first, last], ["userdb_mail_crypt_global_private_key2", "userdb_mail_crypt_global_private_key9"]);
  const asked = query("password_query", true);
  for (const [i, name] of names.entries())
    assert.ok(asked.includes(`(SELECT key${i + 1} FROM opened_key WHERE opened_key.user = '%u') AS ${name}`), name);
  assert.match(asked, /UNION ALL SELECT '%u', '[^']+'(?:, NULL){9} WHERE/, "a name without an account gets none");
  assert.equal(query("password_query", false), asked, "encrypted mail can still be read");
  assert.doesNotMatch(query("password_query", null) + conf(null), /opened_key|override_fields/);
});

test("new mail is encrypted with the account's own key only if that is set", () => {
  const own = query("user_query", true, true);
  assert.match(own, /encrypting_key\.user = '%u'\) AS mail_crypt_global_public_key FROM userdb /);
  assert.match(own, /, NULL FROM alias_userdb /);
  assert.doesNotMatch(query("user_query", true) + query("user_query", false), /encrypting_key/);
});

test("a program that runs as root gets the keys of one account from files", () => {
  const both = "  mail_crypt_global_private_key2 = </a/0.pem\n  mail_crypt_global_private_key3 = </a/1.pem\n";
  const text = `plugin {\n${both}}\nmaildir_copy_with_hardlinks = no\n`;
  assert.equal(accountKeysConf(["/a/0.pem", "/a/1.pem"]), text);
  const many = Array.from({ length: 12 }, (_, i) => `/a/${i}.pem`);
  assert.match(accountKeysConf(many), /^ {2}mail_crypt_global_private_key13 = <\/a\/11\.pem\n\}$/m);
});
