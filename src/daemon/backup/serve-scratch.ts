import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import { probeImap } from "../../adapters/probes/dovecot.ts";
import { makeDirectory } from "../../adapters/root-files/trees.ts";
import { removeTree } from "../../adapters/root-files/walk.ts";
import { ask } from "../../adapters/sockets/control-client.ts";
import { SECOND_MS } from "../../core/time.ts";
import { mailServices } from "../../render/mail-services.ts";
import { SERVICES, type ServiceName } from "../../render/runit.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Environment } from "../../settings/load.ts";
import { type Settings, variableOf } from "../../settings/schema.ts";
import { applyConfiguration } from "../set-up/apply.ts";
import { prepareCertificate } from "../set-up/certificate.ts";
import { prepareDatabases } from "../set-up/databases.ts";
import { makeDirectories } from "../set-up/directories.ts";
import { SetUpFailure } from "../set-up/failure.ts";
import { hasNetAdmin } from "../set-up/net-admin.ts";
import { lastWord } from "../set-up/running/last-words.ts";
import { programEnvironment, startSupervisor, writeEnvironment, writeServices } from "../set-up/running/supervise.ts";
import { readSettings, writeFirstSettings } from "../set-up/settings-file.ts";
import { makeLoginPolicySecret, makeProofWord } from "../set-up/shared-secrets.ts";
import { readSite } from "../set-up/site.ts";
import { giveSignIn, lookAt } from "./look-at-second.ts";
import { CannotBeApart, type Seen } from "./second-server.ts";

/**
 * The services that run: enough for a sign-in and for the bans. No Postfix and no keeper, so no mail can be sent; aliases are
 * looked up anyway.
 */
export const RUN: readonly ServiceName[] = ["guard", "dovecot"];
const RENDERED: readonly ServiceName[] = ["postfix", "dovecot"];
const READY_MS = 60 * SECOND_MS;
const LOOK_MS = 100;
const PROBE_MS = 2 * SECOND_MS;

/**
 * The first process of the namespaces that `runSecondServer` creates. Puts the restored directory in the place of the real one,
 * which then cannot be reached, prepares it as a start does, and starts the guard and Dovecot in it.
 */
export async function serveScratch(layout: Layout, scratch: string, env: Environment): Promise<Seen> {
  const from = performance.now();
  await takePlace(layout, scratch);
  const signIn = await giveSignIn(layout);
  // The sign-in comes from this machine.
  const read = await readSettings(layout, { ...env, [variableOf("logins.networks")]: "[]" });
  const { settings } = read;
  writeFirstSettings(layout, read);
  makeDirectories(layout);
  await prepareCertificate(settings, layout);
  makeLoginPolicySecret(layout);
  makeProofWord(layout);
  const environment = programEnvironment(layout, { ...env, [variableOf("logins.networks")]: "[]" });
  await prepareDatabases(layout, null, environment);
  // The owner's own settings could name paths outside of it.
  const site = { ...readSite(read, layout), ownDovecot: "", ownDovecotUnused: null };
  const applied = await applyConfiguration(site, { only: RENDERED });
  if (!applied.ok) throw new SetUpFailure(applied.reason);
  writeEnvironment(layout.environment, environment);
  const netAdmin = hasNetAdmin();
  const loginPort = settings["ports.login_policy"];
  const mail = mailServices(layout, { spam: 0, fail2ban: false });
  writeServices({ layout, loginPort, netAdmin, mail, export: false, webLowPort: false });
  for (const service of SERVICES) if (!RUN.includes(service)) removeTree(join(layout.services, service));
  startSupervisor(layout.services);
  await untilReady(layout, settings);
  const startMs = Math.round(performance.now() - from);
  return {
    ...(await lookAt(layout, settings, { signIn, hasFirewall: netAdmin && settings["firewall.enabled"] })),
    startMs,
  };
}

/** All mounts are visible only to this process and its children, and end with it. */
async function takePlace({ data, program }: Layout, scratch: string): Promise<void> {
  const inScratch = join(scratch, "program");
  makeDirectory(inScratch, 0o755);
  await must("mount", ["--bind", program, inScratch]);
  await must("mount", ["--rbind", scratch, data]);
  // Where the sockets of the machine's other programs are.
  if (!data.startsWith("/run/")) await must("mount", ["-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"]);
  await must("ip", ["link", "set", "lo", "up"]);
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const ran = await runProgram(program, args);
  if (ran.code !== 0) throw new CannotBeApart(`${program} failed: ${lastLines(ran)}`);
}

async function untilReady(layout: Layout, settings: Settings): Promise<void> {
  const port = { host: "127.0.0.1", port: settings["ports.imaps"], localAddress: "127.0.0.1" };
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const guard = await ask(layout.controlSocket, "root", { verb: "ping" });
    const imap = await probeImap(port, PROBE_MS);
    if (guard.ok && imap.ok) return;
    if (performance.now() > deadline) {
      const service = guard.ok ? "dovecot" : "guard";
      const last = lastWord(layout, service) ?? "nothing";
      throw new SetUpFailure(`its ${service} was not ready after ${READY_MS / SECOND_MS} s, and said last: ${last}`);
    }
    await pause(LOOK_MS);
  }
}
