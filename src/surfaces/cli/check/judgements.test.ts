import assert from "node:assert/strict";
import { test } from "node:test";
import { CHECKED_AT, checkedServer, printing } from "../../../../test/kit/checked-server.ts";
import { doneBackup, doneDrill } from "../../../../test/kit/data-to-back-up.ts";
import { put } from "../../../../test/kit/files.ts";
import { settingsWith } from "../../../../test/kit/loaded-settings.ts";
import { ip, net, opening, WELL } from "../../../../test/kit/samples.ts";
import { temporaryLayout } from "../../../../test/kit/temporary-directory.ts";
import { ban, engineDatabase } from "../../../../test/kit/test-database.ts";
import { zoneServer } from "../../../../test/kit/zone-server.ts";
import type { Ip } from "../../../core/net/ip.ts";
import { DAY_MS, HOUR_MS } from "../../../core/time.ts";
import { listQuery, testPoints } from "../../../guard/lookups/dnsbl.ts";
import { keepIsolation } from "../../../host/firewall/isolation.ts";
import { portsOf } from "../../../host/running/ports.ts";
import type { Handshake } from "../../../mail/probes/port-dialogue.ts";
import { sqliteQueries } from "../../../store/engine-db/queries.ts";
import * as accounts from "./accounts.ts";
import * as backups from "./backups.ts";
import { bans, judgeAllowed, judgeHeldByKernel, uncovered } from "./bans.ts";
import type { Finding, Machine, State } from "./check.ts";
import * as components from "./components.ts";
import * as dns from "./dns.ts";
import { firewall, judgeChain, judgeOpenPorts } from "./firewall.ts";
import * as machine from "./machine.ts";
import * as mailFlow from "./mail-flow.ts";
import { judgeOwners, permissions } from "./permissions.ts";
import { judgeListening, judgeOtherPrograms, judgePrivate, judgeProxied, ports } from "./ports.ts";
import { judgeOutgoing, reputation } from "./reputation.ts";
import * as tls from "./tls.ts";

const NOW = Date.parse("2026-11-21T08:00:00Z");

/**
 * Asserts the judgement, and that a warning or a wrong result has a fix. `says` matches the evidence, `helps` the fix. Does not repeat
 * the whole checks of `broken.test.ts` and `broken-network.test.ts`, nor results that are ok on a whole server (`test/e2e/check.test.ts`).
 */
function assertJudged(state: State, { state: found, saw, fix }: Finding, says = /./, helps = /^/): void {
  assert.equal(found, state, saw);
  assert.match(saw, says);
  assert.match(fix, helps);
  if (found === "ok") assert.equal(fix, "");
  if (found === "warning" || found === "wrong") assert.notEqual(fix, "");
}

test("passwords: one in the environment is removed where it was set, for a container in .env", () => {
  const env = { ADMIN_PASSWORD: "x" };
  assertJudged("ok", accounts.judgeSecretInEnvironment({ ADMIN_PASSWORD: "" }, true));
  assertJudged("warning", accounts.judgeSecretInEnvironment(env, true), /in this container/, / from \.env, /);
  assertJudged("warning", accounts.judgeSecretInEnvironment(env, false), /in this shell/, /^unset /);
});

test("passwords: a weak one in the followed file is wrong", () => {
  assertJudged("unknown", accounts.judgeDashboard(null, 0, false, null));
  assert.ok(accounts.defaultPasswords(["example.org"], "mail.example.org").includes("example.org"));
  const listed = { name: "b@example.org", origin: "listed" } as const;
  assertJudged("ok", accounts.judgeImported([listed], { weak: new Map(), judged: new Set(["b@example.org"]) }));
  const weak = { weak: new Map([["b@example.org", "It is too short."]]), judged: new Set(["b@example.org"]) };
  assertJudged("wrong", accounts.judgeImported([listed], weak), /b@example\.org \(It is too short\)/);
  assertJudged("warning", accounts.judgeDashboard("{ARGON2ID}x", 9, false, "It is too short."));
});

/** In nft(8)'s output format. */
function chainOf(rules: readonly string[]): string {
  return `table inet ghostinbox {\n\tchain banned {\n${rules.map((rule) => `\t\t${rule}\n`).join("")}\t}\n}\n`;
}
const HOOK = "type filter hook input priority filter - 10;";
const DROPS = ["ban4", "ban6", "ban6_host", "net4", "net6"].map((set) => `ip saddr @${set} goto banned`).join("\n");
const BANNED = chainOf(['counter name "dropped" drop']);

test("firewall: a chain that is missing, not hooked, or drops nothing", () => {
  const lets = 'iif "lo" accept\n\t\tip saddr @allow4 accept\n';
  assertJudged("ok", judgeChain(`${HOOK} policy accept;\n${lets}${DROPS}`, BANNED, ""));
  for (const early of ["ip saddr 0.0.0.0/0 accept", "return", "jump other", 'accept comment "mine"']) {
    assertJudged("wrong", judgeChain(`${HOOK}\n${lets}${early}\n${DROPS}`, BANNED, ""));
    assertJudged("wrong", judgeChain(`${HOOK}\n${lets}${DROPS.replace("\n", `\n\t\t${early}\n`)}`, BANNED, ""));
  }
  assertJudged("wrong", judgeChain(DROPS, BANNED, ""));
  for (const set of ["ban6_host", "net6"])
    assertJudged("wrong", judgeChain(`${HOOK}\n${DROPS.replace(`@${set} goto banned`, "")}`, BANNED, ""));
});

test("firewall: banned addresses are sent to a chain that drops nothing, or not all", () => {
  const input = `${HOOK}\n${DROPS}`;
  const [reject, drop] = ["limit rate 200/second reject with tcp reset", 'counter name "dropped" drop'];
  const of = (...rules: readonly string[]): Finding => judgeChain(input, chainOf(rules), "");
  const answers = [
    "tcp sport 1-1023 tcp dport >= 32768 tcp flags != syn / syn,ack accept",
    "udp sport { 53, 123 } udp dport >= 1024 accept",
  ];
  assertJudged("ok", of(...answers, reject, drop));
  assertJudged("ok", of("counter packets 0 bytes 0 drop"));
  assertJudged("wrong", judgeChain(input, "", ""));
  assertJudged("wrong", of());
  assertJudged("wrong", of(reject));
  assertJudged("wrong", of(reject, "ip saddr 198.51.100.1 drop"));
  for (const early of ["accept", "tcp sport 1-1023 accept", "tcp dport 25 return", "goto other", "ip saddr vmap @x"])
    assertJudged("wrong", of(early, reject, drop));
});

test("firewall: it accepts what the settings and SSH need, and nothing else", () => {
  const open = opening(["22/tcp", "25/tcp"]);
  const none = { open: null, remainingS: null, faults: [] };
  const confirmed = { ...none, state: "confirmed", open } as const;
  assertJudged("ok", judgeOpenPorts(confirmed, open));
  assertJudged("warning", judgeOpenPorts(confirmed, opening(["25/tcp"])), /still accepts 22\/tcp, which/);
  assertJudged("wrong", judgeOpenPorts(confirmed, opening(["22/tcp", "25/tcp", "993/tcp"])), /closes 993\/tcp\./);
  const trial = { ...none, state: "trial", open, remainingS: 60 } as const;
  assertJudged("warning", judgeOpenPorts(trial, open), /for another 1m /, /firewall confirm/);
  for (const [state, judged] of [
    ["bans", "ok"],
    ["off", "unknown"],
    ["unknown", "unknown"],
    ["unconfirmed", "wrong"],
    ["broken", "wrong"],
  ] as const)
    assertJudged(judged, judgeOpenPorts({ ...none, state }, open));
});

const promised = portsOf(settingsWith());
const OURS: Readonly<Record<string, string>> = { postfix: "master", dovecot: "dovecot", unbound: "unbound" };
const listeners = promised.map(({ port, address, service }) => ({
  address: address ?? "0.0.0.0",
  port,
  programs: [OURS[service] ?? "node-MainThread"],
}));

test("ports: a resolver at a different address does not disturb ours, but others may reach it", () => {
  const beside = (address: string) => [...listeners, { address, port: 53, programs: ["systemd-resolve"] }];
  const ours = promised.find(({ service }) => service === "unbound")?.address ?? "";
  for (const [address, listening, others] of [
    ["127.0.0.53", "ok", "ok"],
    ["203.0.113.10", "ok", "warning"],
    ["0.0.0.0", "wrong", "ok"],
    ["*", "wrong", "ok"],
    ["[::]", "ok", "warning"],
    [ours, "wrong", "ok"],
  ] as const) {
    assertJudged(listening, judgeListening(promised, beside(address)));
    assertJudged(others, judgeOtherPrograms(promised, beside(address)));
  }
  assert.match(judgeListening(promised, beside("*")).saw, /: 53 by systemd-resolve\.$/);
  const withoutOurs = beside("127.0.0.53").filter(({ programs }) => !programs.includes("unbound"));
  assert.match(judgeListening(promised, withoutOurs).saw, /^Nothing listens on 53 \(dns\.address\)/);
});

test("ports: other programs that listen publicly are a warning, except ssh; a port for proxies only is ok", () => {
  assertJudged("ok", judgeProxied(new Map([["203.0.113.10", []]])));
  const other = (name: string, address = "0.0.0.0") => ({ address, port: 2222, programs: [name] });
  assertJudged("ok", judgeOtherPrograms(promised, [...listeners, other("sshd")]));
  assertJudged("warning", judgeOtherPrograms(promised, [...listeners, other("telnetd")]));
  assertJudged("ok", judgeOtherPrograms(promised, [...listeners, other("telnetd", "127.0.0.1")]));
  const strict = (...open: readonly string[]) =>
    judgeOtherPrograms(promised, [...listeners, other("telnetd")], opening(open));
  assert.match(strict("25/tcp").saw, /The strict firewall closes the ports of all other programs/);
  assertJudged("warning", strict("2222/tcp6"));
});

test("tls: an attempt that proves nothing is unknown: no server, or a version that our own OpenSSL lacks", () => {
  const failed = (code: string, stage: "connect" | "tls"): Handshake => ({ ok: false, code, says: "it failed", stage });
  assertJudged("unknown", tls.judgeOld("SMTP", failed("ECONNREFUSED", "connect")));
  assertJudged("unknown", tls.judgeOld("SMTP", failed("ETIMEDOUT", "tls")));
  assertJudged("unknown", tls.judgeOld("SMTP", failed("ERR_SSL_NO_PROTOCOLS_AVAILABLE", "tls")));
  assertJudged("ok", tls.judgeOld("SMTP", failed("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "tls")));
});

test("tls: days left, and the chain", () => {
  const lasting = (days: number, validToDate = new Date(NOW + 13 * DAY_MS)): Finding =>
    tls.judgeDays({ validToDate, validFromDate: new Date(validToDate.getTime() - days * DAY_MS) }, NOW);
  assertJudged("warning", lasting(90));
  assert.match(lasting(90).fix, /how to renew it/, "it is set already");
  assertJudged("ok", lasting(14));
  assertJudged("ok", tls.judgeTrust(null, "an authority"));
});

test("dns: a record that differs is wrong, silence is unknown; reverse DNS matters only where mail leaves", () => {
  const record = { name: "example.org", type: "TXT", value: "x", kind: "spf", says: "", required: true } as const;
  for (const status of ["wrong", "unknown"] as const)
    assertJudged(status, dns.judgeRecord("example.org", { record, verdict: { status, detail: "seen" } }));
  const verdict = { status: "missing", detail: "It is not published." } as const;
  for (const [required, state] of [
    [true, "wrong"],
    [false, "ok"],
  ] as const) {
    const reverse = { ...record, type: "PTR", kind: "reverse", required } as const;
    assertJudged(state, dns.judgeRecord("example.org", { record: reverse, verdict }));
  }
});

test("dns: a wildcard of an MTA-STS policy stands for one label", () => {
  const policyOf = (mx: string) => `version: STSv1\nmode: enforce\nmx: ${mx}\nmax_age: 86400\n`;
  const server = { domain: "example.org", hostname: "mail.example.org", found: { ok: true, found: [] } } as const;
  for (const mx of ["mail.example.org", "*.example.org"])
    assertJudged("ok", dns.judgeMtaSts({ ...server, policy: policyOf(mx) }));
  for (const mx of ["*.org", "*.mail.example.org"])
    assertJudged("wrong", dns.judgeMtaSts({ ...server, policy: policyOf(mx) }), /does not name mail\.example\.org/);
});

test("mail flow: an unclear answer is unknown, and a sign-in offered before TLS is wrong", () => {
  assertJudged("unknown", mailFlow.judgeRelay("250 2.1.0 Ok\r\n", "450 4.7.1 try again\r\n"));
  const full = "452 4.3.1 Insufficient system storage\r\n";
  assertJudged("unknown", mailFlow.judgeRelay(full, "503 5.5.1 Error: need MAIL command\r\n"));
  assertJudged("unknown", mailFlow.judgeSignIn("submission", "454 4.7.0 Temporary authentication failure\r\n"));
  assertJudged(
    "wrong",
    mailFlow.judgeOffers("SMTP", "250-mail.example.org\r\n250-AUTH PLAIN\r\n250 SIZE 1\r\n", "before TLS"),
  );
});

test("accounts: unused for 90 days, but not if new or suspended", () => {
  const one = { name: "a@example.org", suspended: false, createdAt: new Date(NOW - 100 * DAY_MS).toISOString() };
  const signedIn = (days: number): string => new Date(NOW - days * DAY_MS).toISOString();
  assertJudged("ok", accounts.judgeUnused([{ ...one, lastSignInAt: signedIn(89) }], NOW));
  assertJudged("warning", accounts.judgeUnused([{ ...one, lastSignInAt: signedIn(91) }], NOW));
  assertJudged("ok", accounts.judgeUnused([{ ...one, createdAt: signedIn(1), lastSignInAt: null }], NOW));
  assertJudged("ok", accounts.judgeUnused([{ ...one, suspended: true, lastSignInAt: null }], NOW));
});

test("accounts: mail that the password cannot decrypt, in each mode; a missing key, in one", () => {
  const [counts, ann] = [{ own: 1, without: [], ofFile: 2, closed: [] }, "ann@example.org"] as const;
  for (const byAccount of [true, false]) assertJudged("ok", accounts.judgeKeys(counts, byAccount));
  const locked = accounts.judgeKeys({ ...counts, closed: [ann], without: [ann] }, false);
  assert.match(locked.saw, /^Older mail is locked, .*: ann@example\.org\.$/);
  const keyless = { ...counts, without: [ann] };
  assert.match(accounts.judgeKeys(keyless, true).saw, /^The server's key encrypts .*: ann@example\.org\.$/);
  assertJudged("ok", accounts.judgeKeys(keyless, false));
});

test("accounts: mail for postmaster@ goes to the administrator, who may be elsewhere, or to an account", () => {
  const address = "owner@elsewhere.test";
  const reads = { address, reads: true };
  assertJudged("ok", accounts.judgePostmaster(reads, "Owner@elsewhere.test", false), /goes to owner@elsewhere\.test/);
  assertJudged("ok", accounts.judgePostmaster(reads, "", true));
  assertJudged("ok", accounts.judgePostmaster(null, "", true), /their own account or alias, or are blocked/);
  assertJudged("wrong", accounts.judgePostmaster(reads, "gone@example.org", true), /should go to gone@example\.org/);
  assertJudged("wrong", accounts.judgePostmaster({ address, reads: false }, address, true));
  assertJudged("wrong", accounts.judgePostmaster({ address, reads: false }, "", false), /^No account/);
  assertJudged("wrong", accounts.judgePostmaster(null, "", false));
});

test("permissions: another owner is wrong; fewer rights and missing files are not", () => {
  const wanted = { path: "/x", mode: 0o640, uid: 0, gid: 7 };
  assertJudged("ok", judgeOwners("file", [[wanted, { mode: 0o100600, uid: 0, gid: 7 }]]));
  assertJudged("ok", judgeOwners("file", [[wanted, null]]));
  assertJudged("wrong", judgeOwners("file", [[wanted, { mode: 0o100640, uid: 5, gid: 7 }]]));
});

test("permissions: lost settings are wrong while the server runs with them", async () => {
  const { data, settingsInForce } = temporaryLayout();
  put(settingsInForce, "tls.cert = 0\n");
  const judged = await permissions["named-files"].look(checkedServer({ data }));
  assertJudged("wrong", judged, /must have at least one setting/);
});

test("permissions: programs that cannot be listed do not pass", async () => {
  const { data, program } = temporaryLayout();
  put(program, "");
  await assert.rejects(async () => permissions.programs.look(checkedServer({ data })), /^Error: ENOTDIR/);
});

test("mail out: no connection to port 25 is wrong, and no IPv4 route is a warning", () => {
  const greets = [{ host: "mx.example.net", says: "220 mx.example.net ESMTP" }];
  assertJudged("ok", judgeOutgoing(greets));
  assertJudged("warning", judgeOutgoing(greets, false), /no IPv4 route/);
  assertJudged("wrong", judgeOutgoing([{ host: "mx.example.net", says: new Error("refused") }], false));
  assertJudged("unknown", judgeOutgoing([]));
});

test("lists: looks up a router's address, if mail leaves by its family, and the machine's address of the other family", async () => {
  const list = "zen.spamhaus.org";
  const [local, v4, v6] = [ip("10.0.0.7"), ip("203.0.113.10"), ip("2001:db8:10::10")];
  const listed = [v4, v6].map((address) => listQuery(address, list));
  const tests = ([4, 6] as const).map((family) => testPoints(list, family).listed);
  const named = { name: "mail.example.org", value: v4, type: "A" } as const;
  const zone = [...listed, ...tests].map((name) => ({ name, type: "A", value: "127.0.0.2" }) as const);
  const resolver = await zoneServer([named, { ...named, value: v6, type: "AAAA" }, ...zone]);
  const look = (own: Ip, outgoing: readonly Ip[]) => {
    const machine = { addresses: () => [local, own], outgoingAddresses: async () => outgoing };
    return reputation.addresses.look(checkedServer({ settings: { "dnsbl.zones": [list] }, resolver, machine }));
  };
  assertJudged("wrong", await look(ip("2001:db8:10::11"), [local]), /^203\.0\.113\.10 is on/);
  assertJudged("ok", await look(ip("2001:db8:10::11"), []), /11 is not on/);
  assertJudged("wrong", await look(ip("203.0.113.11"), [v6]), /^2001:db8:10::10 is on/);
  assertJudged("ok", await look(ip("203.0.113.11"), [local]), /11 is not on/);
});

test("lists: a home connection needs a relay, behind which its listing does not matter unless it is hijacked", async () => {
  const list = "zen.spamhaus.org";
  const address = ip("203.0.113.10");
  const machine = { addresses: () => [address], outgoingAddresses: async () => [address] };
  const look = async (relay: string, ...listings: readonly string[]) => {
    const listed = listings.map((value) => ({ name: listQuery(address, list), type: "A", value }) as const);
    const probe = { name: testPoints(list, 4).listed, type: "A", value: "127.0.0.2" } as const;
    const settings = { "dnsbl.zones": [list], "outbound.relay": relay };
    return reputation.addresses.look(
      checkedServer({ settings, resolver: await zoneServer([probe, ...listed]), machine }),
    );
  };
  assertJudged(
    "wrong",
    await look("", "127.0.0.10"),
    /PBL/,
    /^\.\/ghostinbox config set outbound\.relay HOST:PORT {2}# or /,
  );
  assertJudged("ok", await look("smtp.relay.example:587", "127.0.0.11"), /PBL.*; outbound\.relay sends the mail\.$/);
  assertJudged("wrong", await look("smtp.relay.example:587", "127.0.0.10", "127.0.0.4"));
});

test("an isolation and a firewall that is off are not called wrong", async () => {
  const layout = temporaryLayout("isolation");
  const isolation = { incident: "i", since: "2026-11-20T07:00:00Z", allow: [], ssh: [22] };
  keepIsolation(layout, { ...isolation, shut: ["send"] });
  const isolated = await reputation["port-25-out"].look(checkedServer({ data: layout.data }));
  assertJudged("unknown", isolated, /^The server is isolated/, /--lift send$/);
  const off = checkedServer({ settings: { "firewall.enabled": false } });
  for (const { look } of [firewall.table, bans["in-kernel"]]) assertJudged("ok", await look(off), /firewall is off/);
});

test("ports: who reaches the dashboard's port in a container is unknown, but no other inner port may be open", () => {
  const at = (port: number) => ({ address: "*", port, programs: ["node"] });
  const { settings } = checkedServer();
  const http = at(settings["ports.http"]);
  assertJudged("unknown", judgePrivate(settings, [http], true), /^Docker decides/);
  assertJudged("warning", judgePrivate(settings, [http], false));
  assertJudged("warning", judgePrivate(settings, [http, at(settings["ports.login_policy"])], true));
});

test("components: one that works only in part, and a guard that does not answer", () => {
  const slow = { name: "postfix", status: "degraded", detail: "x" } as const;
  assertJudged("warning", components.judgeComponents({ ...WELL, components: [slow] }));
  assertJudged("wrong", components.judgeComponents(null));
  assertJudged("wrong", components.judgeNotices(null));
});

test("disk: little space, a variable number of inodes, and an unknown mount", () => {
  assertJudged("ok", machine.judgeSpace("/x", { free: 50, all: 100 }, 9));
  assertJudged("warning", machine.judgeSpace("/x", { free: 9, all: 100 }, 9));
  assertJudged("wrong", machine.judgeSpace("/x", { free: 50, all: 100 }, 51), /mail is refused/);
  assertJudged("ok", machine.judgeInodes("/x", { free: 0, all: 0 }));
  assertJudged("unknown", machine.judgeMount("/x", ""));
});

test("updates: a kernel that waits for a reboot, another flavour, and a container on its host's kernel", () => {
  const [old, now] = ["6.1.0-9-amd64", "6.1.0-28-amd64"];
  assertJudged("warning", machine.judgeKernel(old, [now, old]));
  assertJudged("ok", machine.judgeKernel(now, [now, old, "6.1.0-29-rt-amd64"]));
  assertJudged("ok", machine.judgeKernel("6.8.12-4-pve", [now]));
  assertJudged("ok", machine.judgeKernel(old, []));
});

test("queue: a mail of an hour and 500 mails are ok", () => {
  assertJudged("ok", components.judgeOldestMail({ id: "4Wxyz", at: NOW - HOUR_MS }, NOW));
  assertJudged("ok", components.judgeLength(500));
});

test("bans: networks that the kernel lacks, and an nft that cannot list them", async (t) => {
  const network = net("203.0.113.0/24");
  assertJudged("wrong", judgeHeldByKernel(1, null, [network]));
  assert.deepEqual(uncovered([network], "elements = { 203.0.112.0/23 timeout 1h }"), []);
  assert.deepEqual(uncovered([network], "elements = { 198.51.100.0/24 }"), [network]);
  const { store, reader, committed } = engineDatabase(t);
  committed(() => ban(store, network, CHECKED_AT));
  const server = checkedServer({ reader: { queries: sqliteQueries(reader) }, machine: printing("", 1) });
  assertJudged("unknown", await bans["in-kernel"].look(server), /nft could not be run/);
  assertJudged("ok", judgeAllowed([{ prefix: "203.0.113.0/24" }]));
});

test("bans: an allowed address of a banned network is not banned; an IPv6 address is looked up by its network", async () => {
  for (const [client, counted, allow] of [
    ["198.51.100.9", "198.51.100.9", "allow4"],
    ["2001:db8:b000::9", "2001:db8:b000::", "allow6"],
  ] as const) {
    const look = (...holding: readonly string[]) => {
      const isHeld = (args: readonly string[]) =>
        args.at(-1) === `{ ${args.includes("ban6") ? counted : client} }` && holding.includes(args.at(-2) ?? "");
      const run: Machine["run"] = (_, args) => printing("", isHeld(args) ? 0 : 1).run("", []);
      return bans.self.look(
        checkedServer({ env: { SSH_CONNECTION: `${client} 50000 192.0.2.1 22` }, machine: { run } }),
      );
    };
    for (const set of ["net", "ban"].map((kind) => allow.replace("allow", kind))) {
      assertJudged("wrong", await look(set), new RegExp(client));
      assertJudged("ok", await look(set, allow));
    }
  }
});

test("alerts: a channel that works without the mail queue, and a guard that does not answer", () => {
  assertJudged("ok", components.judgeOutside({ channels: [{ name: "email", failing: null }], leadOut: true }));
  assertJudged("unknown", components.judgeOutside(null));
  assertJudged("ok", components.judgeTest([{ channel: "ntfy", ok: true, detail: "" }]));
});

test("backups: none, old or failed, and an old restore drill", () => {
  const last = doneBackup(NOW - HOUR_MS);
  const record = { last, failure: null, oldKept: null, since: 0, isKeySeen: true };
  const aged = (hours: number) => ({ ...record, last: { ...last, at: NOW - hours * HOUR_MS } });
  assertJudged("warning", backups.judgeLastBackup(true, aged(31), NOW));
  assertJudged("wrong", backups.judgeLastBackup(true, aged(73), NOW));
  assertJudged("wrong", backups.judgeLastBackup(true, { ...record, last: null }, NOW));
  assertJudged("warning", backups.judgeLastBackup(true, { ...record, failure: { at: NOW, reason: "no room" } }, NOW));
  assertJudged("warning", backups.judgeLastBackup(false, record, NOW));
  assertJudged("unknown", backups.judgeKey({ ...record, last: null }));
  const drill = doneDrill(NOW - DAY_MS);
  assertJudged("ok", backups.judgeDrill({ drills: [drill], begun: null }, 30 * DAY_MS, NOW));
  assertJudged(
    "warning",
    backups.judgeDrill({ drills: [{ ...drill, at: NOW - 38 * DAY_MS }], begun: null }, 30 * DAY_MS, NOW),
  );
  assertJudged("ok", backups.judgePlace("/x", { data: 1, repository: 2 }));
  assertJudged("ok", backups.judgePlace("sftp:x", { data: 1, repository: null }));
});

test("ports: without ss(8), ssh is not taken for a port that should be closed", async () => {
  const machine = { ...printing("", 127), addresses: () => [ip("127.99.88.77")] };
  assertJudged("unknown", await ports.scan.look(checkedServer({ machine })), /^ss\(8\) cannot be run/);
});

test("clock: no file, a time server, and neither", () => {
  assertJudged("unknown", machine.judgeFiles(null, NOW));
  assertJudged("ok", machine.judgeSynchronized("yes"));
  assertJudged("unknown", machine.judgeSynchronized(""));
});

test("updates: apt's own words for an interval are shown unchanged", () => {
  for (const [value, shown] of Object.entries({ 1: "every 1 day", always: "always", "12h": "12h" })) {
    const judged = machine.judgeAutomatic(`APT::Periodic::Unattended-Upgrade "${value}";\n`);
    assertJudged("ok", judged, new RegExp(`\\(${shown}\\)`));
  }
});

test("updates: an image is old a month after it was fetched or built here", () => {
  assertJudged("ok", machine.judgeImage(NOW - 30 * DAY_MS, NOW));
  const renew = /^git pull --autostash && docker compose build --pull /;
  assertJudged("warning", machine.judgeImage(NOW - 31 * DAY_MS, NOW), /^This image is 31 days old/, renew);
});

test("updates: security updates are wrong, and old or missing lists prove nothing", () => {
  const usual = "Inst openssl [3.0.16] (3.0.17 Debian:12.13/oldstable [amd64])\n";
  const security = usual.replace("Debian:12.13/oldstable", "Debian-Security:12/oldstable-security");
  assertJudged("ok", machine.judgeUpdates("", NOW - DAY_MS, NOW));
  assertJudged("warning", machine.judgeUpdates(usual, NOW, NOW));
  assertJudged("warning", machine.judgeUpdates(usual.replace("openssl", "debian-security-support"), NOW, NOW));
  assertJudged("wrong", machine.judgeUpdates(security, NOW, NOW), /openssl/, /--with-new-pkgs/);
  assertJudged("unknown", machine.judgeUpdates("", NOW - 8 * DAY_MS, NOW));
  assertJudged("unknown", machine.judgeUpdates("", null, NOW));
  assertJudged("unknown", machine.judgeUpdates(null, NOW, NOW));
});
