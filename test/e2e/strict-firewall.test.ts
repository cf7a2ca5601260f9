// Invariant: The strict firewall locks no one out for long: the kernel ends a trial unless a new connection confirms it.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import * as z from "zod/mini";
import { parseDoor, partsOf } from "../../src/core/firewall/strict.ts";
import type { HttpReceiver } from "../lab/http-receiver.ts";
import { SETTINGS } from "../lab/incident-answers.ts";
import { incidentTests, receiveAlerts } from "../lab/incident-tests.ts";
import { sendMail } from "../lab/mail.ts";
import { SERVER } from "../lab/network.ts";
import { scan } from "../lab/port-scan.ts";
import { echoes, type Shell, shellsOn } from "../lab/shells.ts";
import { reaches } from "../lab/submitted.ts";
import { Typist } from "../lab/typist.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const HOME = "198.51.100.65";
const STRICT = ["inet", "ghostinbox_strict"];
const MAIL = [25, 465, 587, 993];
const [SSH, UNLISTED, VPN] = [2222, 2244, 51_820];

const shown = z.object({
  state: z.string(),
  open: z.nullable(z.array(z.string())),
  confirmWithinSeconds: z.nullable(z.number()),
});
const audited = z.object({ items: z.array(z.object({ type: z.string(), subject: z.string() })) });

describe("an incident, and the strict firewall", needsLab(), () => {
  // Comes before the server's own hook, which checks whether anything is left running.
  after(() => shells.end());
  const running = withProduct(SETTINGS, ["anna@example.test", "bert@example.test"], {
    prepare: async (made) => {
      webhook = await receiveAlerts(made);
      await shells.listen("sshd", SSH);
      await shells.listen("shelld", UNLISTED);
      await shells.listen("vpnd", VPN, "udp");
      await shells.listen("talkd", 5353, "udp");
      // Otherwise the kernel reports one closed UDP port a second.
      await lab.server.mustExec(["sysctl", "-q", "-w", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"]);
    },
  });
  const { lab, product } = running;
  let webhook: HttpReceiver;
  const shells = shellsOn(lab);
  const state = async () => z.parse(shown, await product.json(["firewall"]));
  // Typed on the server's host, because it asks the kernel what is open.
  const apply = (...words: readonly string[]) => product.typed(["config", "apply", ...words]);
  const isThere = async () => (await lab.server.exec(["nft", "list", "table", ...STRICT])).code === 0;
  const confirm = (connection: string) => product.cli(["firewall", "confirm"], { env: { SSH_CONNECTION: connection } });

  /** Checks that nmap finds exactly the ports open that `firewall` names. */
  async function assertScan(tcp: readonly number[], udp: readonly number[]): Promise<void> {
    assert.deepEqual(await scan(lab.attacker, SERVER.v4, [VPN]), { tcp, udp });
  }

  // First, because it removes the whole ruleset.
  describe("an incident, from the theft of a password to its report", () =>
    incidentTests(running, () => webhook, UNLISTED));

  test("by default every port at which a program listens is reached, and status says so", async () => {
    const other = "add table inet other; add chain inet other c { type filter hook input priority 0; }";
    await lab.server.mustExec(["nft", other]);
    await assertScan(
      [...MAIL, SSH, UNLISTED].toSorted((a, b) => a - b),
      [5353, VPN],
    );
    assert.equal((await state()).state, "bans");
    assert.match((await product.cli(["status"])).stdout, /^Firewall: mode bans;.* every port is open/m);
    assert.equal(await isThere(), false);
  });

  test("it says which ports will be closed, and asks", async () => {
    await product.json(["config", "set", "firewall.mode", "strict", "firewall.confirm_within", "15s"]);
    await product.json(["config", "set", "firewall.open", `["${VPN}/udp"]`]);
    const refused = await apply();
    assert.equal(refused.code, 1);
    for (const part of [
      /will accept 25\/tcp, 465\/tcp, 587\/tcp, 993\/tcp, (?:.*, )?2222\/tcp \(IPv4\), 51820\/udp/,
      /closes these open ports: (?=.*2244\/tcp \(shelld\))(?=.*5353\/udp \(talkd\))/,
      /within 15s, every port is open again/,
    ])
      assert.match(refused.stderr, part);
    assert.equal(await isThere(), false);
  });

  test("a session at an unlisted port stays open, and can come in again, though guard and keeper are dead", async () => {
    old = await shells.open(HOME, SSH);
    const session = await shells.open(HOME, UNLISTED);
    const applied = await apply("--yes");
    assert.equal(applied.code, 0, applied.stderr);
    assert.match(applied.stdout, /open a NEW one within 15s/);
    assert.equal(await reaches(running, HOME, UNLISTED), false);
    assert.equal(await reaches(running, HOME, 25), true);
    assert.ok(await echoes(session), "open connections continue");
    assert.equal((await state()).state, "trial");
    const services = ["guard", "keeper"];
    await product.sv("force-stop", ...services);
    await until("the kernel takes it back", () => reaches(running, HOME, UNLISTED));
    assert.equal((await state()).state, "unconfirmed");
    await product.sv("up", ...services);
    await until("the keeper takes the table away", async () => !(await isThere()));
    const says = /but every port is open, because it was not confirmed/;
    await until("the owner is alerted", async () => says.test((await product.cli(["status"])).stdout));
    session.socket.destroy();
  });
  let old: Shell;

  test("it can be confirmed only from a new session", async () => {
    await product.json(["config", "set", "firewall.confirm_within", "2m"]);
    assert.equal((await apply("--yes")).code, 0);
    assert.match((await confirm(old.connection)).stderr, /opened before the firewall was tried/);
    assert.match((await confirm(`${HOME} 9 ${SERVER.v4} ${SSH}`)).stderr, /Open a new session/);
    assert.match((await product.cli(["firewall"])).stdout, /AWAITING CONFIRMATION for another/);
    await product.json(["firewall", "rollback"]);
    assert.equal((await state()).state, "unconfirmed");
    await product.json(["firewall", "try", "--yes"]);
    assert.equal(await reaches(running, HOME, UNLISTED), false);
    await product.json(["break-glass"]);
    assert.deepEqual([(await state()).state, await reaches(running, HOME, UNLISTED)], ["unconfirmed", true]);
    const terminal = new Typist(
      (argv) => lab.server.inside(["env", `GHOSTINBOX_DATA=${product.layout.data}`, ...argv]),
      "./ghostinbox firewall try",
    );
    await terminal.sees(/Start\? \[y\/N\]/);
    terminal.types("y\n");
    assert.equal(await terminal.ends(), 0);
    const fresh = await shells.open("198.51.100.66", SSH);
    const kept = await confirm(fresh.connection);
    assert.equal(kept.code, 0, kept.stderr);
    assert.match((await confirm(fresh.connection)).stderr, /No confirmation is pending/);
    for (const one of [old, fresh]) assert.ok(await echoes(one));
    const { items } = z.parse(audited, await product.json(["audit", "list", "--limit", "6"]));
    const steps = items.map(({ type }) => type.replace(/^FIREWALL_/, "")).toReversed();
    // First by `config apply`.
    assert.equal(steps.join(" "), "TRIED ROLLED_BACK TRIED BREAK_GLASS TRIED CONFIRMED");
    assert.match(items[0]?.subject ?? "", /25\/tcp, .*51820\/udp$/);
    fresh.socket.destroy();
    old.socket.destroy();
  });

  test("a scan finds open only the ports that status names; ICMP, IPv6 and our own questions work", async () => {
    const { open, state: name } = await state();
    assert.equal(name, "confirmed");
    const doors = (open ?? []).map((door) => partsOf(parseDoor(door) ?? assert.fail(door)));
    const of = (protocol: string) => doors.filter((door) => door.protocol === protocol).map(({ first }) => first);
    // Port 22 is among them if this test itself was started over SSH.
    const tcp = of("tcp").filter((port) => port !== 22);
    assert.deepEqual(tcp, [...MAIL, SSH]);
    assert.deepEqual(of("udp"), [VPN]);
    await assertScan([...MAIL, SSH], [VPN]);
    const v6 = ["nmap", "-6", "-n", "-Pn", "-p", "25,993,2222,2244", "-oG", "-", SERVER.v6];
    assert.match(await lab.sender.mustExec(v6), /Ports: 25\/open\/.*993\/open\/.*2222\/closed\/.*2244\/closed\//);
    for (const to of [[SERVER.v4], ["-6", SERVER.v6]])
      assert.match(await lab.sender.mustExec(["nmap", "-n", "-sn", "-PE", ...to]), /Host is up/, "an echo is answered");
    assert.match(await lab.server.mustExec(["getent", "ahosts", "mx.sender.test"]), /198\.51\.100\.10/);
    assert.equal((await sendMail({ host: lab.sender, from: HOME })).code, 250);
    const checks = await product.cli(["check", "--only", "firewall"]);
    assert.match(checks.stdout, /open-ports[^]*mode strict; open: 2[25]\/tcp/);
  });

  test("more open ports are accepted at once, but fewer only after another confirmation", async () => {
    await product.json(["config", "set", "firewall.trusted_interfaces", '["eth*"]']);
    assert.equal((await apply()).code, 0);
    assert.equal(await reaches(running, HOME, UNLISTED), true);
    await product.json(["config", "set", "firewall.trusted_interfaces", "[]"]);
    assert.match((await apply()).stderr, /within 2m, what is open now stays open \(.*everything from eth\*\)/);
    assert.equal((await apply("--yes")).code, 0);
    assert.equal(await reaches(running, HOME, UNLISTED), false);
    await product.json(["firewall", "rollback"]);
    assert.equal(await reaches(running, HOME, UNLISTED), true);
    await product.json(["firewall", "try", "--yes"]);
    await product.json(["firewall", "confirm", "--yes"]);
    assert.equal(await reaches(running, HOME, UNLISTED), false);
  });

  test("it stays confirmed over another program's change and a restart, and is gone after a stop", async () => {
    const rule = `insert rule ${STRICT.join(" ")} confirmed tcp dport ${UNLISTED} accept`;
    await lab.server.mustExec(["nft", rule]);
    await until("the keeper restores it", async () => !(await reaches(running, HOME, UNLISTED)));
    await lab.server.mustExec(["nft", "delete", "table", ...STRICT]);
    await until("the keeper puts it back", isThere);
    await shells.listen("dropbear", 2022);
    await product.does(["restart"], { deadlineMs: 60_000 });
    assert.equal(await reaches(running, HOME, UNLISTED), false);
    assert.equal(await reaches(running, HOME, 2022), true, "SSH has another port since");
    const table = await lab.server.mustExec(["nft", "list", "table", "inet", "other"]);
    assert.match(table, /chain c \{\n.*hook input.*\n\t\}/);
    await product.stop();
    assert.doesNotMatch(await lab.server.mustExec(["nft", "list", "tables"]), /ghostinbox/);
    assert.equal(await reaches(running, HOME, UNLISTED), true);
  });

  test("after a failed start it is in force, and stop removes it though nothing runs", async () => {
    for (const [port, says] of [
      ["2022", /Port 2022 .* is in use by dropbear/] as const,
      ["none", /PORTS__SUBMISSIONS must be a whole number/] as const,
    ]) {
      product.set({ GHOSTINBOX_PORTS__SUBMISSIONS: port });
      assert.notEqual(await product.startInVain(), 0);
      assert.match(product.output, says);
      assert.equal(await reaches(running, HOME, UNLISTED), false);
      assert.match((await product.cli(["stop"])).stdout, /GhostInbox is not running/);
      assert.doesNotMatch(await lab.server.mustExec(["nft", "list", "tables"]), /ghostinbox/);
      assert.equal(await reaches(running, HOME, UNLISTED), true);
    }
    product.set({ GHOSTINBOX_PORTS__SUBMISSIONS: "465" });
    await product.start();
    assert.equal(await reaches(running, HOME, UNLISTED), false);
  });
});
