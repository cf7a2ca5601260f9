import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "./commands.ts";
import { DNS_HOST, namespaceOf, SERVER } from "./network.ts";
import { until } from "./wait.ts";

/** Addresses of the sender host with names of their own. */
export const NAMED = {
  "mx.sender.test": "198.51.100.10",
  /** A large provider: the name of its address confirms forward. */
  "mail-x.google.com": "198.51.100.64",
  /** Claims to be one: the name does not lead back to the address. */
  "phone.client.test": "198.51.100.65",
} as const;
/** Its reverse name says google.com, which knows nothing of it. */
export const FORGED_PROVIDER = "198.51.100.66";

const RECORDS: readonly string[] = [
  ...Object.entries(NAMED).flatMap(([name, address]) => [`${name}. A ${address}`, pointer(address, name)]),
  pointer(FORGED_PROVIDER, "mail-y.google.com"),
  "sender.test. MX 10 mx.sender.test.",
  "mx.sender.test. AAAA 2001:db8:20::10",
  "example.test. MX 10 mail.example.test.",
  `mail.example.test. A ${SERVER.v4}`,
  `mail.example.test. AAAA ${SERVER.v6}`,
  pointer(SERVER.v4, "mail.example.test"),
];

/** Starts unbound in the `net` namespace; whatever it does not know does not exist, so that no one waits. */
export async function startDns(directory: string): Promise<ChildProcess> {
  const configuration = join(directory, "unbound.conf");
  writeFileSync(
    configuration,
    [
      "server:",
      `  interface: ${DNS_HOST}`,
      "  access-control: 0.0.0.0/0 allow",
      '  chroot: ""',
      '  username: ""',
      `  directory: "${directory}"`,
      '  pidfile: ""',
      "  use-syslog: no",
      "  do-daemonize: no",
      '  module-config: "iterator"',
      '  local-zone: "." static',
      ...RECORDS.map((record) => `  local-data: "${record}"`),
      "remote-control:",
      "  control-enable: no",
      "",
    ].join("\n"),
  );
  const inNet = ["netns", "exec", namespaceOf("net")];
  const child = spawn("ip", [...inNet, "unbound", "-d", "-c", configuration], { stdio: "ignore" });
  await until("the lab's DNS host answers", async () => {
    const asked = await runProgram(["ip", ...inNet, "getent", "ahostsv4", "mx.sender.test"]);
    return asked.stdout.includes(NAMED["mx.sender.test"]);
  });
  return child;
}

function pointer(address: string, name: string): string {
  return `${address.split(".").toReversed().join(".")}.in-addr.arpa. PTR ${name}.`;
}
