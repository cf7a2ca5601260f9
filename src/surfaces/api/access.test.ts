import assert from "node:assert/strict";
import { test } from "node:test";
import { TOKEN, tokenNamed } from "../../../test/kit/fake-guard.ts";
import { identityOf, isCrossOrigin, secretOf } from "./access.ts";

const SECRET = "s".repeat(43);

test("the scheme of a token is case-insensitive, and a malformed token counts as none", () => {
  assert.equal(secretOf(new Headers({ authorization: `bearer ${TOKEN}` }), false), TOKEN);
  for (const wrong of [`Bearer ${TOKEN}!`, `Bearer ${TOKEN.slice(3)}`, `Basic ${TOKEN}`, "Bearer", "Bearer gi_", TOKEN])
    assert.equal(secretOf(new Headers({ authorization: wrong }), false), null, wrong);
});

test("a session's secret comes from our cookie, and does not make up for a wrong token", () => {
  assert.equal(secretOf(new Headers({ cookie: `a=b; ghostinbox=${SECRET}; c=d` }), false), SECRET);
  for (const cookie of [`xghostinbox=${SECRET}`, `ghostinbox=${SECRET}x`, "ghostinbox=", ""])
    assert.equal(secretOf(new Headers({ cookie }), false), null, cookie);
  const planted = new Headers({ cookie: `ghostinbox=${SECRET}` });
  assert.equal(secretOf(planted, true), null, "any sibling domain can plant it");
  assert.equal(secretOf(new Headers({ cookie: `ghostinbox=planted; __Host-ghostinbox=${SECRET}` }), true), SECRET);
  assert.equal(secretOf(new Headers({ cookie: `__Host-ghostinbox=${SECRET}` }), false), null);
  assert.equal(secretOf(new Headers({ cookie: `ghostinbox=${SECRET}`, authorization: "Bearer gi_0" }), false), null);
});

test("all sessions of a mailbox count as one caller, and each session of the owner as its own", () => {
  const owner = { how: "session", name: "admin", account: null } as const;
  const user = { ...owner, name: "anna@example.org", account: "anna@example.org" };
  const identities = [owner, user].flatMap((who) => ["a", "b"].map((session) => identityOf({ ...who, session })));
  const mailbox = "mailbox anna@example.org";
  assert.deepEqual(identities, ["session a", "session b", mailbox, mailbox]);
  assert.equal(identityOf(tokenNamed("ci", ["read"])), "token ci");
});

test("a request from another site's page is cross-origin; one from a script, without such headers, is not", () => {
  const foreign = (headers: object): boolean => isCrossOrigin(new Headers({ host: "mail.example.org", ...headers }));
  const own = { origin: "https://mail.example.org" };
  for (const said of [{}, own, { "sec-fetch-site": "same-origin", ...own }, { "sec-fetch-site": "none" }])
    assert.equal(foreign(said), false, JSON.stringify(said));
  for (const origin of ["https://evil.example", "https://mail.example.org:8443", "null"])
    assert.equal(foreign({ origin }), true, origin);
  for (const site of ["cross-site", "same-site"]) assert.equal(foreign({ "sec-fetch-site": site }), true, site);
});
