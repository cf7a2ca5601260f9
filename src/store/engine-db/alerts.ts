import type { DatabaseSync, StatementSync } from "node:sqlite";
import { callersIp, mailboxOf } from "../../admin/declare/rights.ts";
import { isAlertCode, type Severity } from "../../core/alerts/alerts.ts";
import { ALERT_EVENT_TYPES, type AlertEvent } from "../../core/alerts/rules.ts";
import { EVENT_TYPES, type EventType, typesWhere } from "../../core/events/event-types.ts";
import { type Ip, isLoopback, neighbourhoodOf, networkAddress, overlaps, parseIp } from "../../core/net/ip.ts";
import { DAY_MS, isoTime, later, type Millis } from "../../core/time.ts";
import type { Alert, AlertEvents, AlertMessage, AlertState, AlertStore, Delivery } from "../../guard/alerts/ports.ts";
import {
  integer,
  integerOrNull,
  millis,
  millisOrNull,
  oneOf,
  prefix,
  type Row,
  TOOK_EFFECT,
  text,
  textOrNull,
} from "../columns.ts";
import { EventIds } from "../events/event-ids.ts";
import { type Prepared, prepared, together } from "../transactions.ts";

const KNOWN_PLACE = { isNewNetwork: false, isFirst: false };

/** Types whose subject the alert names; for an alias also its new targets. */
const NAMED: readonly EventType[] = [
  "TOKEN_CREATED",
  "SETTINGS_APPLIED",
  "FACTOR_ADDED",
  "FACTOR_REMOVED",
  "RECOVERY_CODES_MADE",
  "RECOVERY_CODE_USED",
  "PASSKEY_ADDED",
  "PASSKEY_REMOVED",
  "PASSKEY_REFUSED",
  ...typesWhere(({ alert }) => alert?.isNamed === true),
];

/** Changes that are critical from a new network. Other types may come in floods, and looking each up would cost too much. */
const CHANGES: readonly EventType[] = [
  ...NAMED.filter((type) => type !== "RECOVERY_CODE_USED"),
  ...typesWhere(({ alert }) => alert !== undefined && alert.isUsualAway !== true),
];

/** The events that alerts consider. Shares the guard's connection; 300 ids take about a millisecond. */
export class SqliteAlertEvents implements AlertEvents {
  readonly #ids: EventIds;
  readonly #sql;
  readonly #dashboard: DashboardNetworks;

  constructor(db: DatabaseSync) {
    this.#ids = new EventIds(db);
    this.#dashboard = new DashboardNetworks(db);
    this.#sql = prepared(db, {
      known: "SELECT prefix FROM known_address WHERE lower(account) = lower(?) AND first_at < ?",
      familiar: `
        SELECT prefix FROM known_address WHERE lower(account) = lower(?1) AND (first_at < ?2 OR first_at =
          (SELECT min(first_at) FROM known_address WHERE lower(account) = lower(?1)))`,
      between: `
        SELECT id, at, type, prefix, account, proof, reason, verdict, service, offence, count, limit_count, window_ms,
          limit_key, actor, iif(type IN (${NAMED.map((type) => `'${type}'`).join()}), json_extract(rest, '$.subject') || coalesce(
            ' to ' || (SELECT group_concat(value, ', ') FROM json_each(event.rest, '$.targets')), ''),
            iif(type = 'EMAIL_BOUNCED', coalesce(json_extract(rest, '$.alias'), recipient), NULL)) AS subject,
          iif(type = 'EMAIL_HELD', coalesce(json_extract(rest, '$.recipientCount'), 1), NULL) AS recipients,
          type LIKE 'LOGIN%' AND NOT EXISTS (
            SELECT 1 FROM known_address AS known
            WHERE known.prefix = event.prefix AND lower(known.account) = lower(event.account) AND known.first_at < event.at
          ) AS is_new_place,
          type LIKE 'LOGIN%' AND EXISTS (
            SELECT 1 FROM known_address AS known WHERE lower(known.account) = lower(event.account)
          ) AS is_known_account
        FROM event
        WHERE id > ? AND id <= ? AND type IN (${ALERT_EVENT_TYPES.map((type) => `'${type}'`).join()})
          AND ${TOOK_EFFECT} ORDER BY id`,
    });
  }

  last(): number {
    return this.#ids.last();
  }

  firstSince(at: Millis): number {
    return this.#ids.firstSince(at);
  }

  between(after: number, upTo: number): readonly AlertEvent[] {
    return this.#sql.between.all(after, upTo).map((row) => ({
      ...this.#placeOf(row),
      id: integer(row["id"]),
      at: millis(row["at"]),
      type: eventType(row["type"]),
      prefix: row["prefix"] === null ? null : prefix(row["prefix"]),
      account: textOrNull(row["account"]),
      proof: textOrNull(row["proof"]),
      reason: textOrNull(row["reason"]),
      verdict: textOrNull(row["verdict"]),
      service: textOrNull(row["service"]),
      offence: integerOrNull(row["offence"]),
      count: integerOrNull(row["count"]),
      limit: integerOrNull(row["limit_count"]),
      windowMs: integerOrNull(row["window_ms"]),
      limitKey: textOrNull(row["limit_key"]),
      recipients: integerOrNull(row["recipients"]),
      actor: textOrNull(row["actor"]),
      subject: textOrNull(row["subject"]),
      isNewPlace: row["is_new_place"] === 1,
      isKnownAccount: row["is_known_account"] === 1,
    }));
  }

  /** Changes and sign-ins in new places are rare: only for them are the caller's earlier networks read. */
  #placeOf(row: Row): Pick<AlertEvent, "isNewNetwork" | "isFirst"> {
    if (row["type"] === "SECOND_FACTOR_ASKED") {
      const ip = callersIp(text(row["actor"]));
      return { ...KNOWN_PLACE, isNewNetwork: ip !== null && this.#dashboard.isNew(ip, millis(row["at"])) };
    }
    if (CHANGES.includes(eventType(row["type"])))
      return { ...KNOWN_PLACE, isNewNetwork: !this.#isFamiliar(textOrNull(row["actor"]) ?? "", millis(row["at"])) };
    if (row["type"] !== "LOGIN_SUCCEEDED" || row["is_new_place"] !== 1 || row["prefix"] === null) return KNOWN_PLACE;
    const network = neighbourhoodOf(networkAddress(prefix(row["prefix"])), 48);
    const known = this.#sql.known
      .all(textOrNull(row["account"]), millis(row["at"]))
      .map((one) => prefix(one["prefix"]));
    return { isNewNetwork: !known.some((one) => overlaps(network, one)), isFirst: known.length === 0 };
  }

  /** Whether the caller's network has been used for a day, or was the first. Loopback hides it: it is root, a tunnel or a proxy. */
  #isFamiliar(actor: string, at: Millis): boolean {
    const ip = callersIp(actor);
    if (ip === null || isLoopback(ip)) return true;
    const user = mailboxOf(actor);
    if (user === null) return this.#dashboard.isFamiliar(actor, ip, at);
    const network = neighbourhoodOf(ip, 48);
    const places = this.#sql.familiar.all(user, later(at, -DAY_MS)).map((one) => prefix(one["prefix"]));
    return places.some((one) => overlaps(network, one));
  }
}

/**
 * Alerts and their deliveries in flight. There are few, so all are written each time: the tables hold one moment's
 * state. Shares the guard's connection: call it between transactions.
 */
export class SqliteAlertStore implements AlertStore {
  readonly #db: DatabaseSync;
  readonly #sql: Prepared<typeof SQL>;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#sql = prepared(db, SQL);
  }

  load(): AlertState {
    const alerts = this.#sql.alerts.all().flatMap((row) => readAlert(row) ?? []);
    return { alerts, deliveries: this.#sql.deliveries.all().map(readDelivery) };
  }

  save({ alerts, deliveries }: AlertState): void {
    together(this.#db, () => {
      this.#db.exec("DELETE FROM alert; DELETE FROM alert_delivery; DELETE FROM alert_message");
      for (const { code, subject, detail, openedAt, lastAt, resolvedAt } of alerts)
        this.#sql.addAlert.run(code, subject, detail, openedAt, lastAt, resolvedAt);
      const messages = new Map(deliveries.map(({ message }) => [message.id, message]));
      for (const { id, kind, at, severity, code, subject, title, body } of messages.values())
        this.#sql.addMessage.run(id, kind, at, severity, code, subject, title, body);
      for (const { message, channel, attempts, dueAt } of deliveries)
        this.#sql.addDelivery.run(message.id, channel, attempts, dueAt);
    });
  }
}

/** Null for an alert that this version does not know. */
function readAlert(row: Row): Alert | null {
  const code = text(row["code"]);
  if (!isAlertCode(code)) return null;
  return {
    code,
    subject: text(row["subject"]),
    detail: text(row["detail"]),
    openedAt: millis(row["opened_at"]),
    lastAt: millis(row["last_at"]),
    resolvedAt: millisOrNull(row["resolved_at"]),
  };
}

function readDelivery(row: Row): Delivery {
  const code = textOrNull(row["code"]);
  const message: AlertMessage = {
    id: text(row["id"]),
    kind: oneOf(KINDS, row["kind"]),
    at: millis(row["at"]),
    severity: oneOf(SEVERITIES, row["severity"]),
    code: code !== null && isAlertCode(code) ? code : null,
    subject: text(row["subject"]),
    title: text(row["title"]),
    body: text(row["body"]),
  };
  return {
    message,
    channel: textOrNull(row["channel"]),
    attempts: integer(row["attempts"]),
    dueAt: millis(row["due_at"]),
  };
}

const KINDS: readonly AlertMessage["kind"][] = ["opened", "resolved", "digest", "test"];
const SEVERITIES: readonly Severity[] = ["info", "warning", "critical"];

function eventType(value: unknown): EventType {
  return oneOf(EVENT_TYPES, value);
}

const SQL = {
  alerts: "SELECT * FROM alert ORDER BY rowid",
  deliveries: `
    SELECT alert_message.*, channel, attempts, due_at FROM alert_delivery
    JOIN alert_message ON alert_message.id = alert_delivery.message ORDER BY alert_delivery.rowid`,
  addAlert: `
    INSERT INTO alert (code, subject, detail, opened_at, last_at, resolved_at) VALUES (?, ?, ?, ?, ?, ?)`,
  addMessage: `
    INSERT INTO alert_message (id, kind, at, severity, code, subject, title, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  addDelivery: "INSERT INTO alert_delivery (message, channel, attempts, due_at) VALUES (?, ?, ?, ?)",
};

/** How many of the newest entries are searched: more than a year of an owner's sign-ins. */
const ENTRIES = 10_000;

/** A thief's own sign-in must not make the thief's network familiar. */
const FAMILIAR_AFTER_MS = DAY_MS;

type Came = Readonly<{ ip: Ip; at: string }>;

/** Networks from which the administrator has signed in to the dashboard and tokens have acted, by the audit. Shares the guard's connection. */
export class DashboardNetworks {
  readonly #signIns: StatementSync;
  readonly #acts: StatementSync;

  constructor(db: DatabaseSync) {
    const recent = `FROM audit_entry WHERE id > (SELECT max(id) FROM audit_entry) - ${ENTRIES}`;
    this.#signIns = db.prepare(`
      SELECT min(at) AS at, detail ->> '$.ip' AS ip ${recent} AND type = 'LOGIN_SUCCEEDED' AND subject = 'dashboard'
        AND detail ->> '$.ip' IS NOT NULL GROUP BY ip ORDER BY 1`);
    this.#acts = db.prepare(`
      SELECT min(at) AS at, substr(actor, length(?1) + 1) AS ip ${recent} AND substr(actor, 1, length(?1)) = ?1
        GROUP BY ip ORDER BY 1`);
  }

  /** Whether no earlier sign-in came from its network (IPv4 /24, IPv6 /48). */
  isNew(ip: Ip, at: Millis): boolean {
    const before = isoTime(at);
    const earlier = came(this.#signIns).filter((one) => one.at < before);
    return !isAmong(ip, earlier);
  }

  /** Whether the first sign-in, or one more than a day ago, came from its network. Networks of tokens are judged in the same way. */
  isFamiliar(actor: string, ip: Ip, at: Millis): boolean {
    const before = isoTime(later(at, -FAMILIAR_AFTER_MS));
    const familiar = (all: readonly Came[]) => all.filter((one, index) => index === 0 || one.at < before);
    if (isAmong(ip, familiar(came(this.#signIns)))) return true;
    return actor.startsWith("web:token ") && isAmong(ip, familiar(came(this.#acts, `${actor.split(" via ")[0]} via `)));
  }
}

function came(statement: StatementSync, ...of: readonly string[]): readonly Came[] {
  return statement.all(...of).flatMap((row) => {
    const ip = parseIp(text(row["ip"]));
    return ip === null ? [] : [{ ip, at: text(row["at"]) }];
  });
}

function isAmong(ip: Ip, all: readonly Came[]): boolean {
  const network = neighbourhoodOf(ip, 48);
  return all.some((one) => overlaps(network, neighbourhoodOf(one.ip, 48)));
}
