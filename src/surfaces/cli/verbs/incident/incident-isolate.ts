import type { KeeperCommand } from "../../../../admin/declare/keeper.ts";
import { type Incident, type Isolation, lifted, SHUT, type Shut } from "../../../../core/incident/incident.ts";
import { type Prefix, parsePrefix, printPrefix } from "../../../../core/net/ip.ts";
import { asSentence, plural } from "../../../../core/text.ts";
import { dayAndTime, isoTime } from "../../../../core/time.ts";
import type { Outcome } from "../../../../guard/ports.ts";
import { applyIsolation, clearIsolation, keepIsolation, readIsolation } from "../../../../host/firewall/isolation.ts";
import { callerConnection, ownPortOf, peerOf, sshPorts } from "../../../../host/firewall/opening.ts";
import { lockHolder } from "../../../../host/running/data-directory.ts";
import { stopCommand } from "../../../../host/running/server-commands.ts";
import { compareWithBackup } from "../../../../jobs/incident/compare-backup.ts";
import { readIncidents } from "../../../../jobs/incident/folder.ts";
import type { Settings } from "../../../../settings/schema.ts";
import { type Answer, type Call, done, failed, PROGRAM, whyNotSure, wrongUsage } from "../../call.ts";
import { columns, joined, oneLine, when } from "../../print/text.ts";
import { environmentOf, settingsOf } from "../../server-settings.ts";
import { networksFrom } from "../server/bans.ts";
import { inIncident, recordStep, withContacts } from "./incident.ts";

const DEFAULT_SSH_PORTS = [22];

/** `incident isolate`: closes the firewall first, so that no one gets in while the rest is done. */
export const incidentIsolate = inIncident(async (call, incident) => {
  const read = settingsOf(call);
  if (!read.ok) return read;
  const words = networksFrom(call, "allow");
  if ("ok" in words) return words;
  const named = words.flatMap((word) => parsePrefix(word) ?? []);
  const isSshShut = call.flag("shut-ssh");
  // The variable may be from an earlier session (tmux(1)), so with SSH closed the address must be given.
  const session = isSshShut ? null : callerConnection(call.env);
  const own = peerOf(session);
  const before = readIsolation(call.layout)?.allow ?? [];
  const asked = [...new Set([...before, ...(own === null ? [] : [own]), ...named])];
  const next = "Name your address: --allow ADDRESS";
  if (isSshShut && named.length === 0) return wrongUsage("With --shut-ssh you must name who may still connect.", next);
  const found = isSshShut ? [] : await sshPorts(ownPortOf(session));
  if (found.length === 0 && asked.length === 0)
    return wrongUsage("No SSH server was found here, so you might lock yourself out too.", next);
  const ssh = isSshShut || found.length > 0 ? found : DEFAULT_SSH_PORTS;
  const ports = ssh.length === 0 ? "" : ` (but SSH stays open for all on port ${ssh.join(", ")})`;
  const question = `Disconnect the server? Mail in both directions waits in the queue, and ${allowedText(asked)} can connect${ports}.`;
  const unsure = await whyNotSure(call, question, "nothing was isolated");
  if (unsure !== null) return unsure;
  // While the question was open, another command may have closed the incident or isolated the server.
  if (readIncidents(call.layout).some(({ id, closedAt }) => id === incident.id && closedAt !== null))
    return failed(`The incident ${incident.id} was closed.`, `Open another: ${PROGRAM} incident open NAME`);
  const present = readIsolation(call.layout);
  const allow = [...new Set([...asked, ...(present?.allow ?? [])])];
  const who = allowedText(allow);
  const isolation: Isolation = { incident: incident.id, since: isoTime(call.now()), allow, ssh, shut: SHUT };
  // The file first: if this command is interrupted, the keeper or the next start completes the isolation.
  keepIsolation(call.layout, isolation);
  const shut = await applyIsolation(isolation, read.settings);
  if (!shut.ok) {
    keepIsolation(call.layout, present);
    return failed(
      `Nothing was isolated: ${shut.reason}.`,
      `Without the firewall, only ${stopCommand(call.layout)} disconnects the server.`,
    );
  }
  const applied = await askKeeperIfUp(call, { verb: "apply", inForce: true });
  const queue = applied.ok
    ? "mail waits in the queue in both directions"
    : `the queue could not be held (${applied.reason}), but no mail leaves to port 25`;
  const says = `The server was isolated: ${who} can connect${ports}; ${queue}.`;
  const unaudited = await recordStep(call, incident, { step: "isolate", says, lines: allow });
  const stays = `${says} It stays isolated over restarts until you lift it. Alerts by mail wait too; other channels still work.`;
  const again = `Fix that, then \`${PROGRAM} incident isolate\` again, or ${stopCommand(call.layout)}.`;
  if (!applied.ok) return failed(joined("\n", [stays, unaudited]), again);
  return done(isolation, withContacts(call, [stays, unaudited]), `${PROGRAM} incident assess`);
});

function allowedText(allow: readonly Prefix[]): string {
  return allow.length === 0 ? "no one" : `only ${allow.map(printPrefix).join(", ")}`;
}

const OPENED_TEXTS: Readonly<Record<Shut, string>> = {
  receive: "mail from others is accepted again",
  "sign-in": "users can sign in and reach the dashboard again",
  send: "mail to others leaves again",
};

export const incidentRecover = inIncident(async (call, incident) => {
  const read = settingsOf(call);
  if (!read.ok) return read;
  const lift = call.option("lift");
  const isolation = readIsolation(call.layout);
  if (lift !== null) return liftPart(call, lift, { incident, isolation, settings: read.settings });
  call.terminal.progress("Comparing with the last backup from before the incident ...");
  const { settings } = read;
  const from = { settings, env: environmentOf(call) };
  const compared = await compareWithBackup(call.layout, from, Date.parse(incident.since));
  const found = compared.ok ? compared.differences : [];
  const says = compared.ok
    ? `Compared with the backup ${compared.snapshot} of ${when(compared.at)}: ${found.length === 0 ? "settings, accounts and aliases are the same" : plural(found.length, "difference")}.`
    : `Nothing could be compared: ${compared.reason}.`;
  const lines = found.map(({ what, was, is }) => `${what}: ${was ?? "not there"} -> ${is ?? "gone"}`);
  const unaudited = await recordStep(call, incident, { step: "recover", says, lines });
  const rows = found.map(({ what, was, is }) => [what, was ?? "(not there)", is ?? "(gone)"]);
  const text = withContacts(call, [
    says,
    found.length > 0 && `\n${columns([["WHAT", "IN THE BACKUP", "NOW"], ...rows])}`,
    isolation !== null &&
      `\nIsolated since ${dayAndTime(isolation.since)}; still closed: ${isolation.shut.join(", ")}.`,
    unaudited,
  ]);
  return done({ compared, isolation }, text, nextCommand(isolation));
});

/**
 * Opens the firewall last, so that nothing enters while it would still be held. Also opens parts that count as open, because an
 * interrupted lift may have left Postfix or the firewall closed.
 */
async function liftPart(
  call: Call,
  word: string,
  { incident, isolation, settings }: Readonly<{ incident: Incident; isolation: Isolation | null; settings: Settings }>,
): Promise<Answer> {
  const part = word === "all" ? "all" : SHUT.find((one) => one === word);
  if (part === undefined)
    return wrongUsage(`"${oneLine(word)}" is not a part of the isolation.`, `Write one of: ${SHUT.join(", ")}, all.`);
  const parts = part === "all" ? (isolation?.shut ?? SHUT) : [part];
  const left = isolation === null ? null : lifted(isolation, parts);
  keepIsolation(call.layout, left);
  const applied = await askKeeperIfUp(call, { verb: "apply", inForce: true });
  if (!applied.ok)
    return failed(
      `Nothing was lifted: ${asSentence(applied.reason)}${await undoLift(call, isolation)}`,
      "Fix that, then try again.",
    );
  const opened = await (left === null ? clearIsolation() : applyIsolation(left, settings));
  if (!opened.ok)
    return failed(
      `Nothing was lifted, because the firewall was not opened: ${opened.reason}.${await undoLift(call, isolation)}`,
      "Fix that, then try again. docs/incidents.md says how to open it by hand.",
    );
  // Retries waiting mail at once, except mail on hold. If the server is down, its start leaves deferred mail until the next scheduled try.
  const isUp = lockHolder(call.layout.startPid) !== null;
  const flushed = await askKeeperIfUp(call, { verb: "flush_mail", ids: [] });
  const rest = left === null ? "The server is no longer isolated." : `Still closed: ${left.shut.join(", ")}.`;
  const says = `Lifted: ${parts.map((one) => OPENED_TEXTS[one]).join("; ")}. ${rest}`;
  const unaudited = await recordStep(call, incident, { step: "recover", says });
  const opensQueue = parts.some((one) => one !== "sign-in");
  const later = isUp || !opensQueue ? "" : `After the start, \`${PROGRAM} queue flush\` retries waiting mail.`;
  const waits = flushed.ok ? later : `Waiting mail could not be retried: ${asSentence(flushed.reason)}`;
  const text = withContacts(call, [joined(" ", [says, waits, unaudited])]);
  const next = flushed.ok || left !== null ? nextCommand(left) : `${PROGRAM} status`;
  return done({ lifted: parts, isolation: left }, text, next);
}

/** Undoes a failed lift, because Postfix may already be open. Returns a sentence if the queue could not be held again. */
async function undoLift(call: Call, isolation: Isolation | null): Promise<string> {
  keepIsolation(call.layout, isolation);
  const held = await askKeeperIfUp(call, { verb: "apply", inForce: true });
  return held.ok ? "" : ` The queue is not held again: ${asSentence(held.reason)}`;
}

/** Asks the keeper. A server that is down needs no request: it accepts no mail, and its start reads the file of the isolation. */
async function askKeeperIfUp(call: Call, command: KeeperCommand): Promise<Outcome> {
  return lockHolder(call.layout.startPid) === null ? { ok: true } : call.keeper.ask(command);
}

function nextCommand(isolation: Isolation | null): string {
  const [first] = isolation?.shut ?? [];
  return first === undefined ? `${PROGRAM} incident report` : `${PROGRAM} incident recover --lift ${first}`;
}
