import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { startContainer } from "../lab/container.ts";
import { nonsenseTests } from "../lab/nonsense-tests.ts";
import { OUR_USERS, startOutliver } from "../lab/outliver.ts";
import { STUB_ZONES, stubZonesTests } from "../lab/stub-zones-tests.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

describe("a server that gets no mail", needsLab(), () => {
  const within: string[] = [];
  let endContainer: () => void;
  const running = withProduct(
    { ...STUB_ZONES.settings, GHOSTINBOX_MAILBOXES__ENCRYPTION: "server" },
    ["anna@example.test"],
    {
      records: () => STUB_ZONES.records,
      within,
      prepare: async ({ lab }) => {
        endContainer = await startContainer(lab.server, within);
      },
    },
  );
  const { lab, product } = running;

  test("a first start makes the keys that encrypt mail", () => {
    for (const key of [product.layout.mailPublicKey, product.layout.mailPrivateKey]) assert.ok(existsSync(key), key);
  });

  describe("nonsense gets one clear line and its exit code", () => nonsenseTests(running));
  describe("the owner's zones among reserved names", () => stubZonesTests(running));

  test("in a container whose root may not look into other users' processes, survivors of a stop end at the next start", async (t) => {
    await product.stop();
    const left = await Promise.all(OUR_USERS.map((user) => startOutliver({ host: lab.server, user, within })));
    t.after(() => Promise.all(left.map((one) => one.end())));
    await product.start();
    assert.ok(product.output.includes(`Ended ${left.length} processes that an earlier start left behind.`));
    await until("they have ended", () => left.every((one) => !one.isThere()));
    await product.stop();
    const isOurs = (line: string): boolean => !/ sleep infinity *$/.test(line);
    assert.deepEqual(product.processes().filter(isOurs), [], "nor rspamd's, into which root may not look");
    endContainer();
    await until("the container has ended", () => product.processes().length === 0);
  });
});
