import assert from "node:assert/strict";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { NOON } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { settings } from "../../../test/kit/upkeep-kit.ts";
import { layoutOf } from "../../settings/layout.ts";
import { tell, tellRedirects } from "./tell.ts";

const layout = layoutOf(temporaryDirectory());
const troubles = { all: [{ code: "audit_broken", detail: "entry 3 differs" }], certificate: [] } as const;

test("while the settings cannot be read, shows only root's records", async () => {
  const known = { layout, read: { ok: false, reason: "Line 3 is wrong." }, troubles, now: NOON } as const;
  const reported = await tell("upkeep", known);
  assert.ok(reported.ok);
  assert.partialDeepStrictEqual(
    reported.upkeep?.find(({ name }) => name === "audit"),
    { state: "down" },
  );
  for (const about of ["certificate", "dkim_keys", "firewall", "retention"] as const)
    assert.deepEqual(await tell(about, known), { ok: false, reason: "Line 3 is wrong." });
  assert.partialDeepStrictEqual(await tell("checks", known), { ok: true, checks: { checks: [] } });
  assert.partialDeepStrictEqual(await tell("incidents", known), { ok: true, incidents: { incidents: [] } });
});

test("lists the targets of Sieve scripts for the requested accounts", async () => {
  const { mail } = layoutOf(temporaryDirectory());
  for (const name of ["anna", "bert"]) {
    const home = join(mail, "example.org", name);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, ".dovecot.sieve"), `redirect "${name}@elsewhere.example";`);
  }
  const to = ["anna@elsewhere.example"];
  const annas = { ok: true, detail: "", redirects: [{ address: "anna@example.org", to, by: ".dovecot.sieve" }] };
  assert.deepEqual(await tellRedirects({ mail }, ["anna@example.org", "nobody@example.org"]), annas);
  rmSync(join(mail, "example.org", "bert"), { recursive: true });
  mkdirSync(join(mail, "example.org", "bert"));
  writeFileSync(join(mail, "example.org", "bert", "sieve"), "no directory");
  // An attacker who has taken over Dovecot may put anything there: it must not hide other accounts' targets.
  assert.deepEqual(await tellRedirects({ mail }, ["bert@example.org", "anna@example.org"]), annas);
  rmSync(join(mail, "example.org", "bert", "sieve"));
  symlinkSync("/etc", join(mail, "example.org", "bert", "sieve"));
  assert.deepEqual(await tellRedirects({ mail }, ["bert@example.org", "anna@example.org"]), annas);
});

test("each question has its own answer", async () => {
  const known = { layout, read: { ok: true, settings }, troubles, now: NOON } as const;
  const keys = await tell("dkim_keys", known);
  assert.ok(keys.ok && keys.dkimKeys?.length === 2 && keys.upkeep === undefined);
  assert.partialDeepStrictEqual(await tell("encryption", known), { ok: true, encryption: { encrypts: false } });
  mkdirSync(dirname(layout.mailPublicKey), { recursive: true });
  writeFileSync(layout.mailPublicKey, "nonsense");
  assert.deepEqual(await tell("encryption", known), {
    ok: false,
    reason: "The public key with which mail is encrypted cannot be read.",
  });
  mkdirSync(dirname(layout.legalHolds), { recursive: true });
  assert.partialDeepStrictEqual(await tell("retention", known), { ok: true, retention: { legalHolds: [] } });
  writeFileSync(layout.legalHolds, "nonsense");
  assert.deepEqual(await tell("retention", known), {
    ok: false,
    reason: "The list of legal holds cannot be read, so no mail is removed.",
  });
  assert.deepEqual(await tell("certificate", known), { ok: false, reason: "No certificate is in use yet." });
});
