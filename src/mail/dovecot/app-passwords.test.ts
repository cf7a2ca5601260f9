import assert from "node:assert/strict";
import { test } from "node:test";
import { assignments, sampleSite } from "../../../test/kit/sample-site.ts";
import { renderDovecot } from "./dovecot-conf.ts";

const rendered = (changes = {}): ReadonlyMap<string, string> =>
  new Map(renderDovecot(sampleSite(changes)).map(({ name, text }) => [name, text]));

test("app passwords are asked first, by their digest, only for mail programs, and the guard learns which one was used", () => {
  const files = rendered();
  const conf = files.get("dovecot.conf") ?? "";
  assert.ok(conf.indexOf("app-passwords.conf") < conf.indexOf("accounts.conf"));
  assert.match(assignments(conf).get("auth_policy_request_attributes") ?? "", / app=%\{passdb:app\}$/);
  const query = /^password_query = (.*)$/m.exec(files.get("app-passwords.conf") ?? "")?.[1] ?? "";
  assert.match(query, / WHERE user = '%u' AND digest = '%\{sha256:password\}' AND '%s' IN \('imap', 'smtp'\)$/);
});

test("where the password of each account opens its mail, no other one signs in", () => {
  const mailCrypt = { publicKey: "/k.pem", encrypts: true, byAccount: true };
  const conf = rendered({ mailCrypt }).get("dovecot.conf") ?? "";
  assert.doesNotMatch(conf, /app-passwords\.conf/);
  const ofServer = rendered({ mailCrypt: { ...mailCrypt, byAccount: false } }).get("dovecot.conf") ?? "";
  assert.match(ofServer, /app-passwords\.conf/);
});
