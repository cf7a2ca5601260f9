import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { AS_NOBODY } from "./commands.ts";
import { ANNA, mailOver, openImapAs, openSmtp, openSubmissionAs, sendMail, tryLogIn } from "./mail.ts";
import { PASSWORD } from "./product.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const PHONE = "198.51.100.65";
const ABUSER = "198.51.100.201";
const GUESSER = "198.51.100.202";
const CONNECTED = "198.51.100.203";
/** Opens more connections to the login policy than it accepts, and reopens each ended one. */
const HOLD = `
  const { connect } = require("node:net");
  let isFull = false;
  const hold = () => {
    const socket = connect(10025, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => {
      // The port is full.
      if (!isFull) console.log("holding");
      isFull = true;
      setTimeout(hold, 50);
    });
  };
  for (let i = 0; i < 400; i++) hold();
`;

/** Starts a server as in a container without CAP_NET_ADMIN: it has no firewall, and bans hold at the policy layer. */
export const NO_NET_ADMIN = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"];

/** For a server within NO_NET_ADMIN, with the account anna@example.test. */
export function noNetAdminTests({ lab, product }: Running): void {
  test("it starts, takes mail, and says that bans do not reach the firewall", async () => {
    assert.equal((await sendMail({ host: lab.sender, from: PHONE })).code, 250);
    assert.match(await product.does(["status"]), /firewall.*CAP_NET_ADMIN/i);
  });

  test("a ban refuses mail and logins, and ends the open IMAP session", async () => {
    const imap = await openImapAs(lab.attacker, ABUSER, ANNA);
    await product.json(["ban", ABUSER, "test"]);
    assert.equal((await sendMail({ host: lab.attacker, from: ABUSER })).code, 421);
    await until("the session is ended", () => imap.isClosed);
    assert.doesNotMatch(await tryLogIn(lab.attacker, ABUSER, ANNA), /^OK/);
  });

  test("a new password and a suspension end what was signed in", async () => {
    for (const line of [`account passwd ${ANNA} --password-stdin`, `account suspend ${ANNA}`]) {
      const dialog = await openSubmissionAs(lab.sender, PHONE, ANNA);
      await product.does(line.split(" "), { input: `${PASSWORD}\n` });
      await dialog.ask(`MAIL FROM:<${ANNA}>`);
      assert.equal((await dialog.ask("RCPT TO:<bob@sender.test>")).code, 421);
      await until("the session is ended", () => dialog.isClosed);
    }
    await product.json(["account", "resume", ANNA]);
  });

  test("a local user who keeps the login policy port busy delays no sign-in and no count", async () => {
    const { layout } = product;
    const holder = await lab.server.spawnReady([...AS_NOBODY, layout.node, "-e", HOLD]);
    try {
      // Makes Dovecot connect again, because a connection that is already open proves nothing.
      await product.kill(/\/auth$/);
      // The ban cuts off the last one.
      const guess = (n: number) => tryLogIn(lab.attacker, GUESSER, ANNA, `wrong-${n}`);
      await Promise.allSettled([1, 2, 3, 4, 5].map(guess));
      await until("the guesser is banned", async () => (await product.banOf(GUESSER)) !== undefined);
      assert.doesNotMatch(readFileSync(layout.mailLog, "utf8"), /Policy server HTTP error/);
    } finally {
      holder.kill("SIGKILL");
    }
  });

  test("a client that is banned while it is connected is refused at its next mail", async () => {
    using dialog = await openSmtp(lab.attacker, CONNECTED);
    await product.json(["ban", CONNECTED, "test"]);
    assert.equal((await mailOver(dialog, {})).code, 421, dialog.transcript.join("\n"));
  });

  test("an account that is suspended while it is connected is refused at its next mail", async () => {
    const dialog = await openSubmissionAs(lab.sender, PHONE, ANNA);
    await product.lab.server.mustExec(["sqlite3", product.layout.accountsDb, `UPDATE account SET suspended = 1`]);
    const reply = await mailOver(dialog, { sender: ANNA, recipient: ANNA });
    assert.equal(reply.code, 421, dialog.transcript.join("\n"));
    assert.ok((await product.events(PHONE)).some(({ reason }) => reason === "account_inactive"));
  });
}
