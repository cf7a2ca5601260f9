import assert from "node:assert/strict";
import { test } from "node:test";
import { assignments, PROXIED_PORTS, sampleSite } from "../../../test/kit/sample-site.ts";
import { net } from "../../../test/kit/samples.ts";
import type { Site } from "../configuration/site.ts";
import { renderDovecot } from "./dovecot-conf.ts";
import { policyNonce } from "./login-policy.ts";

const files = renderDovecot(sampleSite());
const rendered = (changes: Partial<Site> = {}, file = "dovecot.conf"): string =>
  renderDovecot(sampleSite(changes)).find(({ name }) => name === file)?.text ?? assert.fail(file);
const text = rendered();
const top = assignments(text);

test("only root may read the files of settings, because one has the secret", () => {
  const listed = (of: number) => files.filter(({ mode }) => mode === of).map(({ name }) => name);
  assert.deepEqual(listed(0o600), ["dovecot.conf", "accounts.conf", "own.conf", "app-passwords.conf"]);
  assert.deepEqual(listed(0o644), ["scripts-dict.conf"], "processes other than root's read it: it contains no secret");
  assert.deepEqual(listed(0o755), ["quota-warning", "spam-learn"]);
  assert.equal(files.length, 7);
  assert.equal(top.get("auth_policy_server_api_header"), `Authorization: Bearer ${"5".repeat(64)}`);
});

test("the owner's settings are in a separate file, which is read last", () => {
  const ownDovecot = "login_greeting = Hello.\n";
  assert.equal(rendered({ ownDovecot }, "own.conf"), ownDovecot);
  assert.match(text, /\n}\n!include own\.conf\n$/);
});

test("the guard is asked on loopback, once before each login, and no login succeeds without its answer", () => {
  assert.equal(top.get("auth_policy_hash_nonce"), policyNonce("5".repeat(64)));
  assert.equal(top.get("auth_policy_server_url"), "http://127.0.0.1:10025/");
  assert.equal(top.get("auth_policy_check_after_auth"), "no");
  assert.equal(top.get("auth_policy_reject_on_fail"), "yes");
});

test("mail programs find one folder for each use (RFC 6154)", () => {
  const folders = text.match(/(?<=special_use = \\)\w+/g);
  assert.deepEqual(folders, ["Archive", "Drafts", "Junk", "Sent", "Trash"]);
});

test("IMAP sessions decode mails in memory, including the largest that is accepted", () => {
  assert.match(text, /\nprotocol imap \{\n[^}]*\n {2}mail_temp_dir = \S+\/none-mail-is-decoded-in-memory\n/);
  assert.match(text, /\nservice imap \{\n.*\n {2}vsz_limit = 268435456B\n/);
  assert.match(rendered({ messageSizeBytes: 1024 ** 3 }), /\n {2}vsz_limit = 4294967296B\n/);
});

test("a password check has enough memory for the largest imported Argon2 hash", () => {
  for (const service of ["auth", "auth-worker"])
    assert.match(text, new RegExp(`\\nservice ${service} \\{\\n {2}vsz_limit = 1G\\n`));
});

test("IMAP sessions give way to sign-ins and deliveries", () => {
  assert.match(text, /\nservice imap \{\n[^}]*\n {2}executable = \/usr\/bin\/nice -n 5 \/usr\/lib\/dovecot\/imap\n\}/);
});

test("the services behind sign-ins and mailboxes have room for all clients that the settings allow", () => {
  const { limits, outbound } = sampleSite();
  const places = (imapPlaces: number, smtpPlaces: number, changes: Partial<Site> = {}): string =>
    rendered({ limits: { ...limits, imapPlaces, smtpPlaces }, ...changes });
  const clients = (text: string): number => Number(assignments(text).get("default_client_limit"));
  const mailboxes = (text: string): number =>
    Number(/^service imap \{\n {2}process_limit = (\d+)$/m.exec(text)?.[1] ?? assert.fail());
  assert.deepEqual([clients(text), mailboxes(text)], [1_000, 1_024]);
  const many = places(10_000, 100);
  assert.ok(clients(many) >= 20_100 && mailboxes(many) === 10_000);
  assert.ok(clients(places(400, 1_000)) >= 2_500, "each smtpd for users asks whether a password is right");
  const proxied = { networks: [net("10.0.0.5")], ports: PROXIED_PORTS };
  assert.ok(clients(places(400, 1_000, { proxied })) >= 4_500, "and of those behind a proxy");
  const deliveries = places(400, 1_000, { outbound: { ...outbound, atOnce: 1_000 } });
  const limitsOf = [top, assignments(deliveries)].map((of) => of.get("default_process_limit"));
  assert.deepEqual(limitsOf, ["100", "1000"]);
  assert.ok(clients(deliveries) >= 3_400);
});

test("one account takes at most half of its address's connections; 0 would be no limit", () => {
  const { limits } = sampleSite();
  const ofOne = (changes: Partial<typeof limits>): string | undefined =>
    assignments(rendered({ limits: { ...limits, ...changes } })).get("mail_max_userip_connections");
  assert.deepEqual([{}, { imapPlaces: 60 }, { connectionsOfKnown: 1 }].map(ofOne), ["25", "15", "1"]);
});

test("a missing account costs as much to refuse as an existing one", () => {
  const query = /^password_query = (.*)$/m.exec(rendered({}, "accounts.conf"))?.[1] ?? "";
  assert.ok(query.startsWith("SELECT user, password, allow_nets FROM passdb WHERE user = '%u' UNION ALL "));
  const decoy = /UNION ALL SELECT '%u', '([^']+)', NULL/.exec(query)?.[1] ?? "";
  assert.match(decoy, /^\{ARGON2ID\}\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  const other = rendered({ loginPolicySecret: "6".repeat(64) }, "accounts.conf");
  assert.ok(!other.includes(decoy));
});

test("listens on IPv6 only if the kernel has it", () => {
  assert.match(text, /^listen = \*, ::$/m);
  assert.match(rendered({ ipv6: false }), /^listen = \*$/m);
});

test("app passwords are asked first, by their digest, only for mail programs, and the guard learns which one was used", () => {
  assert.ok(text.indexOf("app-passwords.conf") < text.indexOf("accounts.conf"));
  assert.match(top.get("auth_policy_request_attributes") ?? "", / app=%\{passdb:app\}$/);
  const query = /^password_query = (.*)$/m.exec(rendered({}, "app-passwords.conf"))?.[1] ?? "";
  assert.match(query, / WHERE user = '%u' AND digest = '%\{sha256:password\}' AND '%s' IN \('imap', 'smtp'\)$/);
});

test("if an account's password opens its mail, no other password signs in", () => {
  const mailCrypt = { publicKey: "/k.pem", privateKey: "/p.pem", encrypts: true, byAccount: true };
  assert.doesNotMatch(rendered({ mailCrypt }), /app-passwords\.conf/);
  assert.match(rendered({ mailCrypt: { ...mailCrypt, byAccount: false } }), /app-passwords\.conf/);
});
