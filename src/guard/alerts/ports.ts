import type { AlertCode, AlertKind, Severity } from "../../core/alerts/alerts.ts";
import type { AlertEvent } from "../../core/alerts/rules.ts";
import type { Millis } from "../../core/time.ts";
import type { Outcome } from "../ports.ts";

/** The external parts that alerts need. */

/** Committed events by id, a few at a time. Throws if the database cannot be read. */
export interface AlertEvents {
  /** The id of the newest; 0 before the first. */
  last(): number;
  /** The first id at that time or later; without one, the last id plus one. */
  firstSince(at: Millis): number;
  /** The events that matter to alerts, with `after` < id <= `upTo`. */
  between(after: number, upTo: number): readonly AlertEvent[];
}

export type Alert = Readonly<{
  code: AlertCode;
  subject: string;
  detail: string;
  openedAt: Millis;
  /** When the condition was last true. */
  lastAt: Millis;
  /** Null while it is open. */
  resolvedAt: Millis | null;
}>;

/** One message, the same for every channel. Its id is the same at every attempt. */
export type AlertMessage = Readonly<{
  id: string;
  kind: AlertKind;
  at: Millis;
  severity: Severity;
  /** Null for `digest` and `test`, which are not about one alert. */
  code: AlertCode | null;
  subject: string;
  title: string;
  /** What happened, why it matters and what to do: one paragraph each. */
  body: string;
}>;

/**
 * A message in flight. `channel` null: it waits until `dueAt`, when all waiting messages go out as one. `copies`: attempts that reached
 * some services, since the guard started.
 */
export type Delivery = Readonly<{
  message: AlertMessage;
  channel: string | null;
  attempts: number;
  dueAt: Millis;
  copies?: number;
}>;

export type AlertState = Readonly<{ alerts: readonly Alert[]; deliveries: readonly Delivery[] }>;

/** Saves all of it across a restart. Throws if the database cannot be written. */
export interface AlertStore {
  load(): AlertState;
  save(state: AlertState): void;
}

/**
 * The result of a delivery. `waits`: the channel works, but has no recipient yet; the message is kept. `isPartial`: some services behind
 * the receiver have the message, and get it again at each attempt.
 */
export type Sent =
  | Outcome
  | Readonly<{ ok: false; reason: string; waits: true }>
  | Readonly<{ ok: false; reason: string; isPartial: true }>;

/** Where alerts are sent. */
export interface AlertChannel {
  /** Stays the same while the settings do. Contains no secret. */
  readonly name: string;
  /** True if it needs this server's own mail queue, whatever its address: an alert that mail does not flow would wait there too. */
  readonly isLocal?: boolean;
  /** Never rejects, and ends within half a minute. */
  send(message: AlertMessage): Promise<Sent>;
}

/** The service behind the heartbeat. It gets no alerts, so it is only tested. */
export type Watcher = Readonly<{
  name: string;
  send: () => Promise<Outcome>;
  /** Why it has failed several times in a row; null if it has not. */
  failing: () => string | null;
}>;
