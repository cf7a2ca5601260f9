import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { accountName, mailAddress, net } from "../../../test/kit/samples.ts";
import { ann, bob, HASH, refused, START, scalarOf, twoAccounts } from "../../../test/kit/test-database.ts";
import { NETWORKS, roleReader } from "./account-networks.ts";

const NONE = { domains: ["example.org", "example.net"], administrator: null, refused: [], networks: [] };

function fresh(t: TestContext) {
  const { db, accounts } = twoAccounts(t);
  return {
    db,
    accounts,
    networks: NETWORKS.store(db),
    allowed: (of: string) => scalarOf(db, "SELECT allow_nets FROM passdb WHERE user = ?", of),
    goesTo: (of: string) => scalarOf(db, "SELECT targets FROM alias_map WHERE address = ?", of),
    mayBeSentBy: (of: string) => scalarOf(db, "SELECT login FROM sender_login WHERE address = ?", of),
  };
}

const nets = (...texts: readonly string[]) => texts.map(net);

test("an account that does not exist gets no networks", (t) => {
  const { networks } = fresh(t);
  const added = networks.addNetworks(accountName("nobody@example.org"), nets("203.0.113.0/24"));
  assert.deepEqual(added, refused("There is no account nobody@example.org."));
  assert.deepEqual(networks.networksOf("nobody@example.org"), []);
});

test("Dovecot gets the networks that the server and the account have in common", (t) => {
  const { accounts, networks, allowed } = fresh(t);
  assert.equal(allowed(ann), null);
  assert.deepEqual(networks.addNetworks(ann, nets("203.0.113.0/24", "2001:db8::/32")), { ok: true });
  assert.equal(allowed(ann), "2001:db8::/32,203.0.113.0/24");
  assert.equal(allowed(bob), null);
  assert.deepEqual(networks.networksOf("Ann@Example.org"), nets("2001:db8::/32", "203.0.113.0/24"));
  networks.serve({ ...NONE, networks: nets("203.0.113.7", "198.51.100.0/24") });
  assert.equal(allowed(ann), "203.0.113.7/32");
  assert.equal(allowed(bob), "203.0.113.7/32,198.51.100.0/24");
  networks.serve({ ...NONE, networks: nets("192.168.0.0/16") });
  assert.equal(allowed(ann), "255.255.255.255/32");
  networks.serve(NONE);
  assert.equal(allowed(bob), null);
  assert.deepEqual(networks.removeNetworks(ann, nets("203.0.113.0/24", "2001:db8::/32")), { ok: true });
  assert.equal(allowed(ann), null);
  assert.equal(networks.removeNetworks(ann, nets("203.0.113.0/24")).ok, false);
  networks.addNetworks(ann, nets("203.0.113.0/24"));
  accounts.remove(ann);
  accounts.add(ann, HASH, START);
  assert.equal(allowed(ann), null, "a new account of the name inherits nothing");
});

test("postmaster and abuse of every domain reach the administrator, unless an account or alias has that name", (t) => {
  const { accounts, networks, goesTo, mayBeSentBy } = fresh(t);
  assert.equal(goesTo("postmaster@example.org"), undefined);
  networks.serve(NONE);
  for (const role of ["postmaster@example.org", "ABUSE@example.net"]) {
    assert.equal(goesTo(role), ann, "the first account");
    assert.equal(mayBeSentBy(role), ann);
  }
  assert.equal(goesTo("postmaster@elsewhere.test"), undefined);
  networks.serve({ ...NONE, administrator: bob });
  assert.equal(goesTo("postmaster@example.org"), bob);
  for (const [administrator, gets] of [
    ["gone@example.org", ann],
    ["gone+alerts@example.org", ann],
    ["bob+alerts@example.org", "bob+alerts@example.org"],
    ["owner@elsewhere.test", "owner@elsewhere.test"],
  ] as const) {
    networks.serve({ ...NONE, administrator: mailAddress(administrator) });
    assert.equal(goesTo("postmaster@example.org"), gets, "alerts must reach someone");
  }
  const later = accountName("carl@example.net");
  accounts.add(later, HASH, START);
  networks.serve({ ...NONE, domains: ["example.net"], administrator: bob });
  assert.equal(goesTo("postmaster@example.net"), later, "not an account whose domain was removed");
  networks.serve({ ...NONE, administrator: bob });
  accounts.addAlias(mailAddress("postmaster@example.org"), [ann]);
  assert.equal(goesTo("Postmaster@example.org"), ann);
  accounts.setAliasBlocked(mailAddress("postmaster@example.org"), true);
  assert.equal(goesTo("postmaster@example.org"), undefined);
  accounts.add(accountName("abuse@example.org"), HASH, START);
  assert.equal(goesTo("abuse@example.org"), undefined);
  assert.equal(mayBeSentBy("abuse@example.org"), "abuse@example.org");
  assert.equal(goesTo("abuse@example.net"), bob);
  networks.serve({ ...NONE, administrator: bob, refused: ["admin", "abuse"] });
  assert.equal(goesTo("abuse@example.net"), undefined, "the settings refuse it");
  networks.serve({ ...NONE, administrator: bob, refused: ["admin"] });
  assert.equal(goesTo("abuse@example.net"), bob);
  assert.equal(goesTo("postmaster@example.net"), bob);
});

test("the mail of postmaster@ goes to an account that can sign in, if there is one", (t) => {
  const { db, accounts, networks, goesTo } = fresh(t);
  const reader = () => roleReader(db);
  networks.serve(NONE);
  assert.deepEqual(reader(), { address: ann, reads: true });
  accounts.setSuspended(ann, true);
  assert.equal(goesTo("postmaster@example.org"), bob, "no one reads Ann's mail");
  for (const suspended of [ann, "ann+alerts@example.org"]) {
    networks.serve({ ...NONE, administrator: mailAddress(suspended) });
    assert.deepEqual(reader(), { address: suspended, reads: false }, "no one else becomes the administrator");
  }
  networks.serve({ ...NONE, administrator: mailAddress("owner@elsewhere.test") });
  assert.deepEqual(reader(), { address: "owner@elsewhere.test", reads: true });
  const info = mailAddress("info@example.org");
  accounts.addAlias(info, [mailAddress("owner@elsewhere.test")]);
  networks.serve({ ...NONE, administrator: info });
  assert.deepEqual(reader(), { address: info, reads: true });
  accounts.setAliasBlocked(info, true);
  assert.deepEqual(reader(), { address: info, reads: false });
  const team = mailAddress("team@example.org");
  accounts.addAlias(team, [ann]);
  networks.serve({ ...NONE, administrator: team });
  assert.deepEqual(reader(), { address: team, reads: false });
  accounts.addAlias(team, [bob]);
  assert.deepEqual(reader(), { address: team, reads: true });
  networks.serve(NONE);
  accounts.setSuspended(bob, true);
  assert.deepEqual(reader(), { address: ann, reads: false }, "the mail is not lost");
});

test("an account has at most 200 networks", (t) => {
  const { networks } = fresh(t);
  const many = nets(...Array.from({ length: 200 }, (_, i) => `203.0.${i}.0/24`));
  assert.deepEqual(networks.addNetworks(ann, many), { ok: true });
  assert.deepEqual(networks.addNetworks(ann, nets("203.0.1.0/24")), { ok: true }, "it is there already");
  assert.deepEqual(
    networks.addNetworks(ann, nets("198.51.100.0/24")),
    refused(`${ann} may have at most 200 networks.`),
  );
});
