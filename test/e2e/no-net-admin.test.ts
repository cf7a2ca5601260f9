import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Lab } from "../lab/lab.ts";
import { authenticate, mailOver, openImap, openSubmission, sendMail } from "../lab/mail.ts";
import { whyNoLab } from "../lab/network.ts";
import { PASSWORD, Product } from "../lab/product.ts";
import { until } from "../lab/wait.ts";

const ANNA = "anna@example.test";
const PHONE = "198.51.100.65";
const ABUSER = "198.51.100.201";

/** In a container without CAP_NET_ADMIN there is no firewall of ours: bans hold at the policy layer. */
describe("without CAP_NET_ADMIN", { skip: whyNoLab() ?? false }, () => {
  let lab: Lab;
  let product: Product;
  before(async () => {
    lab = await Lab.make();
    product = await new Product(lab, {}, undefined, [
      "setpriv",
      "--bounding-set",
      "-net_admin",
      "--inh-caps",
      "-net_admin",
    ]).start();
    await product.addAccount(ANNA);
  });
  after(async () => {
    try {
      await product.stopAndCheck();
    } finally {
      lab.remove();
    }
  });

  test("it starts, takes mail, and says that bans do not reach the firewall", async () => {
    assert.equal((await sendMail({ host: lab.sender, from: PHONE })).code, 250);
    const { stdout, code } = await product.cli(["status"]);
    assert.equal(code, 0);
    assert.match(stdout, /firewall.*CAP_NET_ADMIN/i);
  });

  test("a ban refuses mail and logins, and ends the open IMAP session", async () => {
    const imap = await openImap(lab.attacker, ABUSER);
    assert.match((await imap.imap(`LOGIN ${ANNA} "${PASSWORD}"`)).at(-1) ?? "", /OK/);
    await product.json(["ban", ABUSER, "test"]);
    assert.equal((await sendMail({ host: lab.attacker, from: ABUSER })).code, 421);
    await until("the session is ended", () => imap.isClosed, 10_000);
    const again = await openImap(lab.attacker, ABUSER);
    assert.doesNotMatch((await again.imap(`LOGIN ${ANNA} "${PASSWORD}"`)).at(-1) ?? "", / OK /);
    again.close();
  });

  test("a new password and a suspension end what was signed in", async () => {
    for (const argv of [
      ["account", "passwd", ANNA, "--password-stdin"],
      ["account", "suspend", ANNA],
    ]) {
      const dialog = await openSubmission(lab.sender, PHONE);
      assert.equal((await authenticate(dialog, ANNA)).code, 235);
      const ran = await product.cli(argv, { input: `${PASSWORD}\n` });
      assert.equal(ran.code, 0, ran.stderr);
      await until("the session is ended", () => dialog.isClosed, 10_000);
    }
    await product.json(["account", "resume", ANNA]);
  });

  test("whoever slips through is refused at the next mail", async () => {
    const dialog = await openSubmission(lab.sender, PHONE);
    assert.equal((await authenticate(dialog, ANNA)).code, 235);
    await product.lab.server.mustExec(["sqlite3", product.layout.accountsDb, `UPDATE account SET suspended = 1`]);
    const reply = await mailOver(dialog, { sender: ANNA, recipient: ANNA });
    assert.equal(reply.code, 421, dialog.transcript.join("\n"));
    assert.ok((await product.events(PHONE)).some(({ reason }) => reason === "account_inactive"));
  });
});
