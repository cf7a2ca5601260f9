import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { layoutOf, serviceLog } from "../../src/settings/layout.ts";
import type { BareDebian } from "./bare-debian.ts";
import { until } from "./wait.ts";

/** Packages of programs that components run; that of the last one is restarted last. */
const PACKAGES = ["postgrey", "dovecot-imapd"];
const RESTARTED = /dovecot was restarted, because package dovecot-imapd was replaced\./;
/** The keeper checks every ten seconds, three times, and restarts components one after another, each of which must answer. */
const RENEWED_MS = 90_000;

/**
 * Unpacks and configures packages of a running server again, as an upgrade by apt does. Returns a function that waits until the keeper
 * has restarted their components and they answer.
 */
export async function unpackAgain(machine: BareDebian, data: string): Promise<() => Promise<unknown>> {
  // Without systemd, the packages would start their own services.
  const policy = join(machine.root, "usr/sbin/policy-rc.d");
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  await machine.apt("install", "--reinstall", "-y", ...PACKAGES);
  rmSync(policy);
  const log = serviceLog(layoutOf(join(machine.root, data)), "keeper");
  return () => until("what apt has replaced is restarted", () => RESTARTED.test(readFileSync(log, "utf8")), RENEWED_MS);
}
