import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseIp } from "../../src/core/net/ip.ts";
import { reverseName } from "../../src/mail/dns/records.ts";
import { CHECKOUT } from "../lab/checkout.ts";
import { newLab } from "../lab/lab.ts";
import { sendMail } from "../lab/mail.ts";
import { DNS_HOST, DNS_HOST_V6, putBehindRouter, SERVER, takeAwayV4 } from "../lab/network.ts";
import { startOutsideRelay } from "../lab/outside-relay.ts";
import { type OwnMachine, startMachine, startServerMachine } from "../lab/own-machine.ts";
import { INSTALL_PAGES } from "../lab/printed-page.ts";
import { startResolver, V4_RECORDS, V4_ZONE } from "../lab/provider-resolver.ts";
import { type Sink, startSink } from "../lab/sink.ts";
import { makeCertificate } from "../lab/tls-server.ts";
import { follow, tasksOf } from "../lab/type-page.ts";
import { until } from "../lab/wait.ts";
import { needsLab } from "../lab/with-product.ts";

/** Addresses of the sender host. Bob's server has no IPv6. */
const [BOB, RELAY, LARGE_V6] = ["198.51.100.10", "198.51.100.91", "2001:db8:b000::25"];
const PHONE = "198.51.100.70";
const ABUSER = { v4: "198.51.100.200", v6: "2001:db8:a000::66" };
const RECORDS = [
  ...V4_RECORDS,
  `ns.lab. AAAA ${DNS_HOST_V6}`,
  "example.net. MX 10 mx.example.net.",
  `mx.example.net. A ${BOB}`,
  "gmail.com. MX 10 mx.gmail.example.",
  `mx.gmail.example. AAAA ${LARGE_V6}`,
  // Nothing listens there.
  "mx.gmail.example. A 198.51.100.80",
  `smtp.relay.example. A ${RELAY}`,
];
const OF_V6 = [`mail.example.org. AAAA ${SERVER.v6}`, `${reverse(SERVER.v6)}. PTR mail.example.org.`];
const OF_ROUTER = [`mail.example.org. A ${SERVER.v4}`, `${reverse(SERVER.v4)}. PTR mail.example.org.`];
const ME = "me@relay.example";
const STATUS = ["./ghostinbox", "status"];

describe("the pages of an installation, typed as printed", needsLab(), () => {
  const lab = newLab();
  let server: OwnMachine;
  let laptop: OwnMachine;
  /** Bob's server. */
  let bob: Sink;
  let relay: Awaited<ReturnType<typeof startOutsideRelay>> | undefined;
  before(async () => {
    await lab.start(RECORDS);
    lab.publish(OF_V6, DNS_HOST_V6);
    await takeAwayV4();
    server = await startServerMachine(lab, { GHOSTINBOX_GREYLIST__ENABLED: "false" });
    await server.must(["sh", "-c", `echo nameserver ${DNS_HOST_V6} > /etc/resolv.conf`]);
    laptop = await startMachine(lab.sender, lab.directory);
    bob = await startSink(lab, BOB);
    await startSink(lab, LARGE_V6);
  });
  after(() => lab.remove());

  /** What happens in the world before a page, or before a task of it. */
  const comesBefore: Readonly<Record<string, () => Promise<unknown>>> = {
    "Names that only IPv4 servers know": async () => {
      assert.match(await server.must(["drill", "@127.71.9.53", V4_ZONE, "MX"]), /SERVFAIL/);
      await startResolver(lab.directory);
    },
    "Give the machine a fixed address": async () => {
      lab.publish(OF_ROUTER, DNS_HOST);
      await putBehindRouter(rulesOf("install/behind-nat.md"));
      await server.must(["sh", "-c", `echo nameserver ${DNS_HOST} > /etc/resolv.conf`]);
      await server.must(["./ghostinbox", "restart"]);
    },
    "See that clients keep their addresses": async () => {
      const mail = { sender: "bob@example.net", recipient: "anna@example.org" };
      assert.equal((await sendMail({ host: lab.sender, from: PHONE, to: SERVER.v4, ...mail })).code, 250);
    },
    "Name the relay": async () => {
      const certificate = await makeCertificate(lab.directory, "relay", "smtp.relay.example");
      await server.trust(certificate.cert);
      const login = { user: ME, password: "password at the relay" };
      const wish = { directory: lab.directory, address: RELAY, certificate, login, nextHop: BOB };
      relay = await startOutsideRelay(lab.sender, wish);
    },
    "When the relay refuses the password": async () => {
      await relay?.letIn({ user: ME, password: "new password at the relay" });
      await send("the second");
    },
  };
  /** Parts of a page's task that no command shows. */
  const holdsAfter: Readonly<Record<string, () => Promise<unknown>>> = {
    "Publish only AAAA": async () => {
      await ban(ABUSER.v6, SERVER.v6);
      await server.must(["./ghostinbox", "alerts", "test"]);
    },
    "Mail to servers without IPv6": async () => {
      await send("not to be reached");
      await until("it waits, for the network cannot be reached", async () =>
        /Network is unreachable/.test(await server.must(["./ghostinbox", "queue", "list"])),
      );
      await server.must(["./ghostinbox", "queue", "delete", "--all", "--yes"]);
    },
    "See that clients keep their addresses": () => ban(ABUSER.v4, SERVER.v4),
    "Names that only IPv4 servers know": async () => {
      assert.match(await server.must(["drill", "@127.71.9.53", V4_ZONE, "MX"]), /NOERROR[^]*10 mx\.v4\.test\./);
      await server.must(["./ghostinbox", "config", "unset", "dns.forward"]);
    },
    "Send a mail": () => until("Bob has it by the relay", () => bob.mails().some(isByRelay("Through the relay."))),
    "When the relay refuses the password": async () => {
      await until("Bob has the mail that waited", () => bob.mails().some(isByRelay("the second")));
      await until("the notice has ended", async () => !/outbound\.relay/.test(await server.must(STATUS)));
    },
  };

  for (const page of INSTALL_PAGES)
    for (const [task, steps] of tasksOf(page))
      test(`${page}: ${task}`, async () => {
        await comesBefore[task]?.();
        for (const step of steps) await follow(step.isElsewhere ? laptop : server, step);
        await holdsAfter[task]?.();
      });

  test("the server is not an open relay, not even behind a relay", async () => {
    const mail = { sender: "anna@example.org", recipient: "bob@example.net" };
    assert.equal((await sendMail({ host: lab.sender, from: PHONE, to: SERVER.v4, ...mail })).code, 554);
  });

  async function send(text: string): Promise<void> {
    const mail = `printf 'Subject: a mail\\n\\n${text}\\n'`;
    await server.must(["sh", "-c", `${mail} | ./ghostinbox sendmail -f anna@example.org bob@example.net`]);
  }

  /** Bans an address, checks that the kernel blocks it, and lifts the ban. */
  async function ban(ip: string, to: string): Promise<void> {
    const connects = () => lab.attacker.reaches({ from: ip, to, port: 25, timeoutMs: 1_000 });
    assert.ok(await connects());
    await server.must(["./ghostinbox", "ban", ip, "it probes"]);
    await until("the ban is in the kernel", async () => !(await connects()));
    const table = await lab.server.mustExec(["nft", "list", "table", "inet", "ghostinbox"]);
    assert.match(table, /elements = \{ [^}]*(?:198\.51\.100\.200|2001:db8:a000::)/);
    await server.must(["./ghostinbox", "unban", ip]);
    await until("the ban is lifted", connects);
  }
});

const isByRelay =
  (text: string) =>
  (mail: string): boolean =>
    mail.includes(text) && mail.includes("by smtp.relay.example");

/** The router's rules, as the page prints them. */
const rulesOf = (page: string): string =>
  /^```text\n(table ip [^]*?)^```$/m.exec(readFileSync(join(CHECKOUT, "docs", page), "utf8"))?.[1] ?? "";

function reverse(address: string): string {
  return reverseName(parseIp(address) ?? assert.fail(address));
}
