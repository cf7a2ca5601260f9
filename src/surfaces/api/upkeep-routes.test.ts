import assert from "node:assert/strict";
import { test } from "node:test";
import { startKit } from "../../../test/kit/api-kit.ts";
import { AS_TOKEN } from "../../../test/kit/fake-guard.ts";
import { CERTIFICATE, MX } from "../../../test/kit/upkeep-kit.ts";

const ALERT = {
  code: "disk_nearly_full",
  subject: "",
  severity: "critical",
  says: "The disk is nearly full.",
  detail: "12 MB are left",
  next: "Free space.",
  openedAt: "2026-11-20T06:00:00.000Z",
  resolvedAt: null,
} as const;

test("alerts come in pages, with the channels that send them", async (t) => {
  const kit = await startKit(t);
  const channels = [{ name: "ntfy", failing: "it answered 503" }];
  const page = { channels, leadOut: true, next: "over/x", total: 7 };
  kit.guard.answers("alerts_list", { ...page, items: [ALERT] });
  assert.deepEqual(await kit.send("GET", "alerts?limit=1"), { status: 200, answer: { ...page, items: [ALERT] } });
  assert.deepEqual(kit.guard.of("alerts_list"), [{ verb: "alerts_list", limit: 1, cursor: null }]);
  assert.equal((await kit.send("GET", "alerts?limit=0")).status, 400);
});

test("a test of the channels tells what came of each, and what the guard refuses", async (t) => {
  const kit = await startKit(t);
  const results = [
    { channel: "ntfy", ok: false, detail: "it answered 503" },
    { channel: "email", ok: true, detail: "" },
  ];
  kit.guard.answers("alerts_test", { results });
  assert.deepEqual(await kit.send("POST", "alerts/test"), { status: 200, answer: { results } });
  assert.deepEqual(kit.guard.asked.at(-1), { by: AS_TOKEN, command: { verb: "alerts_test" } });
  kit.guard.refuses("alerts_test", "Enough.");
  assert.partialDeepStrictEqual(await kit.send("POST", "alerts/test"), { status: 409, answer: { code: "refused" } });
});

const UPKEEP = {
  name: "drill",
  state: "unknown",
  at: null,
  says: "There was none yet.",
  command: "backup drill",
} as const;
test("the upkeep, the certificate and DNS records are what the guard says", async (t) => {
  const kit = await startKit(t);
  const dns = { domain: "example.org", domains: ["example.org"], checkedAt: ALERT.openedAt, records: [MX] };
  kit.guard.answers("upkeep", { items: [UPKEEP] });
  kit.guard.answers("certificate", CERTIFICATE);
  kit.guard.answers("dns_check", dns);
  assert.deepEqual(await kit.send("GET", "upkeep"), { status: 200, answer: { items: [UPKEEP] } });
  assert.deepEqual(await kit.send("GET", "certificate"), { status: 200, answer: CERTIFICATE });
  assert.deepEqual(await kit.send("GET", "dns?domain=example.org"), { status: 200, answer: dns });
  await kit.send("GET", "dns");
  assert.deepEqual(
    kit.guard.of("dns_check"),
    ["example.org", null].map((domain) => ({ verb: "dns_check", domain })),
  );
  assert.equal((await kit.send("GET", `dns?domain=${"x".repeat(254)}`)).status, 400);
  kit.guard.refuses("upkeep", "The keeper hung up.");
  assert.partialDeepStrictEqual(await kit.send("GET", "upkeep"), {
    status: 409,
    answer: { detail: "The keeper hung up." },
  });
});
