import type { Recipient } from "../core/event.ts";
import type { Ip } from "../core/ip.ts";
import type { Policy } from "../core/policy.ts";
import { isProvider } from "../core/provider.ts";
import type { Millis } from "../core/time.ts";
import type { Acquaintance, Clock } from "./ports.ts";

/** People to whom an account of this server has written. */
export interface Correspondents {
  isCorrespondent(address: string): boolean;
}

export type GreylistPause = Readonly<{ target: string; until: Millis; by: string }>;

/** Recipients who wait for a mail of a stranger just now. Writers throw when the database takes nothing. */
export interface GreylistPauses {
  pause(pause: GreylistPause): void;
  /** False if there was none. */
  resume(target: string, now: Millis): boolean;
  pauses(now: Millis): readonly GreylistPause[];
  /** Whether one of them is for the recipient, or for whom its mail goes to. */
  isPaused(recipient: string, now: Millis): boolean;
}

export type AcquaintanceParts = Readonly<{
  policy: () => Policy;
  pools: Readonly<{ includes(ip: Ip): boolean }>;
  correspondents: Correspondents;
  pauses: GreylistPauses;
  clock: Clock;
}>;

/** Tells first contacts from those whom greylisting would only annoy. What cannot be read delays nobody. */
export function createAcquaintance(parts: AcquaintanceParts): Acquaintance {
  return {
    isFirstContact: (event) => {
      try {
        return !isExpected(parts, event);
      } catch {
        return false;
      }
    },
  };
}

function isExpected({ policy, pools, correspondents, pauses, clock }: AcquaintanceParts, event: Recipient): boolean {
  return (
    isProvider(policy(), event.clientName) ||
    pools.includes(event.ip) ||
    (event.sender !== "" && correspondents.isCorrespondent(event.sender)) ||
    (event.recipient !== null && pauses.isPaused(event.recipient, clock.now()))
  );
}
