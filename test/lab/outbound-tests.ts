import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { assertAccepted, sendMailAs } from "./mail.ts";
import { makeCertificate, startTlsServer, type TlsServer } from "./tls-server.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const TESSA = "tessa@example.test";
const PHONE = "198.51.100.65";
/** The address of mx.sender.test in the lab's DNS. */
const RELAY = "198.51.100.10";
const SECRET = "relay pass:word $1";

/** At the end, sends all mail through a relay. */
export function outboundTests({ lab, product }: Running): void {
  let relay: TlsServer;
  before(async () => {
    // Mail that still waits in the queue would go through the relay.
    await lab.server.mustExec(["postsuper", "-c", product.layout.postfixConf, "-d", "ALL"]);
    const certificate = await makeCertificate(lab.directory, "relay", "mx.sender.test");
    const where = { directory: lab.directory, address: RELAY, port: 587, certificate };
    relay = await startTlsServer(lab.sender, where, { user: "tessa-at-relay", password: SECRET });
    writeFileSync(lab.path("relay-password"), `${SECRET}\n`, { mode: 0o600 });
    await product.applySettings(`
      [outbound]
      relay = "mx.sender.test:587"
      relay_user = "tessa-at-relay"
      relay_password_file = "${lab.path("relay-password")}"
      relay_ca = "${certificate.cert}"`);
  });

  async function submit(headers: readonly string[], body: readonly string[] = ["Hello."]): Promise<void> {
    const text = [`From: <${TESSA}>`, ...headers, "", ...body].join("\r\n");
    const mail = { host: lab.sender, from: PHONE, recipient: "someone@sender.test", text };
    assertAccepted(await sendMailAs(TESSA, mail));
  }

  test("it arrives without headers that reveal its author's place and program, and is otherwise unchanged", async () => {
    const enclosed = ["Received: from their.example", "User-Agent: theirs", "Subject: enclosed", "", "Their text."];
    await submit(
      [
        "Subject: through the relay",
        "User-Agent: Secret Phone 7",
        "X-Mailer: Secret Mailer",
        `X-Originating-IP: [${PHONE}]`,
        `Received: from [10.1.2.3] (secret.lan [10.1.2.3]) by webmail; Thu, 1 Jan 2026 00:00:00 +0000`,
        "Mime-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="b"',
      ],
      ["--b", "Content-Type: message/rfc822", "", ...enclosed, "--b--"],
    );
    const find = () => relay.mails().find((line) => line.includes("through the relay"));
    const mail = await until("the relay has the mail", find, 20_000);
    assert.doesNotMatch(mail, /Secret|secret|198\.51\.100\.65|10\.1\.2\.3|client\.test/);
    assert.match(mail, /Received: by mail\.example\.test with ESMTPSA id \w+; /);
    assert.match(mail, /User-Agent: theirs\\nSubject: enclosed/, "an enclosed mail is unchanged");
  });

  test("only root may read the password, and no file that others can read has it", () => {
    const file = join(product.layout.postfixConf, "relay-login");
    assert.deepEqual([statSync(file).mode & 0o777, statSync(file).uid], [0o600, 0]);
    for (const name of ["main.cf", "master.cf"])
      assert.ok(!readFileSync(join(product.layout.postfixConf, name), "utf8").includes(SECRET), name);
  });

  test("a relay with an untrusted certificate learns no password: the mail waits", async () => {
    const before = relay.mails().length;
    const logged = readFileSync(product.layout.mailLog, "utf8").length;
    const other = await makeCertificate(lab.directory, "not-vouched-for", "mx.sender.test");
    const change = ["-e", `smtp_tls_CAfile=${other.cert}`];
    await lab.server.mustExec(["postconf", "-c", product.layout.postfixConf, ...change]);
    await lab.server.mustExec(["postfix", "-c", product.layout.postfixConf, "reload"]);
    await until("clients with the old setting are gone", () => product.pidsOf(/\bsmtp -t unix/).length === 0);
    await submit(["Subject: not for strangers"]);
    const isDeferred = (): boolean => {
      const log = readFileSync(product.layout.mailLog, "utf8").slice(logged);
      // Its last message depends on which of the relay's addresses it tried last.
      return /Server certificate not (trusted|verified)/.test(log) && /status=deferred/.test(log);
    };
    await until("Postfix defers it", isDeferred, 20_000);
    assert.equal(relay.mails().length, before);
  });
}
