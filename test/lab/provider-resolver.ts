import { spawn } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun, runProgram } from "./commands.ts";
import { rootOf, writeNsdConf, zoneFile } from "./dns.ts";
import { DNS_HOST, namespaceOf, RESOLVER_V6 } from "./network.ts";
import { until } from "./wait.ts";

/** A zone whose name server has no IPv6 address. */
export const V4_ZONE = "v4.test";
const V4_SERVER = "203.0.113.67";
/** Records for the root of the lab. */
export const V4_RECORDS = [`${V4_ZONE}. NS ns.${V4_ZONE}.`, `ns.${V4_ZONE}. A ${V4_SERVER}`];

/** The name server of that zone, and a provider's resolver, which has both kinds of addresses. They end with their namespace. */
export async function startResolver(directory: string): Promise<void> {
  const at = (name: string): string => join(directory, "dns", name);
  const inNet = ["netns", "exec", namespaceOf("net")];
  await mustRun(["ip", ...inNet, "ip", "addr", "add", `${V4_SERVER}/32`, "dev", "lo"]);
  writeFileSync(
    at(zoneFile(V4_ZONE)),
    `$ORIGIN ${V4_ZONE}.\n$TTL 60\n@ SOA ns admin 1 3600 600 86400 1\n@ NS ns\n@ MX 10 mx\nns A ${V4_SERVER}\n`,
  );
  const nsdConf = writeNsdConf(at(""), "v4", [V4_SERVER], [V4_ZONE]);
  writeFileSync(at("resolver.hints"), `. 3600 NS ns.lab.\nns.lab. 3600 A ${DNS_HOST}\n`);
  copyFileSync(rootOf(directory).anchor, at("resolver.key"));
  writeFileSync(at("resolver.conf"), unboundOf(at));
  spawn("ip", [...inNet, "nsd", "-d", "-c", nsdConf], { stdio: "ignore" });
  spawn("ip", [...inNet, "unbound", "-d", "-c", at("resolver.conf")], { stdio: "ignore" });
  await until("the provider's resolver answers", async () => {
    const asked = await runProgram(["ip", ...inNet, "drill", `@${RESOLVER_V6}`, V4_ZONE, "MX"]);
    return asked.stdout.includes("NOERROR");
  });
}

function unboundOf(at: (name: string) => string): string {
  return `server:
  interface: ${RESOLVER_V6}
  access-control: ::/0 allow
  do-daemonize: no
  use-syslog: no
  username: ""
  chroot: ""
  directory: ""
  pidfile: ""
  root-hints: "${at("resolver.hints")}"
  trust-anchor-file: "${at("resolver.key")}"
  local-zone: "test." nodefault
remote-control:
  control-enable: no
`;
}
