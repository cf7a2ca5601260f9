import type { AlertCode, AlertKind, Severity } from "../../core/alerts/alerts.ts";
import type { AlertEvent } from "../../core/alerts/rules.ts";
import type { Millis } from "../../core/time.ts";
import type { Outcome } from "../ports.ts";

/** What alerts need of the outside. */

/** Committed events by id, a few at a time. Throws when the database cannot be read. */
export interface AlertEvents {
  /** The id of the newest; 0 before the first. */
  last(): number;
  /** The first id at that time or later; one past the last if there is none. */
  firstSince(at: Millis): number;
  /** Those that alerts look at, with `after` < id <= `upTo`. */
  between(after: number, upTo: number): readonly AlertEvent[];
}

export type Alert = Readonly<{
  code: AlertCode;
  subject: string;
  detail: string;
  openedAt: Millis;
  /** When the condition last held. */
  lastAt: Millis;
  /** Null while it is open. */
  resolvedAt: Millis | null;
}>;

/** One message, the same to every channel; its id is the same at every attempt too. */
export type AlertMessage = Readonly<{
  id: string;
  kind: AlertKind;
  at: Millis;
  severity: Severity;
  /** `digest` and `test` concern no single one. */
  code: AlertCode | null;
  subject: string;
  title: string;
  /** What happened, why it matters and what to do: a paragraph each. */
  body: string;
}>;

/** A message on its way. `channel` null: it waits to be told until `dueAt`, when all that wait go out as one. */
export type Delivery = Readonly<{
  message: AlertMessage;
  channel: string | null;
  attempts: number;
  dueAt: Millis;
}>;

export type AlertState = Readonly<{ alerts: readonly Alert[]; deliveries: readonly Delivery[] }>;

/** Keeps all of it over a restart. Throws when the database takes nothing. */
export interface AlertStore {
  load(): AlertState;
  save(state: AlertState): void;
}

/** Where an alert is told. */
export interface AlertChannel {
  /** Stays the same while the settings do; holds no secret. */
  readonly name: string;
  /** Never rejects, and ends within half a minute. */
  send(message: AlertMessage): Promise<Outcome>;
}
