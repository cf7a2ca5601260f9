import { UNCONFIRMED } from "../../../core/firewall/strict.ts";
import { type FirewallState, firewallState, stateJson } from "../../../daemon/firewall/firewall-state.ts";
import { isStrict } from "../../../settings/is-strict.ts";
import { type CommandCall, type CommandFailure, type CommandOutcome, done, failed, PROGRAM } from "../../call.ts";
import { auditFirewall, firewallTry, refused } from "./begin-strict.ts";
import { shownState } from "./firewall-text.ts";
import { settingsOf, type ValidSettings } from "./server-settings.ts";

const parts = () =>
  Promise.all([
    import("../../../daemon/firewall/strict-file.ts"),
    import("../../../daemon/firewall/strict-table.ts"),
    import("../../../daemon/firewall/sessions.ts"),
  ]);

/** The kernel's openings now, for `firewall` and `status`. */
export async function currentFirewall(call: CommandCall): Promise<FirewallState | CommandFailure> {
  const read = settingsOf(call);
  if (!read.ok) return read;
  if (process.getuid?.() !== 0) return firewallState(read.settings, UNCONFIRMED, null);
  const [{ readStrict }, { listStrict }] = await parts();
  return firewallState(read.settings, readStrict(call.layout), await listStrict());
}

/** `firewall` */
export async function firewall(call: CommandCall): Promise<CommandOutcome> {
  const state = await currentFirewall(call);
  if ("ok" in state) return state;
  const hints: Readonly<Partial<Record<FirewallState["state"], string>>> = {
    trial: `${PROGRAM} firewall confirm  # from a new session`,
    unconfirmed: `${PROGRAM} firewall try`,
    broken: `${PROGRAM} status`,
  };
  return done(stateJson(state), shownState(state), hints[state.state]);
}

/** `firewall try` */
export async function tryFirewall(call: CommandCall): Promise<CommandOutcome> {
  const read = await strictSettings(call);
  return read.ok ? firewallTry(call, read.settings) : read;
}

/**
 * `firewall confirm`: from a connection that has started under the tried firewall, because one that was open before would also
 * last if no new one came through.
 */
export async function confirmFirewall(call: CommandCall): Promise<CommandOutcome> {
  const forbidden = rootOnly();
  if (forbidden !== null) return forbidden;
  const [{ readStrict }, , { callerConnection, openConnections }] = await parts();
  const { trial } = readStrict(call.layout);
  if (trial === null) return failed("Nothing waits for a confirmation.", `\`${PROGRAM} firewall\` shows what is open.`);
  const caller = callerConnection(call.env);
  if (!call.flag("yes")) {
    if (caller === null)
      return failed(
        "This is not a session of SSH, so it does not prove that you can come in.",
        "Run it in a new session; or give --yes, if you can always reach this machine's console.",
      );
    const open = await openConnections([]);
    if (open === null)
      return failed("It was not confirmed: ss(8) does not show which connections are open.", "Try again.");
    if (trial.connections.includes(caller) || !open.includes(caller))
      return failed(
        "This session was opened before the firewall was tried, so it does not prove that you can come in.",
        "Open a new session and run it there, outside of tmux and screen.",
      );
  }
  const kept = await call.keeper.ask({ verb: "firewall_confirm" });
  if (!kept.ok)
    return refused(call, `It was not confirmed: ${kept.reason}`, `Try it again: \`${PROGRAM} firewall try\``);
  const unaudited = await auditFirewall(call, "confirmed", trial.opening);
  return done({ confirmed: true }, `The strict firewall stays.${unaudited}`, `${PROGRAM} firewall`);
}

/** `firewall rollback` */
export async function rollBackFirewall(call: CommandCall): Promise<CommandOutcome> {
  const taken = await call.keeper.ask({ verb: "firewall_rollback" });
  if (!taken.ok)
    return refused(
      call,
      `Nothing was undone: ${taken.reason}`,
      `\`${PROGRAM} config set firewall.mode bans\`, then \`${PROGRAM} config apply\`, opens every port.`,
    );
  const [{ readStrict }] = await parts();
  const unaudited = await auditFirewall(call, "rolled_back", readStrict(call.layout).confirmed);
  return done({ rolledBack: true }, `What was in force before is in force again.${unaudited}`, `${PROGRAM} firewall`);
}

async function strictSettings(call: CommandCall): Promise<ValidSettings | CommandFailure> {
  const forbidden = rootOnly();
  if (forbidden !== null) return forbidden;
  const read = settingsOf(call);
  if (!read.ok) return read;
  if (isStrict(read.settings)) return read;
  return failed(
    "firewall.mode is not strict, so there is nothing to try.",
    `\`${PROGRAM} config set firewall.mode strict\`, then \`${PROGRAM} config apply\`.`,
  );
}

function rootOnly(): CommandFailure | null {
  return process.getuid?.() === 0 ? null : failed("Only root can change the firewall.", `Try: sudo ${PROGRAM} …`);
}
