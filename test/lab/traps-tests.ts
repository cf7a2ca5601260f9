import assert from "node:assert/strict";
import { test } from "node:test";
import { ANNA, authenticate, mailOver, openSmtp, openSubmission, openSubmissionAs, tryLogIn } from "./mail.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const OWNER = "198.51.100.70";

/** For a server with Fail2ban. Lifts every ban. */
export function trapsTests({ lab, product }: Running): void {
  test("an attacker who writes the owner's address into HELO, sender and user name bans himself", async () => {
    const from = "198.51.100.220";
    for (let i = 1; i <= 11; i++) {
      const dialog = await openSmtp(lab.attacker, from, [`EHLO [${OWNER}]`]);
      const text = `From: <a@sender.test>\r\nMessage-ID: <client=unknown[${OWNER}]@x>\r\n\r\nrip=${OWNER}`;
      await mailOver(dialog, { sender: `"rip=${OWNER}"@sender.test`, text });
      dialog.close();
    }
    await until("the attacker is banned", () => product.banOf(from));
    const guesser = "198.51.100.221";
    for (let i = 1; i <= 5; i++) {
      await tryLogIn(lab.attacker, guesser, `${OWNER}@example.test`, `guess ${i}`);
    }
    await until("the guesser is banned", () => product.banOf(guesser));
    assert.equal(await product.banOf(OWNER), undefined);
    assert.match(await tryLogIn(lab.sender, OWNER, ANNA), /^OK/);
  });

  test("a user who signed in from an address may mistype there, and is not locked out", async () => {
    for (let i = 1; i <= 7; i++) {
      const dialog = await openSubmission(lab.sender, OWNER);
      await authenticate(dialog, ANNA, `typo ${i}`);
      dialog.close();
    }
    assert.equal(await product.banOf(OWNER), undefined);
    (await openSubmissionAs(lab.sender, OWNER, ANNA)).close();
  });

  test("an entry of the allow list ends by its time, and says so", async () => {
    const guest = "198.51.100.90";
    const ends = async (): Promise<number> =>
      (await product.events(guest)).filter(({ type }) => type === "ALLOW_EXPIRED").length;
    let tries = 0;
    await until("it is not banned so far", async () => {
      tries += 1;
      await product.json(["allow", "add", guest, "for a moment", "--for", `${2 ** tries}s`]);
      const { code, stderr } = await product.cli(["ban", guest]);
      if (code !== 0) return stderr.includes("allow list") || assert.fail(stderr);
      // On a busy machine the moment may have passed before the command.
      await product.json(["unban", guest]);
      return false;
    });
    await until("it has ended", async () => (await ends()) === tries);
    await product.json(["ban", guest]);
    await product.json(["unban", guest]);
  });

  test("break-glass lifts every ban in one command, and is reported", async () => {
    assert.ok((await product.stats()).bans.active >= 2);
    await product.json(["break-glass"]);
    assert.equal((await product.stats()).bans.active, 0);
    assert.equal(await product.countEvents("type = 'BREAK_GLASS'"), 1);
  });
}
