import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { assertAccepted, sendMailAs } from "./mail.ts";
import { type Certificate, startTlsServer, type TlsServer } from "./tls-server.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const OTHER = "198.51.100.71";

/** Records of two domains whose mail server has this certificate; only one publishes it. */
export function daneRecords({ cert }: Certificate): readonly string[] {
  const { publicKey } = new X509Certificate(readFileSync(cert));
  const hash = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
  const domain = (name: string, tlsa: string): readonly string[] => [
    `${name}. MX 10 mx.${name}.`,
    `mx.${name}. A ${OTHER}`,
    `_25._tcp.mx.${name}. TLSA 3 1 1 ${tlsa}`,
  ];
  return [...domain("true.test", hash), ...domain("false.test", "0".repeat(64))];
}

/**
 * RFC 7672, over the lab's signed root: the published key of a mail server must match, or the mail waits. For a server
 * whose DNS has the `daneRecords` of this certificate.
 */
export function daneTests({ lab, product }: Running, certificateOf: () => Certificate): void {
  let other: TlsServer;
  before(async () => {
    const where = { directory: lab.directory, address: OTHER, port: 25, certificate: certificateOf() };
    other = await startTlsServer(lab.sender, where);
  });

  async function submit(recipient: string): Promise<void> {
    const mail = { host: lab.sender, from: "198.51.100.65", recipient, subject: `to ${recipient}` };
    assertAccepted(await sendMailAs("tessa@example.test", mail));
  }
  const log = (): string => readFileSync(product.layout.mailLog, "utf8");

  test("if the published key is the server's, the mail is sent over verified TLS, even with a self-signed certificate", async () => {
    await submit("someone@true.test");
    await until("it arrives", () => other.mails().some((mail) => mail.includes("to someone@true.test")));
    assert.match(log(), /Verified TLS connection established to mx\.true\.test\[/);
  });

  test("if the published key is another one, the mail waits, and that server gets none of it", async () => {
    await submit("someone@false.test");
    await until("it is deferred", () => /to=<someone@false\.test>.*status=deferred/.test(log()));
    assert.match(log(), /Server certificate not (?:trusted|verified)/);
    assert.ok(!other.mails().some((mail) => mail.includes("false.test")));
  });
}
