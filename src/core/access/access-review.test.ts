import assert from "node:assert/strict";
import { test } from "node:test";
import { patience } from "../../../test/kit/patience.ts";
import { DAY_MS, instant, isoTime } from "../time.ts";
import { type AccountAccess, accessReview, sieveRedirectsOf } from "./access-review.ts";

const NOW = Date.UTC(2026, 10, 20);
const ago = (days: number): string => isoTime(instant(NOW - days * DAY_MS));

function account(name: string, changes: Partial<AccountAccess> = {}): AccountAccess {
  const plain = { suspended: false, networks: [], addresses: [name], appPasswords: [], lastSeen: null, weakness: null };
  return { name, createdAt: ago(400), ...plain, ...changes };
}

function review(changes: Partial<Parameters<typeof accessReview>[0]>) {
  const none = { accounts: [], aliases: [], redirects: [], forwards: [], admins: [], domains: ["example.org"] };
  return accessReview({ ...none, ...changes }, { now: NOW, unusedMs: 90 * DAY_MS });
}

test("an account is unused after this time without a sign-in, unless it is younger than that", () => {
  const { accounts } = review({
    accounts: [
      account("never@example.org"),
      account("new@example.org", { createdAt: ago(89) }),
      account("old@example.org", { lastSeen: { at: ago(90), from: "" } }),
      account("used@example.org", { lastSeen: { at: ago(1), from: "203.0.113.7" } }),
    ],
  });
  const unused = accounts.filter(({ isUnused }) => isUnused).map(({ name }) => name);
  assert.deepEqual(unused, ["never@example.org", "old@example.org"]);
});

test("aliases that accept mail, and scripts, are listed if they lead outside", () => {
  const redirect = { address: "anna@example.org", to: ["anna@else.example"], by: "sieve/away.sieve" };
  const { forwards, aliases } = review({
    aliases: [
      { address: "team@example.org", targets: ["anna@example.org", "bob@else.example"], blocked: false },
      { address: "info@example.org", targets: ["anna@example.org"], blocked: false },
      { address: "gone@example.org", targets: ["bob@else.example"], blocked: true },
    ],
    redirects: [redirect],
  });
  assert.deepEqual(forwards, [{ address: "team@example.org", to: ["bob@else.example"], by: "alias" }, redirect]);
  assert.equal(aliases, 3);
});

test("forwards set by command are named, with the command; local targets are not", () => {
  const address = "anna@example.org";
  const by = "account forward";
  const { forwards } = review({
    forwards: [
      { address, to: ["anna@else.example", "bob@example.org"], by },
      { address: "bob@example.org", to: ["carl@example.org"], by },
    ],
  });
  assert.deepEqual(forwards, [{ address, to: ["anna@else.example"], by }]);
});

test("redirects of a Sieve script are found despite tags and comments, however the target is written", () => {
  const script = `require ["copy"]; # redirect "none@else.example";
    if header :contains "subject" ["redirect me", "\\"; redirect \\"none@else.example"] { REDIRECT :copy "a@else.example"; }
    redirect :notify "NEVER" "b@else.example"; redirect "a@else.example"; fileinto "Junk";
    redirect/* " */"c@else.example"; redirect # "\u2028"
      "d\\@else.example"; redirect text: # lines\r\ne@else.example\r\n.\r\n; redirect "\${to}";`;
  const found = ["a", "b", "c", "d", "e"].map((name) => `${name}@else.example`);
  assert.deepEqual(sieveRedirectsOf(script), [...found, "${to}"]);
  assert.deepEqual(sieveRedirectsOf('keep; fileinto "x";'), []);
});

test("no script takes long to read, whatever it contains", () => {
  const BYTES = 1_000_000;
  for (const part of [":redirect ", "redirect ", "\\a", '\\"', "/*", "text:\n", ' redirect :a "']) {
    const startedAt = performance.now();
    sieveRedirectsOf(`redirect ${part.repeat(BYTES / part.length)}`);
    sieveRedirectsOf(`redirect "${part.repeat(BYTES / part.length)}`);
    const took = performance.now() - startedAt;
    assert.ok(took < patience(2_000), `${part}: ${took} ms`);
  }
});
