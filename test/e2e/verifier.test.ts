import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { RECORDS } from "../lab/content.ts";
import { Lab } from "../lab/lab.ts";
import { SERVER, whyNoLab } from "../lab/network.ts";
import { Product } from "../lab/product.ts";
import { until } from "../lab/wait.ts";

const ANNA = "anna@example.test";
const SESSIONS = 8;
const MAILS = 2_400;
const RSPAMD = /rspamd: \w+/;

describe("many mails at once, each verified by names that only our resolver knows", {
  skip: whyNoLab() ?? false,
}, () => {
  let lab: Lab;
  let product: Product;
  before(async () => {
    lab = await Lab.make(RECORDS);
    product = await new Product(lab, { GHOSTINBOX_ALLOW__NETWORKS: "198.51.100.0/24" }).start();
    await product.addAccount(ANNA);
  });
  after(async () => {
    try {
      await product.stopAndCheck();
    } finally {
      lab.remove();
    }
  });

  test("all are taken and verified, and the verifier outlives them", async () => {
    const started = product.pidsOf(RSPAMD);
    const burst = ["smtp-source", "-s", String(SESSIONS), "-m", String(MAILS), "-l", "2000", "-M", "mx.sender.test"];
    // It ends with 1 at the first refusal.
    await lab.sender.mustExec([...burst, "-f", "someone@sender.test", "-t", ANNA, `${SERVER.v4}:25`], {
      deadlineMs: 120_000,
    });
    const mails = await until("all have arrived", () => allMails(product).length >= MAILS && allMails(product), 60_000);
    assert.equal(mails.length, MAILS);
    for (const mail of mails) assert.match(mail, /^\s+spf=pass \(.*\) smtp\.mailfrom=someone@sender\.test/ms);
    assert.deepEqual(product.pidsOf(RSPAMD), started);
    const log = readFileSync(product.layout.mailLog, "utf8");
    assert.doesNotMatch(log, /warning: milter/);
  });
});

function allMails({ layout }: Product): readonly string[] {
  const folder = join(layout.mail, "example.test", "anna", "Maildir", "new");
  return readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
}
