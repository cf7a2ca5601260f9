import assert from "node:assert/strict";
import { test } from "node:test";
import { assignments, PROXIED_PORTS, sampleSite } from "../../../test/kit/sample-site.ts";
import { parsePrefix } from "../../core/net/ip.ts";
import { renderDovecot } from "./dovecot-conf.ts";

const files = new Map(renderDovecot(sampleSite()).map((file) => [file.name, file]));
const text = files.get("dovecot.conf")?.text ?? "";
const top = assignments(text);

/** Files that processes other than root's read contain no secret. */
const MODES = new Map([["vacation-dict.conf", 0o644]]);

test("only root may read the settings, for one file has the secret", () => {
  assert.deepEqual(
    [...files.keys()],
    [
      "dovecot.conf",
      "accounts.conf",
      "own.conf",
      "app-passwords.conf",
      "vacation-dict.conf",
      "quota-warning",
      "spam-learn",
    ],
  );
  for (const { name, mode } of files.values())
    assert.equal(mode, MODES.get(name) ?? (name.endsWith(".conf") ? 0o600 : 0o755));
  assert.equal(top.get("auth_policy_server_api_header"), `Authorization: Bearer ${"5".repeat(64)}`);
});

test("the owner's settings are in a separate file, which is read last", () => {
  const own = renderDovecot(sampleSite({ ownDovecot: "login_greeting = Hello.\n" }));
  assert.equal(own.find(({ name }) => name === "own.conf")?.text, "login_greeting = Hello.\n");
  assert.match(text, /\n}\n!include own\.conf\n$/);
});

test("the nonce is stable, differs with the secret and does not show it", () => {
  const nonce = top.get("auth_policy_hash_nonce") ?? "";
  assert.match(nonce, /^[0-9a-f]{32}$/);
  const other = renderDovecot(sampleSite({ loginPolicySecret: "6".repeat(64) }))[0]?.text ?? "";
  assert.notEqual(assignments(other).get("auth_policy_hash_nonce"), nonce);
  assert.equal(assignments(renderDovecot(sampleSite())[0]?.text ?? "").get("auth_policy_hash_nonce"), nonce);
});

test("the guard is asked on loopback, once before each login, and its absence lets mail be read", () => {
  assert.equal(top.get("auth_policy_server_url"), "http://127.0.0.1:10025/");
  assert.equal(top.get("auth_policy_check_after_auth"), "no");
  assert.equal(top.get("auth_policy_reject_on_fail"), "yes");
});

test("IMAP is served over TLS 1.2 or newer only", () => {
  assert.equal(top.get("ssl"), "required");
  assert.equal(top.get("ssl_min_protocol"), "TLSv1.2");
  assert.match(text, /inet_listener imap \{\n {4}port = 0\n/);
  assert.match(text, /inet_listener imaps \{\n {4}port = 993\n {4}ssl = yes\n/);
});

test("the services behind sign-ins and mailboxes have room for as many as the settings promise", () => {
  const { limits } = sampleSite();
  const rendered = (imapPlaces: number, smtpPlaces: number, changes = {}): string =>
    renderDovecot(sampleSite({ limits: { ...limits, imapPlaces, smtpPlaces }, ...changes }))[0]?.text ?? "";
  const clients = (text: string): number => Number(assignments(text).get("default_client_limit"));
  const mailboxes = (text: string): number =>
    Number(/^service imap \{\n {2}process_limit = (\d+)$/m.exec(text)?.[1] ?? assert.fail());
  assert.deepEqual([clients(text), mailboxes(text)], [1_000, 1_024]);
  const many = rendered(10_000, 100);
  assert.ok(clients(many) >= 20_100 && mailboxes(many) === 10_000);
  assert.ok(clients(rendered(400, 1_000)) >= 2_500, "each smtpd for users asks whether a password is right");
  const networks = [parsePrefix("10.0.0.5") ?? assert.fail()];
  assert.ok(
    clients(rendered(400, 1_000, { proxied: { networks, ports: PROXIED_PORTS } })) >= 4_500,
    "and of those behind a proxy",
  );
});

test("a port for proxies trusts only their header, and the guard learns of them", () => {
  const networks = ["10.0.0.5", "2001:db8:5::/48"].map((network) => parsePrefix(network) ?? assert.fail());
  const proxied = renderDovecot(sampleSite({ proxied: { networks, ports: PROXIED_PORTS } }))[0]?.text ?? "";
  assert.match(proxied, /inet_listener imaps_of_proxies \{\n {4}port = 20993\n {4}ssl = yes\n {4}haproxy = yes\n/);
  assert.equal(assignments(proxied).get("haproxy_trusted_networks"), "10.0.0.5/32 2001:db8:5::/48");
  assert.match(
    assignments(proxied).get("auth_policy_request_attributes") ?? "",
    / peer=%\{real_rip\} app=%\{passdb:app\}$/,
  );
  assert.doesNotMatch(text, /prox/);
});

test("Postfix alone hands mail in: the socket that any local user could open is off", () => {
  assert.match(text, /service lmtp \{\n(?: {2}#.*\n)? {2}unix_listener lmtp \{\n {4}mode = 0\n/);
  assert.match(text, /private\/dovecot-lmtp \{\n {4}mode = 0600\n {4}user = postfix\n/);
});

test("a missing account costs as much to refuse as an existing one", () => {
  const query = /^password_query = (.*)$/m.exec(files.get("accounts.conf")?.text ?? "")?.[1] ?? "";
  assert.ok(query.startsWith("SELECT user, password, allow_nets FROM passdb WHERE user = '%u' UNION ALL "));
  const decoy = /UNION ALL SELECT '%u', '([^']+)', NULL/.exec(query)?.[1] ?? "";
  assert.match(decoy, /^\{ARGON2ID\}\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  const other = renderDovecot(sampleSite({ loginPolicySecret: "6".repeat(64) }))[1]?.text ?? "";
  assert.ok(!other.includes(decoy));
});

test("an alias is a mailbox for the check of quotas alone", () => {
  const query = /^user_query = (.*)$/m.exec(files.get("accounts.conf")?.text ?? "")?.[1] ?? "";
  const [own, ofAlias = ""] = query.split(" UNION ALL ");
  assert.equal(
    own,
    "SELECT user, '/srv/mail/mail/%d/%n' AS home, 990 AS uid, 991 AS gid, quota_rule, (SELECT " +
      "'dict:proxy::vacation;name=proven' FROM vacation_script WHERE vacation_script.user = userdb.user AND name = 'proven') " +
      "AS sieve_before2 " +
      "FROM userdb WHERE user = '%u'",
  );
  assert.match(ofAlias, / FROM alias_userdb WHERE address = '%u' AND '%s' = 'quota-status'$/);
});

test("listens on IPv6 only where the kernel has it", () => {
  assert.match(text, /^listen = \*, ::$/m);
  assert.match(renderDovecot(sampleSite({ ipv6: false }))[0]?.text ?? "", /^listen = \*$/m);
});

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
