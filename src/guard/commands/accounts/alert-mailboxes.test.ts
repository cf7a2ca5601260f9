import assert from "node:assert/strict";
import { test } from "node:test";
import { accountsOnMemory } from "../../../../test/kit/engine-kit.ts";
import { accountName, mailAddress } from "../../../../test/kit/samples.ts";
import { instant } from "../../../core/time.ts";
import { getsAlerts, isPostmaster } from "./accounts.ts";

const [ANNA, BERT] = [accountName("anna@example.test"), accountName("bert@example.test")];
const [ALERTS, INFO] = [mailAddress("alerts@example.test"), mailAddress("info@example.test")];

test("a mailbox gets alerts by its own address, with an extension, by aliases, and as the first one by postmaster@", () => {
  const { accounts, networks } = accountsOnMemory();
  accounts.add(ANNA, "{X}y", instant(1));
  accounts.add(BERT, "{X}y", instant(2));
  accounts.addAlias(ALERTS, [INFO]);
  accounts.addAlias(INFO, [BERT]);
  networks.serve({ domains: ["example.test"], administrator: null, refused: [], networks: [] });
  const reached = (...alertsTo: readonly string[]): readonly string[] =>
    [ANNA, BERT, ALERTS, INFO].filter((one) => getsAlerts({ accounts, alertsTo: () => alertsTo }, one));
  assert.deepEqual(reached(), []);
  assert.deepEqual(reached("owner@elsewhere.test", "nonsense"), []);
  assert.deepEqual(reached("bert+server@example.test"), [BERT]);
  assert.deepEqual(reached("alerts@example.test"), [BERT, ALERTS, INFO]);
  assert.deepEqual(reached("postmaster@example.test"), [ANNA]);
  const administrator = mailAddress("bert+alerts@example.test");
  networks.serve({ domains: ["example.test"], administrator, refused: [], networks: [] });
  assert.deepEqual(reached("postmaster@example.test"), [BERT]);
});

test("postmaster@ of any domain, in any case", () => {
  assert.ok(isPostmaster(mailAddress("Postmaster@example.test")));
  assert.ok(!isPostmaster(mailAddress("postmaster2@example.test")));
});
