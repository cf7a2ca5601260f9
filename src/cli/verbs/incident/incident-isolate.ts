import { type Isolation, SHUT } from "../../../core/incident/isolation.ts";
import { hostPrefix, type Prefix, parseIp, parsePrefix } from "../../../core/net/ip.ts";
import { shown } from "../../../core/shown.ts";
import { instant, isoTime } from "../../../core/time.ts";
import { lockHolder } from "../../../daemon/set-up/running/lock.ts";
import type { Outcome } from "../../../engine/ports.ts";
import {
  type CommandCall,
  type CommandFailure,
  type CommandOutcome,
  done,
  failed,
  PROGRAM,
  wrongUsage,
} from "../../call.ts";
import { agrees } from "../../confirm.ts";
import { oneLine } from "../../print/text.ts";
import { settingsOf } from "../settings/server-settings.ts";
import { isFailure, openIncidentOf, take, withContacts } from "./the-incident.ts";

const parts = () =>
  Promise.all([
    import("../../../daemon/incident/isolation.ts"),
    import("../../../daemon/firewall/sessions.ts"),
    import("../../../daemon/firewall/wanted.ts"),
  ]);

const USUAL_SSH = [22];

/** `incident isolate`: the firewall first, so that no one comes in while the rest is done. */
export async function incidentIsolate(call: CommandCall): Promise<CommandOutcome> {
  const incident = await openIncidentOf(call, "incident isolate");
  if (isFailure(incident)) return incident;
  const read = settingsOf(call);
  if (!read.ok) return read;
  const [{ keepIsolation, readIsolation, shutOut }, { callerConnection, ownPortOf, peerOf }, { sshPorts }] =
    await parts();
  const named = allowedFrom(call);
  if ("ok" in named) return named;
  const isSshShut = call.flag("shut-ssh");
  // It may be that of an earlier session (tmux(1)): with SSH closed too, only named addresses count.
  const session = isSshShut ? null : callerConnection(call.env);
  const own = peerOf(session);
  const present = readIsolation(call.layout);
  const allow = [...new Set([...(present?.allow ?? []), ...(own === null ? [] : [own]), ...named])];
  const next = "Name your address: --allow ADDRESS";
  if (isSshShut && named.length === 0) return wrongUsage("With --shut-ssh you must name who still comes in.", next);
  const found = isSshShut ? [] : await sshPorts(ownPortOf(session));
  if (found.length === 0 && allow.length === 0)
    return wrongUsage("No SSH server was found here, so you might lock yourself out too.", next);
  const ssh = isSshShut || found.length > 0 ? found : USUAL_SSH;
  const who = allow.length === 0 ? "no one, but SSH stays open" : allow.map(shown).join(", ");
  const ports = ssh.length === 0 ? "" : ` (SSH stays open for all on port ${ssh.join(", ")})`;
  const question = `Disconnect the server? Mail in both directions waits in the queue, and this server is reached by ${who}${ports}.`;
  if (!call.flag("yes") && !(await agrees(call, question)))
    return call.terminal.interactive
      ? failed("Nothing was isolated.", "")
      : wrongUsage("No terminal to ask on: nothing was isolated.", "Give --yes if that is what you want.");
  const isolation: Isolation = { incident: incident.id, since: isoTime(instant(call.now())), allow, ssh, shut: SHUT };
  // The file first: if this is interrupted, the keeper or the next start shuts the world out.
  keepIsolation(call.layout, isolation);
  const shut = await shutOut(isolation, read.settings);
  if (!shut.ok) {
    keepIsolation(call.layout, present);
    return failed(`Nothing was isolated: ${shut.reason}.`, "Without the firewall only `stop` disconnects the server.");
  }
  // A server that is down takes no mail, and starts isolated.
  const isDown = lockHolder(call.layout.startPid) === null;
  const applied: Outcome = isDown ? { ok: true } : await call.keeper.ask({ verb: "apply" });
  const queue = applied.ok
    ? "mail waits in the queue in both directions"
    : `the queue could not be held (${applied.reason}), but no mail leaves to port 25`;
  const says = `The server was isolated: only ${who}; ${queue}.`;
  const unaudited = await take(call, incident, { step: "isolate", says, lines: allow });
  const text = `${says} It stays isolated over restarts until you lift it. Alerts by mail wait too; other channels still work.\n${unaudited}`;
  if (!applied.ok)
    return failed(text.trim(), `Settle that, then \`${PROGRAM} incident isolate\` again, or \`${PROGRAM} stop\`.`);
  return done(isolation, withContacts(call, text.trim()), `${PROGRAM} incident assess`);
}

/** `--allow A,B` */
function allowedFrom(call: CommandCall): readonly Prefix[] | CommandFailure {
  const words = (call.option("allow") ?? "").split(/[\s,]+/).filter((word) => word !== "");
  const prefixes: Prefix[] = [];
  for (const word of words) {
    const ip = parseIp(word);
    const prefix = ip === null ? parsePrefix(word) : hostPrefix(ip);
    if (prefix === null)
      return wrongUsage(`"${oneLine(word)}" is not an address or network.`, "Write it like 198.51.100.65.");
    prefixes.push(prefix);
  }
  return prefixes;
}
