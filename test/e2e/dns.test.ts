// Invariant: All programs ask our resolver for names, except those for names that strangers cannot choose.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { before, describe, test } from "node:test";
import { patience } from "../kit/patience.ts";
import { MX } from "../lab/content.ts";
import { contentTests, SCORED } from "../lab/content-tests.ts";
import { BOGUS_ZONE, SIGNED_ZONE } from "../lab/dns.ts";
import { excessTests } from "../lab/excess-tests.ts";
import { type Lists, POISON, startLists } from "../lab/lists.ts";
import { ANNA, assertAccepted, openSmtp, sendMailAs, words } from "../lab/mail.ts";
import { namespaceOf } from "../lab/network.ts";
import { makeSigner } from "../lab/signer.ts";
import { type Sink, startSink } from "../lab/sink.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const RESOLVER = "127.71.9.53";
/** Maximum wait of a recipient with every list broken: one second, plus processing. */
const PATIENCE_MS = patience(1_300);

/** On a host whose own resolver setting names a server that answers every question wrongly. */
describe("names and block lists", needsLab(), () => {
  const signer = makeSigner();
  const running = withProduct(
    {
      // Scoring makes more lookups than everything else.
      ...SCORED.settings,
      GHOSTINBOX_DNSBL__ZONES: "zen.spamhaus.org,bl.spamcop.net,bl.lists.test",
      GHOSTINBOX_DNSBL__CHECK_EVERY: "2s",
      GHOSTINBOX_ALLOW__NETWORKS: "198.51.100.99",
    },
    [ANNA, "bert@example.test"],
    { records: () => SCORED.records(signer), prepare },
  );
  const { lab, product } = running;
  let lists: Lists;
  let sink: Sink;
  let next = 70;
  async function prepare(): Promise<void> {
    lists = await startLists();
    sink = await startSink(lab, MX);
    writeFileSync(`/etc/netns/${namespaceOf("server")}/resolv.conf`, `nameserver ${POISON}\n`);
  }

  /** An address not looked up yet, and its entry in a list. */
  function stranger(): Readonly<{ from: string; label: string }> {
    next += 1;
    return { from: `198.51.100.${next}`, label: `${next}.100.51.198` };
  }
  /** One mail; `tookMs` is the time from the connection to the reply to its recipient. */
  async function send(from: string): Promise<Readonly<{ reply: string; tookMs: number }>> {
    const started = performance.now();
    using dialog = await openSmtp(lab.sender, from, ["EHLO client.test", "MAIL FROM:<someone@sender.test>"]);
    let reply = await dialog.ask(`RCPT TO:<${ANNA}>`);
    const tookMs = performance.now() - started;
    if (reply.code === 250) {
      await dialog.ask("DATA");
      reply = await dialog.ask(`From: <someone@sender.test>\r\nTo: <${ANNA}>\r\nSubject: In\r\n\r\nHello.\r\n.`);
    }
    return { reply: words(reply), tookMs };
  }
  async function accepted(from: string): Promise<void> {
    const { reply, tookMs } = await send(from);
    assert.match(reply, /^250 /);
    assert.ok(tookMs < PATIENCE_MS, `${Math.round(tookMs)} ms`);
  }
  const setAside = async (): Promise<string> => (await product.notice("dnsbl_set_aside")) ?? "";
  async function allTrusted(): Promise<void> {
    await until("every list is trusted", async () => (await setAside()) === "");
    await until("the lists are asked", async () => {
      const { from } = stranger();
      await send(from);
      return (await lists.asked("bl.lists.test")).some((name) => name.startsWith(from.split(".").reverse().join(".")));
    });
  }
  async function everyList(manner: "honest" | "lying"): Promise<void> {
    for (const zone of ["zen.spamhaus.org", "bl.spamcop.net", "bl.lists.test"] as const)
      await lists.become(zone, manner);
  }

  test("our resolver validates: a signed name is authentic, a forged one an error", async () => {
    const drill = (name: string) => lab.server.mustExec(["drill", "-D", name, `@${RESOLVER}`, "A"]);
    const signed = await drill(`www.${SIGNED_ZONE}`);
    assert.match(signed, /rcode: NOERROR/);
    assert.match(signed, /flags: .*\bad\b/);
    assert.match(await drill(`www.${BOGUS_ZONE}`), /rcode: SERVFAIL/);
    assert.match(await drill("nowhere.signed.test"), /rcode: NXDOMAIN/);
  });

  test("honest lists: unlisted clients are accepted, and listed ones are refused in Postfix's own words", async () => {
    await allTrusted();
    await accepted(stranger().from);
    for (const [zone, address] of [
      ["zen.spamhaus.org", "127.0.0.4"],
      ["bl.spamcop.net", "127.0.0.2"],
      ["bl.lists.test", "127.0.0.99"],
    ] as const) {
      const { from, label } = stranger();
      await lists.become(zone, "honest", { [label]: address });
      const { reply } = await send(from);
      assert.match(reply, /^554 5\.7\.1 /);
      assert.ok(reply.endsWith(`Service unavailable; Client host [${from}] blocked using ${zone}`), reply);
      const blocked = (await product.events(from)).find(({ type }) => type === "EMAIL_BLOCKED");
      assert.match(blocked?.details ?? "", new RegExp(`listed=${zone} \\(${address}, `));
      assert.match(JSON.stringify(blocked), /block_listed/);
    }
  });

  test("allow-listed addresses and users are accepted wherever they are listed, without asking any list", async () => {
    const { from, label } = stranger();
    await lists.become("bl.lists.test", "honest", { "99.100.51.198": "127.0.0.2", [label]: "127.0.0.2" });
    await accepted("198.51.100.99");
    const mail = { recipient: "news@sender.test", subject: "Out" };
    assertAccepted(await sendMailAs(ANNA, { host: lab.sender, from, ...mail }));
    const asked = await lists.asked("bl.lists.test");
    for (const one of ["99.100.51.198", label]) assert.ok(!asked.some((name) => name.startsWith(one)), one);
  });

  test("outgoing mail uses the names that our resolver found", async () => {
    await until("it has arrived", () => sink.mails().some((mail) => mail.includes("Subject: Out")));
  });

  test("lying lists: from the start no client is refused, and there is a notice", async () => {
    await everyList("honest");
    await allTrusted();
    await everyList("lying");
    for (let i = 0; i < 3; i++) await accepted(stranger().from);
    await until("they are set aside", async () => (await setAside()).match(/it lists/g)?.length === 3);
  });

  test("slow and dead lists: each mail is delayed by less than a second, and not at all once they are set aside", async () => {
    await everyList("honest");
    await allTrusted();
    await lists.become("zen.spamhaus.org", "slow");
    await lists.become("bl.spamcop.net", "dead");
    for (let i = 0; i < 3; i++) await accepted(stranger().from);
    await until("both are set aside", async () => (await setAside()).match(/does not answer/g)?.length === 2);
    const { from, label } = stranger();
    await lists.become("bl.lists.test", "honest", { [label]: "127.0.0.2" });
    const { reply, tookMs } = await send(from);
    assert.match(reply, /^554 .*bl\.lists\.test$/, "the third list still refuses");
    assert.ok(tookMs < patience(700), `${Math.round(tookMs)} ms`);
  });

  test("with our resolver dead, a mail is deferred at worst, and no client hangs", async () => {
    await product.sv("down", "unbound");
    const { from } = stranger();
    const { reply, tookMs } = await send(from);
    await product.sv("up", "unbound");
    // The sender's DMARC record cannot be read, so unproven mail must be retried.
    assert.match(reply, /^(250|451 4\.7\.1) /);
    assert.ok(tookMs < PATIENCE_MS, `${Math.round(tookMs)} ms`);
    await until("it is back", async () => (await send(from)).reply.startsWith("250 "));
  });

  test("in all these tests no program asked the resolver of the host's own setting", async () => {
    // spamd looks up the machine's own name with the machine's resolver at its start (docs/resolver.md).
    const asked = (await lists.asked(POISON)).filter((name) => name.split(".")[0] !== hostname());
    assert.deepEqual(asked, []);
    // That resolver does run, and answers anyone who asks.
    await lab.server.exec(["getent", "hosts", "control.test"]);
    assert.notDeepEqual(await lists.asked(POISON), []);
  });

  describe("the content of mail, and its authors", () => {
    before(async () => {
      await everyList("honest");
      await allTrusted();
    });
    describe("how much a mail may contain", () => excessTests(running));
    contentTests(running, signer, () => sink);
  });

  // Last, because the resolver waits before asking servers again that were silent.
  test("if the network drops all outgoing DNS questions, a notice and `status` say so", async () => {
    const drop = "add chain inet lab_dns out { type filter hook output priority 0; }";
    const rule = 'add rule inet lab_dns out oifname != "lo" meta l4proto { tcp, udp } th dport 53 drop';
    await lab.server.mustExec(["nft", `add table inet lab_dns; ${drop}; ${rule}`]);
    const since = async (): Promise<number> => {
      const { notices } = (await product.stats()).health;
      return Date.parse(notices.find(({ code }) => code === "dns_failing")?.since ?? "");
    };
    await until("a notice has lasted", async () => Date.now() - (await since()) > 5_000, 150_000);
    assert.match((await product.cli(["status"])).stdout, /^GhostInbox is running, but not all mail flows\./);
    await lab.server.mustExec(["nft", "delete table inet lab_dns"]);
  });

  test("the limit on queries to our resolver follows its address", async () => {
    const rules = () => lab.server.mustExec(["nft", "list", "table", "inet", "ghostinbox"]);
    assert.match(await rules(), /daddr 127\.71\.9\.53 /);
    await product.configure("dns.address", "127.71.9.54");
    await until("the rules name the new one", async () => (await rules()).includes("daddr 127.71.9.54 "));
    assert.doesNotMatch(await rules(), /daddr 127\.71\.9\.53 /);
  });
});
