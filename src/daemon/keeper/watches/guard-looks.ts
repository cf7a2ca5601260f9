import { SECOND_MS } from "../../../core/time.ts";
import type { ServiceName } from "../../../render/runit.ts";
import type { Repeated } from "../repeat.ts";
import { GuardAlarm, type GuardAlarmParts } from "./guard-alarm.ts";
import { AccountsDbWatch } from "./watch-accounts-db.ts";
import { GuardWatch } from "./watch-guard.ts";

export type GuardLooksParts = Omit<GuardAlarmParts, "takenPort"> &
  Readonly<{
    services: Readonly<{ look: () => void; takenPort: (service: ServiceName) => string | null }>;
    /** Null, or why the service was not reloaded. */
    reload: (service: ServiceName) => Promise<string | null>;
  }>;

/**
 * The guard, the services, and the guard's changes of `accounts.db`. Each has a separate check: none waits for a guard that
 * hangs, for a mail that the disk does not accept, or for a reload.
 */
export function guardLooks({ services, reload, ...parts }: GuardLooksParts): readonly Repeated[] {
  const { layout, say } = parts;
  const watch = new GuardWatch(layout);
  const alarm = new GuardAlarm({ ...parts, takenPort: () => services.takenPort("guard") });
  const accounts = new AccountsDbWatch(layout, reload);
  const guardLook = async (): Promise<void> => {
    const ended = await watch.look();
    if (ended !== null) say(`the guard (pid ${ended}) answered nothing: killed, so that it starts again.`);
  };
  const accountsLook = async (): Promise<void> => {
    for (const failure of await accounts.look()) say(failure);
  };
  return [
    { everyMs: SECOND_MS, failing: "the services could not be looked at", look: () => services.look() },
    { everyMs: SECOND_MS, failing: "the guard could not be looked at", look: guardLook },
    { everyMs: SECOND_MS, failing: "no mail about the guard could be made", look: () => alarm.look(watch.isRunning) },
    { everyMs: SECOND_MS, failing: "accounts.db could not be looked at", look: accountsLook },
  ];
}
