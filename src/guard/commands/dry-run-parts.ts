import type { QueuedMail } from "../../admin/declare/keeper.ts";
import type { Keeper, SecretMaker } from "../admin-ports.ts";
import type { CommandParts, DryRunParts } from "./carry-out.ts";

/**
 * The parts of a dry run: they answer as the real ones do, but record nothing, and change nothing outside `accounts.db`, where changes
 * are rolled back (`Rehearsal`).
 */
export function partsOfDryRun(parts: CommandParts): DryRunParts {
  const { credentials, engine, pauses, rehearse, senders, sessions } = parts;
  return {
    ...parts,
    engine: {
      audit: () => Promise.resolve(true),
      policy: engine.policy,
      prefixOf: (ip) => engine.prefixOf(ip),
      ask: (event) => Promise.resolve(engine.decideNetworkEvent(event)),
    },
    isDry: true,
    keeper: keeperOfDryRun(parts.keeper),
    queue: { holdLate: () => undefined, holdSoon: () => undefined },
    secrets: UNHASHED,
    pauses: {
      pauses: (now) => pauses.pauses(now),
      pause: () => undefined,
      resume: (target, now) => pauses.pauses(now).some((pause) => pause.target === target),
    },
    senders: {
      allowedSenders: () => senders.allowedSenders(),
      wouldChange: (...change) => senders.wouldChange(...change),
      allowSender: (account, sender) => senders.wouldChange("allow", account, sender),
      disallowSender: (account, sender) => senders.wouldChange("disallow", account, sender),
    },
    credentials: { ...credentials, revokeToken: (name) => rehearse(() => credentials.revokeToken(name)) },
    sessions: { end: (which) => rehearse(() => sessions.end(which)) },
  };
}

/** Computing a hash takes long, and a dry run stores none. */
const UNHASHED: SecretMaker = {
  make: (asked) => Promise.resolve(asked.map(() => ({ hash: "{ARGON2ID}none", passwordHash: "" }))),
  passwordHashOf: () => "",
};

/**
 * The keeper of a dry run. It answers from the real queue, but only notes orders, so that the command
 * finds the queue as its own orders would leave it. It ends no session. Exported for its test.
 */
export function keeperOfDryRun(keeper: Keeper): Keeper {
  const seen = new Map<string, QueuedMail>();
  const held = new Map<string, QueuedMail>();
  const gone = new Set<string>();
  return {
    ask: async (command) => {
      if (command.verb === "list_mail") return keeper.ask(command);
      if (command.verb === "find_mail") {
        const found = await keeper.ask(command);
        if (!found.ok) return found;
        for (const mail of found.mails ?? []) seen.set(mail.id, mail);
        const there = [...(found.mails ?? []), ...held.values()];
        return { ...found, mails: there.filter(({ id }) => !gone.has(id) && (command.onHold || !held.has(id))) };
      }
      const ids = "ids" in command ? command.ids : [];
      for (const id of ids) {
        const mail = seen.get(id);
        if (command.verb !== "hold_mail") gone.add(id);
        else if (mail !== undefined) held.set(id, { ...mail, isHeld: true });
      }
      return { ok: true, detail: "", count: ids.length };
    },
  };
}
