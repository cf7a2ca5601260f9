import assert from "node:assert/strict";
import { test } from "node:test";
import { startKit } from "../../../test/kit/api-kit.ts";
import { AS_TOKEN, tokenNamed } from "../../../test/kit/fake-guard.ts";
import { CHECKS, ENCRYPTION, FAIL2BAN, FIREWALL, INCIDENTS, RETENTION } from "../../../test/kit/keeper-reports.ts";

const ACCESS = {
  name: "anna@example.org",
  suspended: false,
  networks: ["203.0.113.0/24"],
  createdAt: "2026-11-20T06:00:00.000Z",
  addresses: ["anna@example.org", "info@example.org"],
  appPasswords: ["phone"],
  lastSignIn: null,
  forwards: [{ to: ["anna@elsewhere.example"], by: "account forward" }],
} as const;

test("who can read whose mail comes in pages", async (t) => {
  const kit = await startKit(t);
  const page = { next: ACCESS.name, total: 2 };
  kit.guard.answers("access_review", { items: [ACCESS], ...page });
  assert.deepEqual(await kit.send("GET", "access?limit=1&text=an"), {
    status: 200,
    answer: { items: [ACCESS], ...page },
  });
  await kit.send("GET", "access");
  assert.deepEqual(kit.guard.of("access_review"), [
    { verb: "access_review", limit: 1, cursor: null, text: "an" },
    { verb: "access_review", limit: 50, cursor: null, text: null },
  ]);
  assert.equal((await kit.send("GET", "access?limit=101")).status, 400);
});

/** By route: the guard's verb, its result, and whether a scope beyond `read` is needed. */
const TOLD = {
  incidents: ["incident_list", INCIDENTS, true],
  firewall: ["firewall", FIREWALL, false],
  checks: ["checks", CHECKS, false],
  fail2ban: ["fail2ban", FAIL2BAN, false],
  encryption: ["encryption", ENCRYPTION, true],
  retention: ["retention", RETENTION, true],
} as const;

for (const [path, [verb, result, isForItsUsers]] of Object.entries(TOLD))
  test(`${path}: what the keeper tells the guard is answered, or why it does not; ${isForItsUsers ? "to owners" : "to all"}`, async (t) => {
    const kit = await startKit(t);
    assert.equal((await kit.send("GET", path)).status, 200);
    kit.guard.answers(verb, result);
    assert.deepEqual(await kit.send("GET", path), { status: 200, answer: result });
    kit.guard.refuses(verb, "The keeper hung up.");
    assert.partialDeepStrictEqual(await kit.send("GET", path), {
      status: 409,
      answer: { detail: "The keeper hung up." },
    });
    const other = await startKit(t);
    other.guard.callers.set(AS_TOKEN.as, tokenNamed("ci", ["read", "ban", "allow", "greylist", "queue"]));
    assert.equal((await other.send("GET", path)).status, isForItsUsers ? 403 : 200);
    assert.equal(other.guard.asked.length, isForItsUsers ? 0 : 1);
  });
