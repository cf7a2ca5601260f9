import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "./commands.ts";
import { DNS_HOST, DNS_HOST_V6, namespaceOf, SERVER } from "./network.ts";
import { until } from "./wait.ts";

/** Addresses of the sender host with their own names. */
export const NAMED = {
  "mx.sender.test": "198.51.100.10",
  /** A large provider, whose name leads back to the address. */
  "mail-x.google.com": "198.51.100.64",
  /** A client whose name is not a provider's. */
  "phone.client.test": "198.51.100.65",
} as const;
/** Its reverse name is in google.com, whose DNS does not confirm it. */
const FORGED_PROVIDER = "198.51.100.66";

/** Lines of a zone file; `ns.lab` is the DNS host itself. */
const RECORDS: readonly string[] = [
  `ns.lab. A ${DNS_HOST}`,
  ...Object.entries(NAMED).flatMap(([name, address]) => [`${name}. A ${address}`, pointer(address, name)]),
  pointer(FORGED_PROVIDER, "mail-y.google.com"),
  "sender.test. MX 10 mx.sender.test.",
  "mx.sender.test. AAAA 2001:db8:20::10",
  "example.test. MX 10 mail.example.test.",
  `mail.example.test. A ${SERVER.v4}`,
  `mail.example.test. AAAA ${SERVER.v6}`,
  pointer(SERVER.v4, "mail.example.test"),
];

/** Block lists of the lab: each zone with the address of its name server, which `list-server.ts` plays. */
export const LISTS = {
  "zen.spamhaus.org": "203.0.113.61",
  "bl.spamcop.net": "203.0.113.62",
  "bl.lists.test": "203.0.113.63",
} as const;
export type ListZone = keyof typeof LISTS;

/** Signed zones below the root. The second one's delegation names another key, so that none of its answers is valid. */
export const SIGNED_ZONE = "signed.test";
export const BOGUS_ZONE = "bogus.test";

/** The lab's root hints and trust anchor, instead of the internet's. */
export function rootOf(directory: string): Readonly<{ hints: string; anchor: string }> {
  const folder = join(directory, "dns");
  return { hints: join(folder, "root.hints"), anchor: join(folder, "root.key") };
}

/**
 * Starts NSD in the `net` namespace: an authoritative server with its own signed root. Hosts of the lab ask it as
 * if it were a resolver, which works because it has all zones but the block lists. Other names do not exist.
 */
export async function startDns(directory: string, records: readonly string[]): Promise<ChildProcess> {
  const folder = join(directory, "dns");
  copySignedZones(folder);
  const root = keyOfRoot(folder);
  sign(folder, ".", root, [
    ...RECORDS,
    ...records,
    ...Object.entries(LISTS).flatMap(([zone, address]) => [`${zone}. NS ns.${zone}.`, `ns.${zone}. A ${address}`]),
    ...readFileSync(join(folder, DELEGATIONS), "utf8").trim().split("\n"),
  ]);
  const { hints, anchor } = rootOf(directory);
  writeFileSync(hints, `. 3600 NS ns.lab.\nns.lab. 3600 A ${DNS_HOST}\n`);
  cpSync(join(folder, `${root}.key`), anchor);
  return serve(folder, [".", SIGNED_ZONE, BOGUS_ZONE]);
}

/** The keys and the zones below the root, which the files of one run share. */
function copySignedZones(folder: string): void {
  const ofRun = process.env["TEST_RUN_DIRECTORY"];
  if (ofRun === undefined) return makeSignedZones(folder);
  const shared = join(ofRun, "dns");
  if (!existsSync(shared)) {
    const made = `${shared}-${process.pid}`;
    makeSignedZones(made);
    try {
      renameSync(made, shared);
    } catch {
      rmSync(made, { recursive: true }); // Another test file made it first.
    }
  }
  cpSync(shared, folder, { recursive: true });
}

function makeSignedZones(folder: string): void {
  mkdirSync(folder, { mode: 0o755 });
  makeKey(folder, ".");
  const keys = new Map([SIGNED_ZONE, BOGUS_ZONE].map((zone) => [zone, makeKey(folder, zone)]));
  for (const [zone, key] of keys)
    sign(folder, zone, key, [`www.${zone}. A ${SERVER.v4}`, `${zone}. MX 10 mx.sender.test.`]);
  const signer = readFileSync(join(folder, `${keys.get(SIGNED_ZONE)}.ds`), "utf8").replaceAll("\t", " ");
  const [, record = ""] = /\sIN\s+(DS .*)$/m.exec(signer) ?? [];
  const delegations = Array.from(keys.keys(), (zone) => `${zone}. NS ns.lab.\n${zone}. ${record}`);
  writeFileSync(join(folder, DELEGATIONS), `${delegations.join("\n")}\n`);
}

const DELEGATIONS = "delegations";

/** ldns-keygen(1): the base name of the key's files. */
function makeKey(folder: string, zone: string): string {
  return execFileSync("ldns-keygen", ["-k", "-a", "ECDSAP256SHA256", zone], { cwd: folder, encoding: "utf8" }).trim();
}

function keyOfRoot(folder: string): string {
  const key = readdirSync(folder).find((name) => /^K\.\+\d+\+\d+\.private$/.test(name)) ?? "";
  return key.replace(/\.private$/, "");
}

function sign(folder: string, zone: string, key: string, records: readonly string[]): void {
  const file = zoneFile(zone);
  const origin = zone === "." ? "." : `${zone}.`;
  const head = [`$ORIGIN ${origin}`, "$TTL 60", "@ SOA ns.lab. admin.ns.lab. 1 3600 600 86400 1"];
  writeFileSync(join(folder, `${file}.plain`), [...head, "@ NS ns.lab.", ...records, ""].join("\n"));
  execFileSync("ldns-signzone", ["-f", file, `${file}.plain`, key], { cwd: folder });
}

/**
 * Adds records to the root's original ones, and removes those that were published this way before. Resolvers then start from this
 * address of the DNS host. Send the server a SIGHUP afterwards (nsd(8)).
 */
export function publish(directory: string, records: readonly string[], host: string): void {
  const folder = join(directory, "dns");
  const plain = join(folder, "root.zone.plain");
  const [first = ""] = readFileSync(plain, "utf8").split(PUBLISHED);
  const next = first.replace(/(?<= admin\.ns\.lab\. )\d+/, (serial) => String(Number(serial) + 1));
  writeFileSync(plain, `${next}${PUBLISHED}${records.join("\n")}\n`);
  execFileSync("ldns-signzone", ["-f", "root.zone", plain, keyOfRoot(folder)], { cwd: folder });
  const type = host.includes(":") ? "AAAA" : "A";
  writeFileSync(rootOf(directory).hints, `. 3600 NS ns.lab.\nns.lab. 3600 ${type} ${host}\n`);
}

const PUBLISHED = "; published later\n";

export const zoneFile = (zone: string): string => (zone === "." ? "root.zone" : `${zone}.zone`);

async function serve(folder: string, zones: readonly string[]): Promise<ChildProcess> {
  const configuration = writeNsdConf(folder, "nsd", [DNS_HOST, DNS_HOST_V6], zones);
  const inNet = ["netns", "exec", namespaceOf("net")];
  const child = spawn("ip", [...inNet, "nsd", "-d", "-c", configuration], { stdio: "ignore" });
  await until("the lab's DNS host answers", async () => {
    const asked = await runProgram(["ip", ...inNet, "getent", "ahostsv4", "mx.sender.test"]);
    if (asked.stdout.includes(NAMED["mx.sender.test"])) return true;
    const log = join(folder, "nsd.logfile");
    const logged = existsSync(log) ? readFileSync(log, "utf8") : "no log";
    throw new Error(`getent: ${asked.code} ${asked.stderr}; nsd: ${child.exitCode ?? "runs"}, ${logged}`);
  });
  return child;
}

/** Writes nsd.conf(5) of a server of these zones, whose files are in the folder. `name`: prefix of its other files. Returns the path of the configuration. */
export function writeNsdConf(
  folder: string,
  name: string,
  addresses: readonly string[],
  zones: readonly string[],
): string {
  const own = (file: string): string => join(folder, `${name}.${file}`);
  const text = `server:
${addresses.map((address) => `  ip-address: ${address}\n`).join("")}  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "${folder}"
  xfrdir: "${folder}"
  rrl-ratelimit: 0
${["logfile", "pidfile", "xfrdfile", "zonelistfile"].map((file) => `  ${file}: "${own(file)}"\n`).join("")}remote-control:
  control-enable: no
${zones.map((zone) => `zone:\n  name: "${zone}"\n  zonefile: "${zoneFile(zone)}"\n`).join("")}`;
  writeFileSync(own("conf"), text);
  return own("conf");
}

function pointer(address: string, name: string): string {
  return `${address.split(".").toReversed().join(".")}.in-addr.arpa. PTR ${name}.`;
}
