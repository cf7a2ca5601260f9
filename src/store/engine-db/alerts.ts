import type { DatabaseSync, StatementSync } from "node:sqlite";
import { callersIp, mailboxOf } from "../../admin/declare/rights.ts";
import { ALERT_KINDS, type AlertCode, isAlertCode, SEVERITIES } from "../../core/alerts/alerts.ts";
import { ALERT_EVENT_TYPES, OWNERS_CHANGES } from "../../core/alerts/rules.ts";
import { EVENT_TYPES, type EventType, isAdministrators, typesWhere } from "../../core/events/event-types.ts";
import {
  hostPrefix,
  type Ip,
  isLoopback,
  isSingleAddress,
  isV4,
  neighbourhoodOf,
  networkAddress,
  overlaps,
  type Prefix,
  parseIp,
} from "../../core/net/ip.ts";
import { DAY_MS, isoTime, later, type Millis } from "../../core/time.ts";
import type { AlertEvents, AlertStore } from "../../guard/alerts/ports.ts";
import {
  flag,
  integer,
  integerOrNull,
  millis,
  millisOrNull,
  oneOf,
  orNull,
  prefix,
  type Row,
  rowReader,
  sqlList,
  TOOK_EFFECT,
  text,
  textOrNull,
} from "../columns.ts";
import { sqliteEventIds } from "../events/event-ids.ts";
import { prepared, together } from "../transactions.ts";

const KNOWN_PLACE = { isNewNetwork: false, isFirst: false };

/** Types whose subject the alert names; for an alias also its new targets. */
const NAMED: readonly EventType[] = [...OWNERS_CHANGES, ...typesWhere(({ alert }) => alert?.isNamed === true)];

/** Changes that are critical from a new network. Other types may come in floods, and looking each up would cost too much. */
const CHANGES: readonly EventType[] = [
  ...NAMED.filter((type) => type !== "RECOVERY_CODE_USED"),
  ...typesWhere(({ alert }) => alert !== undefined && alert.isUsualAway !== true),
];

/** The events that alerts consider. Shares the guard's connection; 300 ids take about a millisecond. */
export function sqliteAlertEvents(db: DatabaseSync): AlertEvents {
  const ids = sqliteEventIds(db);
  const dashboardNetworks = sqliteDashboardNetworks(db);
  const sql = prepared(db, {
    known: "SELECT prefix FROM known_address WHERE account = lower(?) AND first_at < ?",
    familiar: `
      SELECT prefix FROM known_address WHERE account = lower(?1) AND (first_at < ?2 OR first_at =
        (SELECT min(first_at) FROM known_address WHERE account = lower(?1)))`,
    removed: `
      SELECT 1 FROM audit_entry WHERE id > (SELECT max(id) FROM audit_entry) - ${ENTRIES}
        AND type = 'ACCOUNT_REMOVED' AND lower(subject) = lower(?) AND at >= ? LIMIT 1`,
    between: `
      SELECT id, at, type, prefix, account, proof, reason, verdict, service, offence, count, limit_count AS "limit", window_ms,
        limit_key, actor, iif(type IN (${sqlList(NAMED)}), json_extract(rest, '$.subject') || coalesce(
          ' to ' || (SELECT group_concat(value, ', ') FROM json_each(event.rest, '$.targets')), ''),
          iif(type = 'EMAIL_BOUNCED', coalesce(json_extract(rest, '$.alias'), recipient), NULL)) AS subject,
        type LIKE 'LOGIN%' AND NOT EXISTS (
          SELECT 1 FROM known_address AS known
          WHERE known.prefix = event.prefix AND known.account = lower(event.account) AND known.first_at < event.at
        ) AS is_new_place,
        type LIKE 'LOGIN%' AND EXISTS (
          SELECT 1 FROM known_address AS known WHERE known.account = lower(event.account)
        ) AS is_known_account,
        counts <> 0 AS is_counted
      FROM event
      WHERE id > ? AND id <= ? AND type IN (${sqlList(ALERT_EVENT_TYPES)}) AND ${TOOK_EFFECT}
        AND NOT (type = 'EMAIL_BOUNCED' AND rest ->> '$.outcome' = 'returned') ORDER BY id`,
  });
  /** An IPv6 network that something protected splits has events of single addresses. They are known if their network is. */
  const isInKnownNetwork = ({ prefix: place, account, at }: ReturnType<typeof alertEvent>): boolean =>
    place !== null &&
    !isV4(place) &&
    isSingleAddress(place) &&
    sql.known.all(account, at).some((row) => overlaps(readPrefix(row), place));
  /** The administrator has no mailbox with known places. Instead, addresses of earlier dashboard sign-ins are known, except loopback. */
  const isAdministratorsPlace = (event: ReturnType<typeof alertEvent>, dashboard: DashboardNetworks): boolean => {
    const { service, account, prefix: place, at } = event;
    if (place === null || !isAdministrators(service, account) || isLoopback(networkAddress(place))) return false;
    return !dashboard.isNew(place, at);
  };
  /** Reads the caller's earlier networks only for changes and for sign-ins from new places, which are rare. */
  const placeOf = (event: ReturnType<typeof alertEvent>, dashboard: DashboardNetworks) => {
    const { type, actor, at, isNewPlace, prefix, account } = event;
    if (type === "SECOND_FACTOR_ASKED") {
      const ip = callersIp(text(actor));
      return { ...KNOWN_PLACE, isNewNetwork: ip !== null && dashboard.isNew(neighbourhoodOf(ip, 48), at) };
    }
    if (CHANGES.includes(type)) return { ...KNOWN_PLACE, isNewNetwork: !isFamiliar(actor ?? "", at, dashboard) };
    if (type !== "LOGIN_SUCCEEDED" || !isNewPlace || prefix === null) return KNOWN_PLACE;
    const known = sql.known.all(account, at).map(readPrefix);
    return { isNewNetwork: !isNear(networkAddress(prefix), known), isFirst: known.length === 0 };
  };
  /** Whether the caller's network has been known for a day, or was the first. Loopback counts: it is root, a tunnel or a proxy. */
  const isFamiliar = (actor: string, at: Millis, dashboard: DashboardNetworks): boolean => {
    const ip = callersIp(actor);
    if (ip === null || isLoopback(ip)) return true;
    const user = mailboxOf(actor);
    if (user === null) return dashboard.isFamiliar(actor, ip, at);
    const places = sql.familiar.all(user, later(at, -FAMILIAR_AFTER_MS)).map(readPrefix);
    // The places of a removed account are forgotten. Its alert was decided at the time of the change.
    return isNear(ip, places) || (places.length === 0 && sql.removed.get(user, isoTime(at)) !== undefined);
  };
  return {
    last: () => ids.last(),
    firstSince: (at) => ids.firstSince(at),
    between: (after, upTo) => {
      const dashboard = dashboardNetworks();
      return sql.between
        .all(after, upTo)
        .map(alertEvent)
        .map((event) => ({
          ...event,
          isNewPlace: event.isNewPlace && !isInKnownNetwork(event) && !isAdministratorsPlace(event, dashboard),
        }))
        .map((event) => ({ ...event, ...placeOf(event, dashboard) }));
    },
  };
}

const alertEvent = rowReader({
  id: integer,
  at: millis,
  type: (value) => oneOf(EVENT_TYPES, value),
  prefix: orNull(prefix),
  account: textOrNull,
  proof: textOrNull,
  reason: textOrNull,
  verdict: textOrNull,
  service: textOrNull,
  offence: integerOrNull,
  count: integerOrNull,
  limit: integerOrNull,
  windowMs: integerOrNull,
  limitKey: textOrNull,
  actor: textOrNull,
  subject: textOrNull,
  isNewPlace: flag,
  isKnownAccount: flag,
  isCounted: flag,
});

const readPrefix = (row: Row): Prefix => prefix(row["prefix"]);

/** Whether one of these is in the address's neighbourhood (IPv4 /24, IPv6 /48). */
function isNear(ip: Ip, places: readonly Prefix[]): boolean {
  const network = neighbourhoodOf(ip, 48);
  return places.some((place) => overlaps(network, place));
}

/**
 * Alerts and their pending deliveries. There are few, so each save replaces all of them. Shares the guard's connection:
 * call it between transactions.
 */
export function sqliteAlertStore(db: DatabaseSync): AlertStore {
  const sql = prepared(db, SQL);
  return {
    /** Skips alerts that this version does not know. */
    load: () => ({
      alerts: sql.alerts
        .all()
        .map(readAlert)
        .flatMap(({ code, ...alert }) => (code === null ? [] : { code, ...alert })),
      deliveries: sql.deliveries.all().map((row) => ({ message: readMessage(row), ...readDelivery(row) })),
    }),
    save: ({ alerts, deliveries }) =>
      together(db, () => {
        db.exec("DELETE FROM alert; DELETE FROM alert_delivery; DELETE FROM alert_message");
        for (const { code, subject, detail, openedAt, lastAt, resolvedAt } of alerts)
          sql.addAlert.run(code, subject, detail, openedAt, lastAt, resolvedAt);
        const messages = new Map(deliveries.map(({ message }) => [message.id, message]));
        for (const { id, kind, at, severity, code, subject, title, body } of messages.values())
          sql.addMessage.run(id, kind, at, severity, code, subject, title, body);
        for (const { message, channel, attempts, dueAt } of deliveries)
          sql.addDelivery.run(message.id, channel, attempts, dueAt);
      }),
  };
}

const readAlert = rowReader({
  code: alertCode,
  subject: text,
  detail: text,
  openedAt: millis,
  lastAt: millis,
  resolvedAt: millisOrNull,
});
const readDelivery = rowReader({ channel: textOrNull, attempts: integer, dueAt: millis });
const readMessage = rowReader({
  id: text,
  kind: (value) => oneOf(ALERT_KINDS, value),
  at: millis,
  severity: (value) => oneOf(SEVERITIES, value),
  code: alertCode,
  subject: text,
  title: text,
  body: text,
});

/** Null if there is none, or if this version does not know it. */
function alertCode(value: unknown): AlertCode | null {
  const code = textOrNull(value);
  return code !== null && isAlertCode(code) ? code : null;
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

/** How many of the newest entries are searched: more than a year of an owner's sign-ins, unless a token bans and allows many addresses. */
const ENTRIES = 10_000;

/** A thief's own sign-in must not make the thief's network familiar. */
const FAMILIAR_AFTER_MS = DAY_MS;
/** The start of `actor` in a change by a token. */
const TOKEN = "web:token ";

type DashboardNetworks = ReturnType<ReturnType<typeof sqliteDashboardNetworks>>;

/**
 * Networks from which the administrator has signed in to the dashboard and tokens have acted, according to the audit. Each list takes
 * a millisecond to read, so it is read once for many changes. Shares the guard's connection.
 */
function sqliteDashboardNetworks(db: DatabaseSync) {
  const recent = `FROM audit_entry WHERE id > (SELECT max(id) FROM audit_entry) - ${ENTRIES}`;
  const signIns = db.prepare(`
    SELECT min(at) AS at, detail ->> '$.ip' AS ip ${recent} AND type = 'LOGIN_SUCCEEDED' AND subject = 'dashboard'
      AND detail ->> '$.ip' IS NOT NULL GROUP BY ip ORDER BY 1`);
  const acts = db.prepare(`
    SELECT min(at) AS at, substr(actor, length(?1) + 1) AS ip ${recent} AND substr(actor, 1, length(?1)) = ?1
      GROUP BY ip ORDER BY 1`);
  const reachesStart = db.prepare(`
    SELECT (SELECT max(id) FROM audit_entry) - ${ENTRIES} < (SELECT min(id) FROM audit_entry) AS reaches_start`);
  const created = db.prepare(`SELECT 1 ${recent} AND type = 'TOKEN_CREATED' AND subject = ? LIMIT 1`);
  // If older entries are not searched, the first of the newest may be a thief's: a token makes thousands a day.
  const hasStart = (): boolean => reachesStart.get()?.["reaches_start"] === 1;
  return () => {
    const read = new Map<string, readonly EarlierUse[]>();
    const signedIn = () => read.getOrInsertComputed("", () => earlierUses(hasStart(), signIns));
    const acted = (token: string) =>
      read.getOrInsertComputed(token, () =>
        earlierUses(hasStart() || created.get(token) !== undefined, acts, `${TOKEN}${token} via `),
      );
    return {
      /** Whether no earlier sign-in came from there. */
      isNew: (network: Prefix, at: Millis): boolean => {
        const before = isoTime(at);
        return !placesOf(signedIn().filter((one) => one.at < before)).some((place) => overlaps(network, place));
      },
      /**
       * Whether a sign-in from the network of `ip` is more than a day old, or is the first of all and among those searched. Networks of
       * tokens are judged in the same way.
       */
      isFamiliar: (actor: string, ip: Ip, at: Millis): boolean => {
        const before = isoTime(later(at, -FAMILIAR_AFTER_MS));
        const familiar = (all: readonly EarlierUse[]) => placesOf(all.filter((one) => one.isFirst || one.at < before));
        if (isNear(ip, familiar(signedIn()))) return true;
        const token = actor.startsWith(TOKEN) ? actor.slice(TOKEN.length).split(" via ")[0] : undefined;
        return token !== undefined && isNear(ip, familiar(acted(token)));
      },
    };
  };
}

type EarlierUse = Readonly<{ place: Prefix; at: string; isFirst: boolean }>;

const placesOf = (all: readonly EarlierUse[]): readonly Prefix[] => all.map(({ place }) => place);

function earlierUses(hasFirst: boolean, statement: StatementSync, ...of: readonly string[]): readonly EarlierUse[] {
  return statement.all(...of).flatMap((row, index) => {
    const ip = parseIp(text(row["ip"]));
    return ip === null ? [] : [{ place: hostPrefix(ip), at: text(row["at"]), isFirst: hasFirst && index === 0 }];
  });
}
