import type { CommandOf } from "../../../../admin/declare/control.ts";
import type { KeeperReply } from "../../../../admin/declare/keeper.ts";
import { beyond, type Door, isNothing, type Opening, UNCONFIRMED } from "../../../../core/firewall/strict.ts";
import type { Isolation } from "../../../../core/incident/incident.ts";
import { asSentence } from "../../../../core/text.ts";
import { formatDuration, SECOND_MS } from "../../../../core/time.ts";
import { type FirewallState, firewallState, stateJson } from "../../../../host/firewall/firewall-state.ts";
import { readIsolation } from "../../../../host/firewall/isolation.ts";
import {
  callerConnection,
  openConnections,
  ownPortOf,
  requiredOpening,
  sshDoors,
  wouldBeShut,
} from "../../../../host/firewall/opening.ts";
import { listStrict, readStrict } from "../../../../host/firewall/strict.ts";
import type { ListeningDoor } from "../../../../host/kernel/listeners.ts";
import { lockHolder } from "../../../../host/running/data-directory.ts";
import { isStrict } from "../../../../settings/ports.ts";
import type { Settings } from "../../../../settings/schema.ts";
import { type Answer, agrees, type Call, done, type Failure, failed, PROGRAM } from "../../call.ts";
import { notRunning } from "../../not-running.ts";
import { firstFew, oneLine } from "../../print/text.ts";
import { settingsOf, withSettings } from "../../server-settings.ts";

/** The kernel's openings now, for `firewall` and `status`. */
export async function currentFirewall(call: Call): Promise<FirewallState | Failure> {
  const read = settingsOf(call);
  if (!read.ok) return read;
  if (process.getuid?.() !== 0) return firewallState(read.settings, UNCONFIRMED, null);
  return firewallState(read.settings, readStrict(call.layout), await listStrict());
}

export async function firewall(call: Call): Promise<Answer> {
  const state = await currentFirewall(call);
  if ("ok" in state) return state;
  const hints: Readonly<Partial<Record<FirewallState["state"], string>>> = {
    trial: `${PROGRAM} firewall confirm  # from a new session`,
    unconfirmed: `${PROGRAM} firewall try`,
    broken: `${PROGRAM} status`,
  };
  return done(stateJson(state), shownState(state, readIsolation(call.layout)), hints[state.state]);
}

export const firewallTry = withSettings(async (call, { settings }) => {
  if (!isStrict(settings))
    return failed(
      "firewall.mode is not strict, so there is nothing to try.",
      `\`${PROGRAM} config set firewall.mode strict\`, then \`${PROGRAM} config apply\`.`,
    );
  const { confirmed } = readStrict(call.layout);
  const says = await announcement(await plannedOpening(call, settings), confirmed, settings);
  const unsure = await whyNotToTry(call, says, {
    nothing: "Nothing was started",
    unasked: `\`${PROGRAM} firewall try --yes\` starts without a question.`,
    otherwise: "",
  });
  return unsure ?? beginTrial(call);
});

/** Announces the trial and asks; null if it may start. */
async function whyNotToTry(
  call: Call,
  says: string,
  { nothing, unasked, otherwise }: Readonly<Record<"nothing" | "unasked" | "otherwise", string>>,
): Promise<Failure | null> {
  if (call.flag("yes")) {
    call.terminal.err(says);
    return null;
  }
  if (!call.terminal.interactive) return failed(`${nothing}: ${says}`, unasked);
  return (await agrees(call, `${says} Start?`)) ? null : failed(`${nothing}.`, otherwise);
}

/**
 * `firewall confirm`: only from a connection that was opened during the trial, because an older one would survive even if no new one
 * could get through.
 */
export async function firewallConfirm(call: Call): Promise<Answer> {
  const { trial } = readStrict(call.layout);
  if (trial === null) return failed("No confirmation is pending.", `\`${PROGRAM} firewall\` shows what is open.`);
  if (!call.flag("yes")) {
    const caller = callerConnection(call.env);
    if (caller === null)
      return failed(
        "This is not an SSH session, so it does not prove that you can get in.",
        "Run it in a new session; or give --yes, if you can always reach this machine's console.",
      );
    const open = await openConnections([]);
    if (open === null)
      return failed("It was not confirmed: ss(8) does not show which connections are open.", "Try again.");
    if (trial.connections.includes(caller) || !open.includes(caller))
      return failed(
        "This session was opened before the firewall was tried, so it does not prove that you can get in.",
        "Open a new session and run it there, outside of tmux and screen.",
      );
  }
  const kept = await call.keeper.ask({ verb: "firewall_confirm" });
  if (!kept.ok) return keeperFailure(call, kept, "It was not confirmed", `Try it again: \`${PROGRAM} firewall try\``);
  const unaudited = await auditFirewall(call, "FIREWALL_CONFIRMED", trial.opening);
  return done({ confirmed: true }, `The strict firewall stays.${unaudited}`, `${PROGRAM} firewall`);
}

export async function firewallRollback(call: Call): Promise<Answer> {
  const taken = await call.keeper.ask({ verb: "firewall_rollback" });
  if (!taken.ok)
    return keeperFailure(
      call,
      taken,
      "Nothing was undone",
      `\`${PROGRAM} config set firewall.mode bans\`, then \`${PROGRAM} config apply\`, opens every port.`,
    );
  const { confirmed } = readStrict(call.layout);
  const unaudited = await auditFirewall(call, "FIREWALL_ROLLED_BACK", confirmed);
  return done({ rolledBack: true }, `The previous firewall is in force again.${unaudited}`, `${PROGRAM} firewall`);
}

/** The state in one line, including an isolation, whose table takes precedence. */
export function shownState({ state, open, remainingS, faults }: FirewallState, isolation: Isolation | null): string {
  const lets = open === null ? "every port is open" : `open: ${shownOpening(open)}`;
  const texts: Readonly<Record<typeof state, string>> = {
    off: "Firewall: off (firewall.enabled); every port is open.",
    bans: "Firewall: mode bans; banned addresses are dropped, and every port is open to others.",
    trial: `Firewall: mode strict, AWAITING CONFIRMATION for another ${formatDuration((remainingS ?? 0) * SECOND_MS)} (\`${PROGRAM} firewall confirm\` from a new session); ${lets}.`,
    confirmed: `Firewall: mode strict; ${lets}.`,
    unconfirmed: `Firewall: mode strict is set but NOT IN FORCE, because it was not confirmed (\`${PROGRAM} firewall try\`); ${lets}.`,
    broken: `Firewall: its table inet ghostinbox_strict was changed (${oneLine(firstFew(faults))}); ${lets}.`,
    unknown: "Firewall: which ports are open cannot be read: that needs root, nft and CAP_NET_ADMIN.",
  };
  const closed = isolation === null ? "" : ` But the server is isolated; closed: ${isolation.shut.join(", ")}.`;
  return `${texts[state]}${closed}`;
}

/** Settings that determine the strict firewall. */
const FIREWALL_SETTINGS = /^(?:firewall\.|ports\.|http\.address$|proxy\.networks$)/;

export async function confirmStrict(
  call: Call,
  settings: Settings,
  changed: readonly string[],
): Promise<Failure | Readonly<{ ok: true; begins: boolean }>> {
  if (!isStrict(settings) || !changed.some((key) => FIREWALL_SETTINGS.test(key))) return { ok: true, begins: false };
  const opening = await plannedOpening(call, settings);
  const { confirmed } = readStrict(call.layout);
  if (confirmed !== null && isNothing(beyond(confirmed, opening))) return { ok: true, begins: false };
  const unsure = await whyNotToTry(call, await announcement(opening, confirmed, settings), {
    nothing: "Nothing was applied",
    unasked: `\`${PROGRAM} config apply --yes\` applies it without a question.`,
    otherwise: `\`${PROGRAM} config set firewall.mode bans\` leaves every port open.`,
  });
  return unsure ?? { ok: true, begins: true };
}

/** Lets the keeper start a trial of the strict firewall of the settings in force. */
export async function beginTrial(call: Call): Promise<Answer> {
  const began = await call.keeper.ask({ verb: "firewall_try", session: sessionPort(call) });
  if (!began.ok) return keeperFailure(call, began, "The firewall was not changed", `\`${PROGRAM} status\` shows more.`);
  const { confirmed, trial } = readStrict(call.layout);
  const seconds = began.count ?? null;
  if (seconds === null) {
    const unaudited = await auditFirewall(call, "FIREWALL_CONFIRMED", confirmed);
    return done({ confirmWithinSeconds: null }, began.detail + unaudited, `${PROGRAM} firewall`);
  }
  const unaudited = await auditFirewall(call, "FIREWALL_TRIED", trial?.opening ?? confirmed);
  const within = formatDuration(seconds * SECOND_MS);
  const text = `The strict firewall is on trial. Leave this session open, open a NEW one within ${within} and run \`${PROGRAM} firewall confirm\` there; otherwise it is undone.${unaudited}`;
  return done({ confirmWithinSeconds: seconds }, text, `${PROGRAM} firewall confirm  # from a new session`);
}

/** The failure if the keeper refuses or, while the server is stopped, does not run. */
function keeperFailure(
  { layout }: Call,
  { reason, mayBeDone }: Extract<KeeperReply, { ok: false }>,
  says: string,
  next: string,
): Failure {
  if (lockHolder(layout.startPid) === null) return notRunning(layout);
  const because = asSentence(reason);
  return mayBeDone === true
    ? failed(`It may still take effect: ${because}`, `\`${PROGRAM} firewall\` shows what is in force.`)
    : failed(`${says}: ${because}`, next);
}

/** Records the change in the audit. `opening`: the open ports; null for every port. Returns a sentence if that failed. */
async function auditFirewall(
  call: Call,
  type: Extract<CommandOf<"record">["type"], `FIREWALL_${string}`>,
  opening: Opening | null,
): Promise<string> {
  const says = opening === null ? "every port" : shownOpening(opening);
  const kept = await call.guard.ask({ verb: "record", type, subject: says.slice(0, 480) });
  return kept.ok ? "" : ` The audit has no record of it: ${kept.message}`;
}

async function plannedOpening(call: Call, settings: Settings): Promise<Opening> {
  return requiredOpening(settings, await sshDoors(sessionPort(call)));
}

/** The port of the caller's SSH session; null if there is none. */
function sessionPort({ env }: Call): number | null {
  return ownPortOf(callerConnection(env));
}

/** Announces the ports that will be open, listening ports that will be closed, and what happens without a confirmation. */
async function announcement(opening: Opening, confirmed: Opening | null, settings: Settings): Promise<string> {
  const shut = await wouldBeShut(opening);
  const within = formatDuration(settings["firewall.confirm_within"]);
  const back =
    confirmed === null ? "every port is open again" : `what is open now stays open (${shownOpening(confirmed)})`;
  return [
    `The firewall will accept ${shownOpening(opening)}, and ICMP and DHCP; nothing else.`,
    shut.length === 0 ? "Nothing else listens here now." : `It closes these open ports: ${shownListening(shut)}.`,
    `Unless it is confirmed from a new session within ${within}, ${back}.`,
  ].join(" ");
}

export function shownOpening({ doors, trusted }: Opening): string {
  const all = trusted.length === 0 ? [] : [`everything from ${trusted.join(", ")}`];
  const some = doors.length === 0 ? ["no port"] : doors.map(shownDoor);
  return [...some, ...all].join(", ");
}

/** Prints `22/tcp4` as `22/tcp (IPv4)`. */
function shownDoor(door: Door): string {
  return door.replace(/([46])$/, " (IPv$1)");
}

function shownListening(found: readonly ListeningDoor[]): string {
  const said = found.map(
    ({ door, programs }) =>
      `${shownDoor(door).replace(/ .*/, "")} (${programs.length === 0 ? "the kernel" : oneLine(programs.join(", "))})`,
  );
  return [...new Set(said)].join(", ");
}
