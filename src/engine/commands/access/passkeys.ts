import { parseIp } from "../../../core/net/ip.ts";
import { isoTime } from "../../../core/time.ts";
import type { Command, CommandError, Reply } from "../../../wire/control/control.ts";
import { ADMINISTRATOR } from "../../access/callers.ts";
import type { Passkeys } from "../../access/passkeys.ts";
import type { Passkey, PasskeyStore } from "../../admin-ports.ts";
import type { Engine } from "../../engine.ts";
import type { Clock, Outcome } from "../../ports.ts";
import { type Rehearsal, recordFirst } from "../record-first.ts";
import { UNWRITTEN } from "../unrecorded.ts";
import { NO_ADDRESS, type WebCaller } from "../web/web.ts";
import type { WebBounds } from "../web/web-bounds.ts";

export type PasskeyCommandParts = Rehearsal &
  Readonly<{
    passkeys: PasskeyStore;
    /** Domains of the dashboard, including their subdomains; the first names the server. */
    names: () => readonly string[];
    engine: Pick<Engine, "audit" | "subject">;
    clock: Clock;
  }>;

type Of<V extends Command["verb"]> = Extract<Command, { readonly verb: V }>;
type By = Readonly<{ caller: WebCaller; by: string }>;

/** Strangers may request one as often as they may sign in. Nothing is stored. */
export function passkeyChallenge(
  { engine }: Pick<PasskeyCommandParts, "engine">,
  keys: Pick<Passkeys, "challenge">,
  bounds: Pick<WebBounds, "mayChallenge">,
  { ip: from }: Of<"passkey_challenge">,
): Reply<"passkey_challenge"> {
  const ip = parseIp(from);
  if (ip === null) return NO_ADDRESS;
  return { ok: true, result: { challenge: bounds.mayChallenge(engine.subject(ip)) ? keys.challenge() : null } };
}

/** Lists and changes passkeys. The last one may be removed: the password remains. */
export async function passkeyCommand(
  parts: PasskeyCommandParts,
  keys: Passkeys,
  command: Of<"passkey_list" | "passkey_begin" | "passkey_add" | "passkey_remove">,
  { caller, by }: By,
): Promise<Reply> {
  const { passkeys, clock, engine, names } = parts;
  const known = passkeys.list();
  switch (command.verb) {
    case "passkey_list":
      return { ok: true, result: { items: known.map(passkeyItem) } };
    case "passkey_begin": {
      const name = `${ADMINISTRATOR} (${names()[0] ?? "GhostInbox"})`;
      const user = passkeys.userHandle(clock.now());
      return {
        ok: true,
        result: { challenge: keys.challengeToMake(caller.digest), name, user, known: known.map(({ id }) => id) },
      };
    }
    case "passkey_add": {
      const name = command.name.trim();
      if (name === "") return no("usage", "A passkey needs a name.");
      const made = keys.checkMade(command, caller.digest);
      if (!made.ok) return no("failed", `The passkey was not accepted. ${made.reason}`);
      const add = (): Outcome => passkeys.add({ ...made.passkey, name, at: clock.now() });
      const added = await recordFirst(parts, add, () => engine.audit({ type: "PASSKEY_ADDED", subject: name, by }));
      if (added === "unwritten") return UNWRITTEN;
      return added.ok ? { ok: true, result: { name } } : no("failed", added.reason);
    }
    case "passkey_remove": {
      const name = known.find(({ id }) => id === command.id)?.name;
      if (name === undefined) return no("failed", "There is no such passkey.");
      if (!(await engine.audit({ type: "PASSKEY_REMOVED", subject: name, by }))) return UNWRITTEN;
      passkeys.remove(command.id);
      return { ok: true, result: { name } };
    }
  }
}

export function passkeyItem({ id, name, createdAt, usedAt }: Passkey) {
  return { id, name, created: isoTime(createdAt), lastUsed: usedAt === null ? null : isoTime(usedAt) };
}

function no(kind: CommandError["kind"], message: string): CommandError {
  return { ok: false, kind, message, next: "" };
}
