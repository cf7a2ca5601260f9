import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { put } from "../../../test/kit/files.ts";
import { done, reasonOf } from "../../../test/kit/reason-of.ts";
import { NOON, net } from "../../../test/kit/samples.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { settings } from "../../../test/kit/upkeep-kit.ts";
import { parseKeeperReply } from "../../admin/declare/keeper.ts";
import { keepIsolation } from "../../host/firewall/isolation.ts";
import { changeCheckRecord } from "../../jobs/check/check-record.ts";
import { appendEntry, keepIncident, openIncident } from "../../jobs/incident/folder.ts";
import { mailCryptOf } from "../../mail/configuration/site.ts";
import { prepareMailKeys } from "../../mail/dovecot/mail-keys.ts";
import {
  checksOf,
  encryptionOf,
  incidentsOf,
  publicKeys,
  reportFail2ban,
  reportFor,
  reportRedirects,
} from "./reports.ts";

const layout = temporaryLayout("mailPublicKey", "legalHolds");
const troubles = { all: [{ code: "audit_broken", detail: "entry 3 differs" }], certificate: [] } as const;

test("while the settings cannot be read, shows only root's records", async () => {
  const known = { layout, read: { ok: false, reason: "Line 3 is wrong." }, troubles, now: NOON } as const;
  assert.equal(done(await reportFor("upkeep", known)).upkeep?.find(({ name }) => name === "audit")?.state, "down");
  for (const verb of ["certificate", "dkim_keys", "firewall", "retention"] as const)
    assert.deepEqual(await reportFor(verb, known), { ok: false, reason: "Line 3 is wrong." });
  const none = { checks: { at: null, checks: [] }, incidents: { incidents: [], timeline: [], isolation: null } };
  for (const verb of ["checks", "incidents"] as const)
    assert.deepEqual(await reportFor(verb, known), { ok: true, detail: "", [verb]: none[verb] });
});

test("lists the targets of Sieve scripts for the requested accounts", async () => {
  const { mail } = temporaryLayout();
  for (const name of ["anna", "bert"])
    put(join(mail, "example.org", name, ".dovecot.sieve"), `redirect "${name}@elsewhere.example";`);
  const to = ["anna@elsewhere.example"];
  const annas = { ok: true, detail: "", redirects: [{ address: "anna@example.org", to, by: ".dovecot.sieve" }] };
  assert.deepEqual(await reportRedirects({ mail }, ["anna@example.org", "nobody@example.org"]), annas);
  const scripts = join(mail, "example.org", "bert", "sieve");
  rmSync(dirname(scripts), { recursive: true });
  mkdirSync(dirname(scripts));
  // An attacker who has taken over Dovecot may put anything there: it must not hide other accounts' targets.
  for (const spoil of [() => put(scripts, "no directory"), () => symlinkSync("/etc", scripts)]) {
    spoil();
    assert.deepEqual(await reportRedirects({ mail }, ["bert@example.org", "anna@example.org"]), annas);
    rmSync(scripts);
  }
});

test("each question has its own answer", async () => {
  const known = { layout, read: { ok: true, settings }, troubles, now: NOON } as const;
  const keys = await reportFor("dkim_keys", known);
  assert.ok(keys.ok && keys.dkimKeys?.length === 2 && keys.upkeep === undefined);
  assert.partialDeepStrictEqual(await reportFor("encryption", known), { ok: true, encryption: { encrypts: false } });
  put(layout.mailPublicKey, "nonsense");
  const noKey = "The public key with which mail is encrypted cannot be read.";
  assert.deepEqual(await reportFor("encryption", known), { ok: false, reason: noKey });
  const kept = await reportFor("retention", known);
  assert.deepEqual(kept.ok && kept.retention?.legalHolds, []);
  put(layout.legalHolds, "nonsense");
  const noHolds = "The list of legal holds cannot be read, so no mail is removed.";
  assert.deepEqual(await reportFor("retention", known), { ok: false, reason: noHolds });
  assert.deepEqual(await reportFor("certificate", known), { ok: false, reason: "No certificate is in use yet." });
});

const AT = "2026-11-20T06:00:00.000Z";

test("each check is shown with its state and its last pass, without its evidence", () => {
  const layout = temporaryLayout("checkRecord");
  const at = Date.parse(AT);
  const evidence = "anna@example.org has a password that can be guessed";
  changeCheckRecord(layout, {
    at,
    checks: {
      "accounts.passwords": { state: "wrong", evidence, passedAt: null },
      "tls.certificate": { state: "ok", evidence: "It is valid.", passedAt: at },
    },
  });
  const checks = [
    { id: "accounts.passwords", state: "wrong", passedAt: null },
    { id: "tls.certificate", state: "ok", passedAt: AT },
  ];
  assert.deepEqual(checksOf(layout), { at: AT, checks });
  const reply = { ok: true, detail: "", checks: { at: AT, checks } };
  assert.deepEqual(parseKeeperReply(JSON.stringify(reply)), reply);
});

const OFF = { "mailboxes.encryption": "off", "mailboxes.encryption_key": "" } as const;
const SERVER = { ...OFF, "mailboxes.encryption": "server" } as const;
const NONE = { encrypts: false, byAccount: false, readable: null, fingerprint: null };

test("the state of encryption includes which key it uses, but not where that is", () => {
  const layout = temporaryLayout("mailPublicKey", "mailPrivateKey", "mailKeyConf", "mailNoKey");
  assert.deepEqual(encryptionOf(layout, OFF), NONE);
  assert.deepEqual(encryptionOf(layout, SERVER), NONE, "no keys exist yet");
  assert.deepEqual(prepareMailKeys({ mailCrypt: mailCryptOf(SERVER, layout), layout }), { ok: true, changed: true });
  const reported = encryptionOf(layout, SERVER);
  assert.partialDeepStrictEqual(reported, { encrypts: true, byAccount: false, readable: true });
  assert.match(reported.fingerprint ?? "", /^[0-9a-f]{64}$/);
  const reply = { ok: true, detail: "", encryption: reported };
  assert.deepEqual(parseKeeperReply(JSON.stringify(reply)), reply);
  rmSync(layout.mailPrivateKey);
  assert.deepEqual(encryptionOf(layout, SERVER), { ...reported, readable: false });
  const former = { ...reported, encrypts: false, readable: false };
  assert.deepEqual(encryptionOf(layout, OFF), former, "older mail stays unchanged");
});

test("a Fail2ban that was off at the start has no jails", async () => {
  const fail2ban = { enabled: false, sentences: "all", jails: [], refused: [] };
  assert.deepEqual(await reportFail2ban(layout, { "fail2ban.sentences": "all" }), { ok: true, detail: "", fail2ban });
});

test("a Fail2ban that should run and is missing is reported as such", async () => {
  mkdirSync(join(layout.services, "fail2ban"), { recursive: true });
  const reported = await reportFail2ban(layout, { "fail2ban.sentences": "unjudged" });
  assert.match(reasonOf(reported), /^Fail2ban (?:does not answer|cannot be asked)\.$/);
});

test("the guard can read the keeper's answer about Fail2ban", () => {
  const fail2ban = {
    enabled: true,
    sentences: "unjudged",
    jails: [{ name: "postfix-sasl", watched: 2, found: 9, reports: 1 }],
    refused: [{ file: "gullible.conf", reason: "attackers choose what it reads" }],
  };
  const reply = { ok: true, detail: "", fail2ban };
  assert.deepEqual(parseKeeperReply(JSON.stringify(reply)), reply);
});

test("returns each domain's public key, nothing for a domain without a key, and never the private one", () => {
  const layout = temporaryLayout();
  mkdirSync(layout.dkimKeys, { recursive: true });
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1_024 });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  put(join(layout.dkimKeys, `example.org.${settings["dkim.selector"]}.pem`), pem);
  const key = publicKey.export({ type: "spki", format: "der" }).toString("base64");
  assert.deepEqual(publicKeys(layout, settings), [
    { domain: "example.org", key },
    { domain: "example.net", key: "" },
  ]);
});

const NOTE = { by: "root", step: "note", lines: ["anna@example.org"], audited: true } as const;

test("the newest incident comes first; the steps of the open one are listed, without their targets", () => {
  const layout = temporaryLayout();
  const [old, open] = [1, 2].map((day) => {
    const openedAt = `2026-11-0${day}T06:00:00.000Z`;
    const incident = openIncident(layout, { title: `Number ${day}`, openedAt, since: openedAt });
    appendEntry(layout, incident, { ...NOTE, at: openedAt, says: `Step of ${day}. ${"x".repeat(600)}` });
    return incident;
  });
  assert.ok(old !== undefined && open !== undefined);
  const closed = { ...old, closedAt: "2026-11-01T08:00:00.000Z" };
  keepIncident(layout, closed);
  const since = open.openedAt;
  keepIsolation(layout, { incident: open.id, since, allow: [net("198.51.100.9")], ssh: [22], shut: ["send"] });
  const reported = incidentsOf(layout);
  assert.deepEqual(reported, {
    incidents: [open, closed].map((one) => ({ ...one, steps: 1 })),
    timeline: [{ at: since, by: "root", step: "note", says: `Step of 2. ${"x".repeat(469)}`, audited: true }],
    isolation: { incident: open.id, since, allow: ["198.51.100.9/32"], shut: ["send"] },
  });
  const reply = { ok: true, detail: "", incidents: reported };
  assert.deepEqual(parseKeeperReply(JSON.stringify(reply)), reply);
});
