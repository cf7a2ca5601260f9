import { beyond, type Door, isNothing, type Opening } from "../../../core/firewall/strict.ts";
import { formatDuration, SECOND_MS } from "../../../core/time.ts";
import { lockHolder } from "../../../daemon/set-up/running/lock.ts";
import { isStrict } from "../../../settings/is-strict.ts";
import type { Settings } from "../../../settings/schema.ts";
import type { FIREWALL_STEPS } from "../../../wire/control/control.ts";
import type { ListeningDoor } from "../../../wire/kernel/ss-doors.ts";
import { type CommandCall, type CommandFailure, type CommandOutcome, done, failed, PROGRAM } from "../../call.ts";
import { agrees } from "../../confirm.ts";
import { notRunning } from "../../no-server.ts";
import { oneLine } from "../../print/text.ts";

const strictFirewall = () => import("../../../daemon/firewall/wanted.ts");
const sessions = () => import("../../../daemon/firewall/sessions.ts");
const strictFile = () => import("../../../daemon/firewall/strict-file.ts");

/** Settings from which the strict firewall follows. */
const CHANGES = /^(?:firewall\.|ports\.|http\.address$|proxy\.networks$)/;

type Agreed = Readonly<{ ok: true; begins: boolean }>;

/** Asks for agreement if changed settings close a port that is open now. */
export async function confirmStrict(
  call: CommandCall,
  settings: Settings,
  changed: readonly string[],
): Promise<CommandFailure | Agreed> {
  if (!isStrict(settings) || !changed.some((key) => CHANGES.test(key))) return { ok: true, begins: false };
  const opening = await plannedOpening(call, settings);
  const { confirmed } = (await strictFile()).readStrict(call.layout);
  if (confirmed !== null && isNothing(beyond(confirmed, opening))) return { ok: true, begins: false };
  const says = await announced(opening, confirmed, settings);
  if (call.flag("yes")) {
    call.terminal.err(says);
    return { ok: true, begins: true };
  }
  if (!call.terminal.interactive)
    return failed(`Nothing was applied: ${says}`, `\`${PROGRAM} config apply --yes\` applies it without a question.`);
  return (await agrees(call, `${says} Start?`))
    ? { ok: true, begins: true }
    : failed("Nothing was applied.", `\`${PROGRAM} config set firewall.mode bans\` leaves every port open.`);
}

/** `firewall try`: the settings in force are tried again. */
export async function firewallTry(call: CommandCall, settings: Settings): Promise<CommandOutcome> {
  const { confirmed } = (await strictFile()).readStrict(call.layout);
  const says = await announced(await plannedOpening(call, settings), confirmed, settings);
  if (call.flag("yes")) call.terminal.err(says);
  else if (!call.terminal.interactive)
    return failed(`Nothing was started: ${says}`, `\`${PROGRAM} firewall try --yes\` starts without a question.`);
  else if (!(await agrees(call, `${says} Start?`))) return failed("Nothing was started.", "");
  return beginTrial(call);
}

/** The keeper tries the strict firewall of the settings in force. */
export async function beginTrial(call: CommandCall): Promise<CommandOutcome> {
  const began = await call.keeper.ask({ verb: "firewall_try", session: await sessionPort(call) });
  if (!began.ok)
    return refused(call, `The firewall was not changed: ${began.reason}`, `\`${PROGRAM} status\` shows more.`);
  const { confirmed, trial } = (await strictFile()).readStrict(call.layout);
  const seconds = began.count ?? null;
  if (seconds === null) {
    const unaudited = await auditFirewall(call, "confirmed", confirmed);
    return done({ confirmWithinSeconds: null }, began.detail + unaudited, `${PROGRAM} firewall`);
  }
  const unaudited = await auditFirewall(call, "tried", trial?.opening ?? confirmed);
  const within = formatDuration(seconds * SECOND_MS);
  return done(
    { confirmWithinSeconds: seconds },
    `The strict firewall is tried. Leave this session open, open a NEW one within ${within} and run \`${PROGRAM} firewall confirm\` there; otherwise it is undone.${unaudited}`,
    `${PROGRAM} firewall confirm  # from a new session`,
  );
}

/** What the keeper did not do. It does nothing while the server is stopped. */
export function refused({ layout }: CommandCall, says: string, next: string): CommandFailure {
  return lockHolder(layout.startPid) === null ? notRunning(layout) : failed(says.replace(/\.?$/, "."), next);
}

/** Records it. `opening`: the ports accepted since; null: every port. Returns a sentence if it could not be recorded. */
export async function auditFirewall(
  call: CommandCall,
  step: (typeof FIREWALL_STEPS)[number],
  opening: Opening | null,
): Promise<string> {
  const says = opening === null ? "every port" : shownOpening(opening);
  const kept = await call.guard.ask<"firewall_changed">({
    verb: "firewall_changed",
    step,
    opening: says.slice(0, 480),
  });
  return kept.ok ? "" : ` The audit has no record of it: ${kept.message}`;
}

async function plannedOpening(call: CommandCall, settings: Settings): Promise<Opening> {
  const { sshDoors, wantedOpening } = await strictFirewall();
  return wantedOpening(settings, await sshDoors(await sessionPort(call)));
}

/** The port of the caller's session of SSH; null outside of one. */
async function sessionPort({ env }: CommandCall): Promise<number | null> {
  const { callerConnection, ownPortOf } = await sessions();
  return ownPortOf(callerConnection(env));
}

/** The ports that will be open, those that listen and will be closed, and what happens without a confirmation. */
async function announced(opening: Opening, confirmed: Opening | null, settings: Settings): Promise<string> {
  const shut = await (await strictFirewall()).wouldBeShut(opening);
  const within = formatDuration(settings["firewall.confirm_within"]);
  const back =
    confirmed === null ? "every port is open again" : `what is open now stays open (${shownOpening(confirmed)})`;
  return [
    `The firewall will accept ${shownOpening(opening)}, and ICMP and DHCP; nothing else.`,
    shut.length === 0 ? "Nothing else listens here now." : `Open now, and closed by it: ${shownListening(shut)}.`,
    `Unless it is confirmed from a new session within ${within}, ${back}.`,
  ].join(" ");
}

export function shownOpening({ doors, trusted }: Opening): string {
  const all = trusted.length === 0 ? [] : [`everything from ${trusted.join(", ")}`];
  const some = doors.length === 0 ? ["no port"] : doors.map(shownDoor);
  return [...some, ...all].join(", ");
}

/** `22/tcp4` is `22/tcp (IPv4)`. */
export function shownDoor(door: Door): string {
  return door.replace(/([46])$/, " (IPv$1)");
}

function shownListening(found: readonly ListeningDoor[]): string {
  const said = found.map(
    ({ door, programs }) =>
      `${shownDoor(door).replace(/ .*/, "")} (${programs.length === 0 ? "the kernel" : oneLine(programs.join(", "))})`,
  );
  return [...new Set(said)].join(", ");
}
