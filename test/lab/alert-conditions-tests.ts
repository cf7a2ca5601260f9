import { copyFileSync } from "node:fs";
import { before, test } from "node:test";
import type { AlertReceivers } from "./alert-receivers.ts";
import { type SmallDisk, smallDisk } from "./full-disk.ts";
import type { Lab } from "./lab.ts";
import { type Lists, startLists } from "./lists.ts";
import { lockDatabase } from "./locker.ts";
import { ANNA, sendMail, tryLogIn } from "./mail.ts";
import type { Product } from "./product.ts";
import { type Certificate, makeCertificate, makeExpiringCertificate } from "./tls-server.ts";
import { until } from "./wait.ts";
import { WebClient } from "./web-client.ts";
import type { Running } from "./with-product.ts";

/** Thresholds that the lab reaches, and one that nothing reaches. */
const LOW = {
  failed_logins: 6,
  dashboard_logins: 2,
  networks: 4,
  spam: 2,
  bans: 2,
  bans_in_force: 0,
  repeated: 1,
  volume: 25,
};
const HIGH = Object.fromEntries(Object.keys(LOW).map((name) => [name, 1_000_000]));
/** Different wrong passwords until a ban. */
const FAILURES = 3;
const BY_EVENTS = [
  "Many sign-ins are failing",
  "Sign-ins to the dashboard are failing",
  "Unusually many addresses connect at once",
  "A lot of spam is arriving",
  "Many addresses were banned within a short time",
  "Many addresses are banned at the same time",
  "Addresses that had been banned came back and were banned again",
  "Activity is far above normal",
];
const FILLING = "The disk of the server is filling up";
const LITTLE_LEFT = "Little space is left on the disk of the server";
const NO_DISK = "The disk of the data directory is nearly full";
const NO_LIST = "A DNS block list does not answer or gives wrong answers, and is not used for now";
const CERTIFICATE = "The TLS certificate expires soon";
const NO_DATABASE = "The database cannot be written";

function goLive(lab: Lab, { cert, key }: Certificate): void {
  copyFileSync(cert, lab.path("live.pem"));
  copyFileSync(key, lab.path("live-key.pem"));
}

/** Settings of a server for these conditions. */
export const ALERT_CONDITIONS = {
  GHOSTINBOX_DNSBL__ZONES: "zen.spamhaus.org",
  GHOSTINBOX_DNSBL__CHECK_EVERY: "2s",
  GHOSTINBOX_LIMITS__MAIL__MAX_SIZE: "1MB",
  GHOSTINBOX_BANS__LADDER: "2s,1h",
};

/** Their other prerequisites, made before the server starts: its disk, its certificate, and this block list. */
export async function prepareConditions({ lab, product }: Running): Promise<Lists> {
  const lists = await startLists();
  await diskOf(product).mount();
  goLive(lab, await makeCertificate(lab.directory, "good", "mail.example.test"));
  product.set({ GHOSTINBOX_TLS__CERT: lab.path("live.pem"), GHOSTINBOX_TLS__KEY: lab.path("live-key.pem") });
  await lists.become("zen.spamhaus.org", "honest", { "90.100.51.198": "127.0.0.2" });
  return lists;
}

const diskOf = ({ layout }: Product): SmallDisk => smallDisk(layout.data, "600m");

type Parts = Readonly<{ lists: () => Lists; receivers: () => AlertReceivers }>;

/** For a server with ALERT_CONDITIONS that alerts these receivers. */
export function alertConditionsTests({ lab, product }: Running, { lists, receivers }: Parts): void {
  const disk = diskOf(product);
  before(() => thresholds(LOW));

  async function thresholds(all: Readonly<Record<string, number>>): Promise<void> {
    const lines = Object.entries(all).map(([name, count]) => `${name} = ${count}\n`);
    await product.applySettings(`[limits.logins]\nfailures = ${FAILURES}\n[alerts.thresholds]\n${lines.join("")}`);
  }
  const once = (title: string) => receivers().onceEverywhere(product, title);
  /** Three different wrong passwords, and the ban that follows. */
  async function attack(from: string, round = 1): Promise<void> {
    const tries = ["1", "2", "3"].map((n) => tryLogIn(lab.attacker, from, ANNA, `wrong ${round}.${n}`));
    await Promise.allSettled(tries);
    await until(`${from} is banned`, () => product.banOf(from));
  }

  test("alerts from events: sign-ins, the dashboard, networks, spam, bans, repeated ones, volume", async () => {
    for (let last = 80; last < 84; last++) await sendMail({ host: lab.sender, from: `198.51.100.${last}` });
    for (let i = 0; i < 2; i++) await sendMail({ host: lab.sender, from: "198.51.100.90" });
    const web = await WebClient.local(lab.server);
    for (const password of ["one", "two"]) await web.ask("POST", "/api/v1/login", { body: { password } });
    await attack("198.51.100.200");
    await until("its ban is over", async () => (await product.banOf("198.51.100.200")) === undefined);
    // A repeated password does not count as another guess.
    await attack("198.51.100.200", 2);
    await attack("198.51.100.201");
    for (const title of BY_EVENTS) await once(title);
    await thresholds(HIGH);
    for (const title of BY_EVENTS) await once(`Resolved: ${title}`);
    for (const title of BY_EVENTS) receivers().neverTwice(product, title);
  });

  test("alerts from notices: the disk, a block list, the certificate, the database", async () => {
    disk.fill(15 * 1024 * 1024);
    await lists().become("zen.spamhaus.org", "lying");
    goLive(lab, await makeExpiringCertificate(lab.directory, "expiring", "mail.example.test"));
    for (const title of [NO_LIST, CERTIFICATE]) await once(title);
    await once(NO_DISK);
    for (const title of [FILLING, LITTLE_LEFT]) await once(title);
    disk.free();
    await lists().become("zen.spamhaus.org", "honest");
    goLive(lab, { cert: lab.path("good.pem"), key: lab.path("good-key.pem") });
    await once(`Resolved: ${NO_LIST}`);
    await once(`Resolved: ${CERTIFICATE}`);
    const locker = await lockDatabase(lab.server, product.layout.engineDb);
    try {
      await until("the owner is alerted", async () => {
        await sendMail({ host: lab.sender, from: "198.51.100.84" });
        return receivers()
          .received("ntfy")
          .some(({ body }) => body.includes(NO_DATABASE));
      });
      await once(NO_DATABASE);
    } finally {
      await locker.release();
    }
    await once(`Resolved: ${NO_DATABASE}`);
    await once(`Resolved: ${NO_DISK}`);
    for (const title of [NO_LIST, CERTIFICATE, NO_DISK, NO_DATABASE]) receivers().neverTwice(product, title);
  });
}
