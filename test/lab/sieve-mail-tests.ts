// Invariant: Only Dovecot can send at the port for mail from Sieve scripts (ADR 25).

import assert from "node:assert/strict";
import { chownSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { stopService } from "./content.ts";
import { ANNA, assertAccepted, sendMail } from "./mail.ts";
import { findMail, mailText } from "./mailbox.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const ELSEWHERE = "anna@elsewhere.test";
/** `ports.sieve_mail`. */
const PORT = 26;

/** Prints the server's first line; then sends these lines regardless, until the server hangs up. */
const SPEAK = `
  const [host, lines] = process.argv.slice(1);
  const socket = require("node:net").connect({ port: ${PORT}, host });
  let said = "";
  socket.on("data", (chunk) => {
    const hasSpoken = said.includes("\\n");
    said += chunk;
    if (hasSpoken || !said.includes("\\n")) return;
    console.log(said.split("\\r\\n")[0]);
    socket.write(JSON.parse(lines).concat("QUIT", "").join("\\r\\n"));
  });
  socket.on("error", (error) => { if (said === "") console.log(error.code); });
`;
const MAIL = [`MAIL FROM:<${ANNA}>`, `RCPT TO:<${ELSEWHERE}>`, "DATA", "Subject: from another user", "", "Hello.", "."];

/** For a server without the firewall. `there`: the mails that elsewhere.test received. */
export function sieveMailTests({ lab, product }: Running, there: () => readonly string[]): void {
  const arrived = (subject: string): readonly string[] =>
    there().filter((mail) => mail.includes(`Subject: ${subject}`));
  async function write(subject: string): Promise<void> {
    const text = mailText({ subject, from: "someone@written.test", to: "undisclosed-recipients" });
    const mail = { host: lab.sender, from: "198.51.100.10", sender: "someone@written.test", recipient: ANNA, text };
    assertAccepted(await sendMail(mail));
  }
  const home = (): string => join(product.layout.mail, "example.test", "anna");
  function script(text: string): void {
    const path = join(home(), ".dovecot.sieve");
    writeFileSync(path, text);
    const { uid, gid } = statSync(home());
    chownSync(path, uid, gid);
  }
  async function speak(user: string, lines: readonly string[] = [], host = "127.0.0.1"): Promise<string> {
    const { uid, gid } = user === "nobody" ? { uid: 65_534, gid: 65_534 } : statSync(home());
    const as = ["setpriv", "--reuid", String(uid), "--regid", String(gid), "--clear-groups"];
    return (await lab.server.mustExec([...as, product.layout.node, "-e", SPEAK, host, JSON.stringify(lines)])).trim();
  }

  test("a mail that a script redirects arrives elsewhere, with its user as the sender, and without our signature", async () => {
    await write("first");
    await until("the home is there", () => findMail(product.layout, "first"));
    script(`require ["copy"];\nredirect :copy "${ELSEWHERE}";\n`);
    await write("sent on by a script");
    const mail = await until("it is there", () => arrived("sent on by a script")[0]);
    assert.match(mail, new RegExp(`^X-Mail-Args: <${ANNA}>`, "m"));
    assert.match(mail, /^From: <someone@written\.test>$/m);
    assert.match(mail, /^To: <undisclosed-recipients>$/m);
    assert.match(mail, /^X-Sieve-Redirected-From: anna@example\.test$/m);
    assert.doesNotMatch(mail, /^DKIM-Signature:/m);
    await until("a copy is here", () => findMail(product.layout, "sent on by a script"));
  });

  test("no other local user can send there, even without a firewall", async () => {
    assert.equal(
      await speak("nobody", ["EHLO x.test", ...MAIL]),
      "421 4.7.1 <localhost[127.0.0.1]>: Client host rejected: Only for programs of this mail server",
    );
    assert.match(await speak("ghostinbox-mail"), /^220 \S+ ESMTP/);
    assert.equal(await speak("nobody", [], "198.51.100.1"), "ECONNREFUSED");
    await write("after it");
    await until("it is there", () => arrived("after it")[0]);
    assert.deepEqual(arrived("from another user"), []);
  });

  test("while the guard is down no such mail is accepted", async () => {
    const guard = await stopService(product, "guard");
    assert.match(await speak("ghostinbox-mail"), /^421 4\.3\.2 /);
    await guard.start();
  });
}
