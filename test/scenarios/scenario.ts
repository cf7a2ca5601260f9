import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Change, Decision } from "../../src/core/decide/decision.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import type { OwnNetwork } from "../../src/core/decide/sparing.ts";
import type { Event } from "../../src/core/events/event.ts";
import { formatDuration, instant, later, type Millis, parseDuration } from "../../src/core/time.ts";
import { toPolicy } from "../../src/settings/to-policy.ts";
import { loadValid } from "../kit/loaded-settings.ts";
import { net } from "../kit/samples.ts";

/**
 * A scenario is a folder of three files.
 *
 * `policy.toml`: the settings that matter here, as in `ghostinbox.toml`.
 *
 * `events.jsonl`: what happens, one object a line, times counted from the start:
 * `{"at":"10s","times":11,"every":"1s","event":{"type":"DATA","ip":"198.51.100.7"}}`. `times` and `every` may be left
 * out, as may the time `lastAt` of the last line that Fail2ban reports, which is otherwise that of the event, its lines,
 * and all fields of the event that have a default below; `%` in a text becomes 1, 2, 3, … Lines that start with `//` are
 * comments. Two other kinds of lines stand for several events, or for none:
 *
 * - `{"at":"10s","mail":{"ip":"198.51.100.7","id":"spam","to":"victim#@elsewhere.test","recipients":3}}` is a mail of
 *   Anna's, and `#` numbers its recipients. Without `recipients` it has one, whom Postfix names with DATA. Postfix says
 *   that it took all of them, or `taken`. With `"isRefused":true` it ends with DATA. With `"bouncesAfter":"20s"` the
 *   server of one recipient refuses it for good then.
 * - `{"at":"10s","times":3,"refused":"spamQ"}`: the servers of three recipients refused the mail with this queue id for
 *   good, before the event of the next line. Each has its own domain, or that of `domain`.
 *
 * `expected.jsonl`: the decisions, with equal ones in a row printed as one; their evidence may count up. Of one line of
 * events, equal ones of each type in a row are one, with `%` for the numbers. `UPDATE=1` rewrites it.
 */
export type Scenario = Readonly<{ name: string; policy: Policy; steps: readonly Step[]; expected: string }>;
/** `part`: its line and type. `numbered`: texts with its number, each with how the line has it. */
export type Step = Readonly<{
  at: Millis;
  event: Event;
  part: string;
  numbered: Numbered;
  refusals: readonly Refusal[];
}>;
/** A recipient whose server refused the mail for good. */
export type Refusal = Readonly<{ at: Millis; queueId: string; recipient: string }>;
type Numbered = readonly (readonly [string, string])[];

export const START = instant(Date.UTC(2026, 0, 1));
/** Networks that the server takes for its own. */
export const OWN: readonly OwnNetwork[] = [
  { prefix: net("127.0.0.0/8"), why: "loopback" },
  { prefix: net("203.0.113.10"), why: "own_address" },
  { prefix: net("203.0.113.1"), why: "gateway" },
];

const HERE = import.meta.dirname;

export function scenarioNames(): readonly string[] {
  return readdirSync(HERE, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
}

export function readScenario(name: string): Scenario {
  const file = (what: string): string => readFileSync(join(HERE, name, what), "utf8");
  const lines = file("events.jsonl").split("\n");
  const steps = stepsOfAll(lines.filter((line) => line !== "" && !line.startsWith("//")));
  const ascending = steps.every((step, i) => i === 0 || step.at >= (steps[i - 1]?.at ?? 0));
  if (!ascending) throw new Error(`${name}/events.jsonl: the times must ascend`);
  return { name, policy: toPolicy(loadValid(file("policy.toml")).settings), steps, expected: file("expected.jsonl") };
}

export function rewriteExpected(name: string, text: string): void {
  writeFileSync(join(HERE, name, "expected.jsonl"), text);
}

/** The decisions as the text of `expected.jsonl`. */
export function printDecisions(steps: readonly Step[], decisions: readonly Decision[]): string {
  const rows: Row[] = [];
  for (const [i, decision] of decisions.entries()) {
    const step = steps[i];
    if (step === undefined) throw new Error("more decisions than events");
    const { part } = step;
    const to = step.at === START ? "0s" : formatDuration(step.at - START);
    const what = describe(step, decision);
    const count = decision.evidence?.count ?? 0;
    const lastOfPart = rows.findLast((one) => one.part === part);
    const lastRow = rows.at(-1);
    const row = [lastOfPart, lastRow].find((one) => one !== undefined && continues(one, what, count));
    if (row === undefined) rows.push({ from: to, to, times: 1, first: count, count, part, what });
    else Object.assign(row, { to, times: row.times + 1, count, part });
  }
  return rows.map(printRow).join("");
}

/** Equal decisions, whose evidence counts from `first` to `count`, or has `count` in all. `what`: as JSON. */
type Row = Record<"from" | "to" | "part" | "what", string> & Record<"times" | "first" | "count", number>;
const COUNT = "#";

function continues(row: Row, what: string, count: number): boolean {
  if (row.what !== what) return false;
  const isRising = row.count > row.first;
  return count === (isRising ? row.count + 1 : row.count) || (row.times === 1 && count === row.count + 1);
}

function printRow({ from, to, times, first, count, what }: Row): string {
  const when = times === 1 ? { at: from } : { at: from, until: to, times };
  const counted = what.replace(COUNT, first === count ? String(count) : `${first} to ${count}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `describe` wrote
  return `${JSON.stringify({ ...when, ...(JSON.parse(counted) as object) })}\n`;
}

function describe({ event, numbered }: Step, { verdict, reason, evidence, changes }: Decision): string {
  const isShown = evidence !== null && verdict !== "pass";
  const what = JSON.stringify({
    type: event.type,
    of: "ip" in event ? event.ip : event.prefix,
    verdict,
    reason,
    ...(isShown ? { evidence: `${COUNT} of ${evidence.limit} in ${formatDuration(evidence.windowMs)}` } : {}),
    ...(changes.length > 0 ? { changes: changes.map(describeChange) } : {}),
  });
  return numbered.reduce((text, [number, sign]) => text.replaceAll(number, sign), what);
}

const CHANGES: { readonly [T in Change["type"]]: (change: Extract<Change, { type: T }>) => string } = {
  BAN: ({ ban: { prefix, level, expiresAt, createdAt, offences } }) => {
    const length = expiresAt === null ? "for good" : `for ${formatDuration(expiresAt - createdAt)}`;
    return `${prefix} banned ${length}, ${level}, offence ${offences}`;
  },
  END_SIMULATION: () => "simulation ended",
  LIFT: ({ prefix, forgiven }) => `${prefix} lifted${forgiven ? " and forgiven" : ""}`,
  KNOW: ({ account, prefix }) => `${account} known from ${prefix}`,
  GUESS: ({ account, network, isStale }) =>
    `${account} guessed at from ${network}${isStale ? ", by an old password" : ""}`,
  SET_PASSWORD: ({ account }) => `${account} has a new password`,
  FORGET_GUESSES: ({ account }) => `guesses at ${account ?? "any account"} forgotten`,
  FORGET_PLACES: ({ account }) => `places of ${account} forgotten`,
  CORRESPOND: ({ account, address }) => `${account} writes to ${address}`,
  HOLD_ACCOUNT: ({ account, prefix }) => `${account} held, by mail from ${prefix}`,
  END_HOLD: ({ account }) => `${account} released`,
  DISOWN_HOLD: ({ account }) => `held mail of ${account} dropped`,
  FORGET_CORRESPONDENTS: ({ account }) => `correspondents of a former ${account} forgotten`,
  HOLD_MAIL: ({ account }) => `mail of ${account} held`,
  FORGET_HELD: () => "held mail gone",
  NOTE_REFUSAL: ({ account }) => `mail of ${account} refused`,
  READ_LOG: ({ log }) => `${log} read`,
  CREDIT: ({ mail, prefix }) => `${mail} mail of ${prefix}`,
  NOTE_REPORT: ({ jail, prefix }) => `jail ${jail} heard of ${prefix}`,
  SPARE: ({ prefix, why }) => `${prefix} spared: ${why}`,
  ALLOW: ({ prefix }) => `${prefix} allowed`,
  DISALLOW: ({ prefix }) => `${prefix} no longer allowed`,
};

function describeChange(change: Change): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each describes its own type
  return (CHANGES[change.type] as (change: Change) => string)(change);
}

const BY_ANNA = { service: "submission", account: "anna@example.test", sender: "anna@example.test" };
const MAIL_FACTS = {
  service: "smtp",
  session: "each its own %",
  clientName: null,
  helo: "client.test",
  sender: "someone@sender.test",
  recipient: null,
  account: null,
  queueId: "",
  transaction: "each its own %",
};
const LOGIN_FACTS = { service: "imap", login: "anna@example.test", passwordHash: "" };
const DEFAULTS: Readonly<Record<string, object>> = {
  CONNECT: { service: "smtp", session: "each its own %", clientName: null },
  RECIPIENT: { ...MAIL_FACTS, blockListing: null, senderExists: null, recipient: "anna@example.test" },
  DATA: { ...MAIL_FACTS, recipientCount: 1 },
  END_OF_MESSAGE: { ...MAIL_FACTS, recipientCount: 1, sizeBytes: 1_000 },
  LOGIN_ASKED: LOGIN_FACTS,
  LOGIN_SUCCEEDED: LOGIN_FACTS,
  LOGIN_FAILED: LOGIN_FACTS,
  JAIL_REPORTED: { failures: 3, limit: 3, windowMs: 600_000, banMs: 600_000, clientName: null, lines: [] },
  BAN_ASKED: { note: "spam", durationMs: null, by: "root" },
  UNBAN_ASKED: { by: "root" },
  ALLOW_ASKED: { note: "office", durationMs: null, by: "root" },
  ALLOW_EXPIRED: {},
  DISALLOW_ASKED: { by: "root" },
};

type Line = Readonly<{ at: string; times?: number; every?: string }> & (EventLine | MailLine | RefusalLine);
type EventLine = Readonly<{ event: Readonly<{ type: string; [field: string]: unknown }> }>;
type MailLine = Readonly<{ mail: Mail }>;
type RefusalLine = Readonly<{ refused: string; domain?: string }>;
type Mail = Readonly<{
  ip: string;
  id: string;
  to: string;
  recipients?: number;
  taken?: number;
  isRefused?: boolean;
  bouncesAfter?: string;
}>;

function stepsOfAll(lines: readonly string[]): readonly Step[] {
  const steps: Step[] = [];
  let refusals: readonly Refusal[] = [];
  for (const [i, line] of lines.entries()) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own file; a mistake in it fails its test
    for (const one of happening(JSON.parse(line) as Line)) {
      if ("queueId" in one) refusals = [...refusals, one];
      else {
        steps.push({ ...one, part: `${i} ${one.event.type}`, refusals });
        refusals = [];
      }
    }
  }
  return steps;
}

type Happening = Omit<Step, "part" | "refusals"> | Refusal;

function happening(line: Line): readonly Happening[] {
  const { at, times = 1, every = "0ms" } = line;
  const from = millisOf(at);
  const apart = millisOf(every);
  return Array.from({ length: times }, (_, i) => i).flatMap((i): readonly Happening[] => {
    const when = instant(START + from + i * apart);
    if ("event" in line) return [stepOf(line.event, when, i + 1)];
    if ("mail" in line) return mailOf(line.mail, when, i + 1);
    if ("refused" in line) return [refusalOf(line.refused, when, line.domain ?? `${line.refused}${i}.test`)];
    throw new Error(`events.jsonl: ${JSON.stringify(line)}`);
  });
}

function refusalOf(queueId: string, at: Millis, domain = `${queueId}0.test`): Refusal {
  return { at, queueId, recipient: `victim@${domain}` };
}

function mailOf(written: Mail, at: Millis, number: number): readonly Happening[] {
  const { ip, id, to, recipients, taken = recipients, isRefused = false, bouncesAfter } = written;
  const transaction = withNumber(id, number);
  const common = { ...BY_ANNA, ip, session: `${ip} ${transaction}`, transaction };
  const all = Array.from({ length: recipients ?? 1 }, (_, i) => to.replaceAll("#", String(i + 1)));
  const numbered = all.map((recipient) => [withNumber(recipient, number), recipient] as const);
  const end = {
    ...common,
    queueId: `${transaction}Q`,
    ...(recipients === undefined ? { recipient: withNumber(to, number) } : { recipientCount: taken }),
  };
  const step = (event: EventLine["event"]): Happening => ({ ...stepOf(event, at, number), numbered });
  return [
    ...numbered.map(([recipient]) => step({ type: "RECIPIENT", ...common, recipient })),
    step({ type: "DATA", ...end }),
    ...(isRefused ? [] : [step({ type: "END_OF_MESSAGE", ...end })]),
    ...(bouncesAfter === undefined ? [] : [refusalOf(`${transaction}Q`, later(at, millisOf(bouncesAfter)))]),
  ];
}

function stepOf(event: EventLine["event"], at: Millis, number: number): Omit<Step, "part" | "refusals"> {
  const defaults = DEFAULTS[event.type];
  if (defaults === undefined) throw new Error(`events.jsonl: ${event.type}`);
  const reported = event.type === "JAIL_REPORTED" ? reportOf(event, at) : {};
  const numbered = ["ip", "prefix", "login", "recipient"].flatMap((field) => {
    const text = event[field];
    if (typeof text !== "string" || !text.includes("%")) return [];
    // Cut after its last dot or colon, the text of an address also matches that of its network.
    const sign = text.replace(/[^.:%]+$/, "");
    return [[withNumber(sign, number), sign] as const];
  });
  const text = withNumber(JSON.stringify({ ...defaults, ...event, ...reported }), number);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return { at, event: JSON.parse(text) as Event, numbered };
}

function millisOf(duration: string): number {
  const millis = parseDuration(duration);
  if (millis === null) throw new Error(`events.jsonl: ${duration}`);
  return millis;
}

function withNumber(text: string, number: number): string {
  return text.replaceAll("%", String(number));
}

/** Lines are written as `["login", "10s"]`, with their subject and time. */
function reportOf(event: object, when: Millis): Readonly<{ lastAt: Millis; lines: readonly object[] }> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  const written = "lines" in event ? (event.lines as readonly (readonly [string, string])[]) : [];
  const lines = written.map(([about, at]) => ({ about, text: "", at: START + millisOf(at) }));
  const lastAt = "lastAt" in event && typeof event.lastAt === "string" ? instant(START + millisOf(event.lastAt)) : when;
  return { lastAt, lines };
}
