import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import type { ServiceName } from "../../render/runit.ts";
import type { Settings } from "../../settings/schema.ts";
import { SetUpFailure } from "./failure.ts";

/** One port of the server. `address` null: every address of the machine. */
export type ServerPort = Readonly<{
  /** The setting that changes it. */
  setting: PortSetting | "dns.address";
  port: number;
  address: string | null;
  says: string;
  service: ServiceName;
}>;

export function portsOf(settings: Settings): readonly ServerPort[] {
  const serverPort = (
    setting: PortSetting,
    service: ServiceName,
    says: string,
    address: string | null = null,
  ): ServerPort => ({
    setting,
    port: settings[setting],
    address,
    says,
    service,
  });
  return [
    serverPort("ports.smtp", "postfix", "mail from other servers (SMTP)"),
    serverPort("ports.submissions", "postfix", "mail from users (SMTP over TLS)"),
    serverPort("ports.submission", "postfix", "mail from users (SMTP with STARTTLS)"),
    serverPort("ports.imaps", "dovecot", "mailboxes (IMAP over TLS)"),
    serverPort("ports.http", "web", "dashboard and API (HTTP)", settings["http.address"]),
    serverPort("ports.login_policy", "guard", "Dovecot asking the guard", "127.0.0.1"),
    {
      setting: "dns.address",
      port: 53,
      address: settings["dns.address"],
      says: "our own resolver (DNS)",
      service: "unbound",
    },
  ];
}

type PortSetting =
  | "ports.smtp"
  | "ports.submissions"
  | "ports.submission"
  | "ports.imaps"
  | "ports.http"
  | "ports.login_policy";

/** Throws SetUpFailure for the first port that another program holds. */
export async function refuseBusyPorts(serverPorts: readonly ServerPort[]): Promise<void> {
  for (const serverPort of serverPorts) {
    for (const address of serverPort.address === null ? ["0.0.0.0", "::"] : [serverPort.address]) {
      const error = await tryToListen(serverPort.port, address);
      if (error === null || error === "EADDRNOTAVAIL" || error === "EAFNOSUPPORT") continue;
      throw new SetUpFailure(sentence(serverPort, error));
    }
  }
}

function sentence({ port, setting, says }: ServerPort, error: string): string {
  const other = `choose another with ${setting}`;
  if (error !== "EADDRINUSE") return `Port ${port} for ${says} cannot be opened (${error}); ${other}.`;
  const holder = holderOf(port);
  return `Port ${port} for ${says} is in use${holder === null ? "" : ` by ${holder}`}: stop that program, or ${other}.`;
}

function tryToListen(port: number, host: string): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true, ipv6Only: host === "::" }, () => server.close(() => resolve(null)));
  });
}

/** Whether any process of this network namespace listens there. Asks the kernel, so no server notices. */
export function isListening(port: number): boolean {
  return TABLES.some((table) => listeners(table, port).length > 0);
}

const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];

/** `exim4 (pid 812)`, if /proc shows it. */
function holderOf(port: number): string | null {
  const inodes = TABLES.flatMap((table) => listeners(table, port));
  if (inodes.length === 0) return null;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (holdsSocket(pid, inodes)) return `${readFileSync(`/proc/${pid}/comm`, "utf8").trim()} (pid ${pid})`;
  }
  return null;
}

/** Inodes of listening sockets (proc(5): state 0A is LISTEN, ports are hexadecimal). */
function listeners(table: string, port: number): readonly string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  try {
    return readFileSync(table, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local = "", , state]) => local.endsWith(suffix) && state === "0A")
      .map((fields) => fields[9] ?? "");
  } catch {
    return [];
  }
}

function holdsSocket(pid: string, inodes: readonly string[]): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return inodes.some((inode) => target === `socket:[${inode}]`);
    });
  } catch {
    return false;
  }
}
