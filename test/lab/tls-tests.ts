import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import { asUser, mustRun } from "./commands.ts";
import { daneTests } from "./dane-tests.ts";
import type { Dialog } from "./dialog.ts";
import type { Lab } from "./lab.ts";
import { assertAccepted, mailOver, openImapAs, openSubmissionAs } from "./mail.ts";
import { SERVER } from "./network.ts";
import { outboundTests } from "./outbound-tests.ts";
import { type Certificate, NEW_KEY, NEW_RSA_KEY, writeCertificate } from "./tls-server.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const TESSA = "tessa@example.test";
const USER = "198.51.100.65";
const SEED = "ECDHE+AESGCM:ECDHE+AES256:ECDHE+AES128:RSA+AES:!aNULL:!MD5:!DSS";
const MODERN = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!MD5:!DSS";
/** Each port, and how TLS starts there. */
const DOORS = [
  [25, "smtp"],
  [587, "smtp"],
  [465, null],
  [993, null],
] as const;

function liveOf({ directory }: Lab): Certificate {
  const at = (name: string): string => join(directory, "certificates", name);
  return { cert: at("fullchain.pem"), key: at("privkey.pem") };
}

/** Before the server of `tlsTests` starts. */
export async function serveLiveCertificate({ lab, product }: Running): Promise<void> {
  const live = liveOf(lab);
  mkdirSync(dirname(live.cert), { mode: 0o700 });
  await makePair(live, 1, NEW_RSA_KEY);
  product.set({ GHOSTINBOX_TLS__CERT: live.cert, GHOSTINBOX_TLS__KEY: live.key });
}

/**
 * TLS with stock tools. For a server with `tls.profile` seed, `serveLiveCertificate`, the `daneRecords` of this certificate and the account
 * tessa@example.test. At the end, sends all mail through a relay.
 */
export function tlsTests({ lab, product }: Running, certificateOf: () => Certificate): void {
  const live = liveOf(lab);

  /** What sslscan(1) finds: protocols that are spoken, and the ciphers up to TLS 1.2 in the server's order, which is not the client's. */
  async function scan(port: number, starttls: "smtp" | null): Promise<{ protocols: string[]; ciphers: string[] }> {
    const quick = ["heartbleed", "groups", "fallback", "renegotiation", "compression", "check-certificate"];
    const how = [...quick.map((what) => `--no-${what}`), ...(starttls === null ? [] : ["--starttls-smtp"])];
    const xml = await lab.sender.mustExec(["sslscan", ...how, "--xml=-", `${SERVER.v4}:${port}`]);
    const protocols = [...xml.matchAll(/<protocol type="(\w+)" version="([\d.]+)" enabled="1"/g)];
    const ciphers = [...xml.matchAll(/<cipher status="\w+" sslversion="TLSv1.2" bits="\d+" cipher="([^"]+)"/g)];
    return { protocols: protocols.map(([, , version = ""]) => version), ciphers: ciphers.map(([, name = ""]) => name) };
  }

  /** openssl(1)'s expansion of a cipher list, in its order, with the given kind of key. */
  async function ciphersOf(list: string, not: "ECDSA" | "RSA"): Promise<readonly string[]> {
    const lines = await mustRun(["openssl", "ciphers", "-v", list]);
    const fits = lines.split("\n").filter((line) => / Kx=/.test(line) && !/TLSv1\.3/.test(line));
    return fits.filter((line) => !line.includes(`Au=${not} `)).map((line) => line.slice(0, line.indexOf(" ")));
  }

  async function serialAt(port: number, starttls: "smtp" | null): Promise<number> {
    const how = starttls === null ? [] : ["-starttls", starttls];
    const { stdout } = await lab.sender.exec(["openssl", "s_client", "-connect", `${SERVER.v4}:${port}`, ...how]);
    const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(stdout)?.[0];
    return pem === undefined ? 0 : Number.parseInt(new X509Certificate(pem).serialNumber, 16);
  }

  const serials = () => Promise.all(DOORS.map(([port, starttls]) => serialAt(port, starttls)));

  const servedEverywhere = (serial: number) =>
    until(`serial ${serial} on every port`, async () => (await serials()).every((one) => one === serial));

  for (const [port, starttls] of DOORS)
    test(`the seed's list in the server's order, TLS 1.2 and 1.3 only, on ${port}`, async () => {
      const { protocols, ciphers } = await scan(port, starttls);
      assert.deepEqual(protocols, ["1.2", "1.3"]);
      assert.deepEqual(ciphers, await ciphersOf(SEED, "ECDSA"));
    });

  test("the modern profile by `config apply`: forward secrecy and authenticated encryption only", async () => {
    using imap = await openImapAs(lab.sender, USER, TESSA);
    await product.applySettings('[tls]\nprofile = "modern"\n');
    await imap.closed(); // Dovecot ends the session, because after a reload it could not do so, even after a new password.
    const expected = await ciphersOf(MODERN, "ECDSA");
    for (const [port, starttls] of DOORS) {
      const found = await until(`the modern list on ${port}`, async () => {
        const { protocols, ciphers } = await scan(port, starttls);
        return ciphers.length === expected.length && { protocols, ciphers };
      });
      assert.deepEqual(found, { protocols: ["1.2", "1.3"], ciphers: expected });
    }
  });

  describe("a renewal", () => {
    let imap: Dialog;
    let submission: Dialog;
    before(async () => {
      imap = await openImapAs(lab.sender, USER, TESSA);
      submission = await openSubmissionAs(lab.sender, USER, TESSA);
    });

    async function sessionsWork(): Promise<void> {
      assert.match((await imap.imap("NOOP")).at(-1) ?? "", /^t\d+ OK/);
      assertAccepted(await mailOver(submission, { sender: TESSA, recipient: TESSA }));
    }

    test("that is rewritten in place is served on every port, and no session ends", async () => {
      await servedEverywhere(1);
      await makePair(live, 2, NEW_KEY);
      await servedEverywhere(2);
      await sessionsWork();
    });

    test("that points symbolic links elsewhere, as certbot does, is served likewise", async () => {
      for (const serial of [4, 5]) {
        const archived = { cert: `${live.cert}.${serial}`, key: `${live.key}.${serial}` };
        await makePair(archived, serial, serial === 4 ? NEW_RSA_KEY : NEW_KEY);
        for (const name of ["key", "cert"] as const) {
          symlinkSync(archived[name], `${live[name]}.link`);
          renameSync(`${live[name]}.link`, live[name]);
        }
        await servedEverywhere(serial);
      }
      await sessionsWork();
    });

    test("an invalid certificate is refused, the old one stays, and there is a notice until it is fixed", async () => {
      const good = readFileSync(live.key);
      const hasNotice = async (): Promise<boolean> =>
        JSON.stringify(await product.json(["status"])).includes("certificate_refused");
      writeFileSync(live.key, readFileSync(`${live.key}.4`));
      await until("the owner is alerted", hasNotice);
      assert.deepEqual(new Set(await serials()), new Set([5]));
      writeFileSync(live.key, good);
      await until("the notice is over", async () => !(await hasNotice()));
      await sessionsWork();
    });

    test("leaves the private key readable only by root", async () => {
      for (const name of readdirSync(product.layout.tlsServed)) {
        const { mode, uid } = statSync(join(product.layout.tlsServed, name));
        assert.deepEqual([mode & 0o777, uid], [0o600, 0], name);
      }
      const read = await lab.server.exec([...asUser("ghostinbox"), "cat", join(product.layout.tlsServed, "key.pem")]);
      assert.notEqual(read.code, 0);
    });
  });

  describe("mail out to domains that publish their keys (DANE)", () => daneTests({ lab, product }, certificateOf));
  describe("mail out through a relay that wants a password", () => outboundTests({ lab, product }));
}

const makePair = (to: Certificate, serial: number, newKey: readonly string[]): Promise<void> =>
  writeCertificate(to, "mail.example.test", [...newKey, "-set_serial", String(serial)]);
