import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Decision } from "../../src/core/decide/decision.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import type { OwnNetwork } from "../../src/core/decide/sparing.ts";
import type { Event } from "../../src/core/events/event.ts";
import { formatDuration, instant, type Millis, parseDuration } from "../../src/core/time.ts";
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
 * out, as may the time `lastAt` of the last line that Fail2ban reports, which is otherwise that of the event, its lines, and all fields of the event that have a default below; `%` in a text becomes 1, 2, 3, … Lines that start
 * with `//` are comments. `{"at":"10s","times":3,"refused":"spam1Q"}` tells instead that the servers of three recipients refused
 * the mail with this queue id for good, before the event of the next line: each has its own domain, or that of `domain`.
 *
 * `expected.jsonl`: the decisions, with equal ones in a row printed as one. `UPDATE=1` rewrites it.
 */
export type Scenario = Readonly<{ name: string; policy: Policy; steps: readonly Step[]; expected: string }>;
export type Step = Readonly<{ at: Millis; event: Event; refusals: readonly Refusal[] }>;
/** A recipient whose server refused the mail for good. */
export type Refusal = Readonly<{ at: Millis; queueId: string; recipient: string }>;

export const START = instant(Date.UTC(2026, 0, 1));
/** What the server takes for its own. */
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
  const lines: { from: string; to: string; times: number; what: string }[] = [];
  for (const [i, decision] of decisions.entries()) {
    const step = steps[i];
    if (step === undefined) throw new Error("more decisions than events");
    const at = step.at === START ? "0s" : formatDuration(step.at - START);
    const what = describe(step.event, decision);
    const last = lines.at(-1);
    if (last !== undefined && last.what === what) Object.assign(last, { to: at, times: last.times + 1 });
    else lines.push({ from: at, to: at, times: 1, what });
  }
  return lines
    .map(({ from, to, times, what }) => {
      const when = times === 1 ? { at: from } : { at: from, until: to, times };
      return `${JSON.stringify(when).slice(0, -1)},${what.slice(1)}\n`;
    })
    .join("");
}

function describe(event: Event, { verdict, reason, evidence, changes }: Decision): string {
  const isShown = evidence !== null && verdict !== "pass";
  return JSON.stringify({
    type: event.type,
    of: "ip" in event ? event.ip : event.prefix,
    verdict,
    reason,
    ...(isShown ? { evidence: `${evidence.count} of ${evidence.limit} in ${formatDuration(evidence.windowMs)}` } : {}),
    ...(changes.length > 0 ? { changes: changes.map(describeChange) } : {}),
  });
}

function describeChange(change: Decision["changes"][number]): string {
  switch (change.type) {
    case "BAN": {
      const { prefix, level, expiresAt, createdAt, offences } = change.ban;
      const length = expiresAt === null ? "for good" : `for ${formatDuration(expiresAt - createdAt)}`;
      return `${prefix} banned ${length}, ${level}, offence ${offences}`;
    }
    case "END_SIMULATION":
      return "simulation ended";
    case "LIFT":
      return `${change.prefix} lifted${change.forgiven ? " and forgiven" : ""}`;
    case "KNOW":
      return `${change.account} known from ${change.prefix}`;
    case "GUESS":
      return `${change.account} guessed at from ${change.network}${change.isStale ? ", by an old password" : ""}`;
    case "SET_PASSWORD":
      return `${change.account} has a new password`;
    case "FORGET_GUESSES":
      return `guesses at ${change.account ?? "any account"} forgotten`;
    case "CORRESPOND":
      return `${change.account} writes to ${change.address}`;
    case "HOLD_ACCOUNT":
      return `${change.account} held, by mail from ${change.prefix}`;
    case "END_HOLD":
      return `${change.account} released`;
    case "DISOWN_HOLD":
      return `held mail of ${change.account} dropped`;
    case "HOLD_MAIL":
      return `mail of ${change.account} held`;
    case "FORGET_HELD":
      return "held mail gone";
    case "NOTE_REFUSAL":
      return `mail of ${change.account} refused`;
    case "READ_LOG":
      return `${change.log} read`;
    case "CREDIT":
      return `${change.mail} mail of ${change.prefix}`;
    case "NOTE_REPORT":
      return `jail ${change.jail} heard of ${change.prefix}`;
    case "SPARE":
      return `${change.prefix} spared: ${change.why}`;
    case "ALLOW":
      return `${change.prefix} allowed`;
    case "DISALLOW":
      return `${change.prefix} no longer allowed`;
  }
}

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

type RefusalLine = Readonly<{ at: string; times?: number; refused?: string; domain?: string }>;
type Line = Readonly<{ at: string; times?: number; every?: string; event: Readonly<{ type: string }> }>;

function stepsOfAll(lines: readonly string[]): readonly Step[] {
  const steps: Step[] = [];
  let refusals: readonly Refusal[] = [];
  for (const line of lines) {
    const refused = refusalsOf(line);
    refusals = [...refusals, ...refused];
    if (refused.length > 0) continue;
    for (const step of stepsOf(line)) {
      steps.push({ ...step, refusals });
      refusals = [];
    }
  }
  return steps;
}

function refusalsOf(line: string): readonly Refusal[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own file; a mistake in it fails its test
  const { at, times = 1, refused, domain } = JSON.parse(line) as RefusalLine;
  if (refused === undefined) return [];
  return Array.from({ length: times }, (_, i) => ({
    at: instant(START + (parseDuration(at) ?? 0)),
    queueId: refused,
    recipient: `victim@${domain ?? `${refused}${i}.test`}`,
  }));
}

function stepsOf(line: string): readonly Omit<Step, "refusals">[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own file; a mistake in it fails its test
  const { at, times = 1, every = "0ms", event } = JSON.parse(line) as Line;
  const from = parseDuration(at);
  const apart = parseDuration(every);
  const defaults = DEFAULTS[event.type];
  if (from === null || apart === null || defaults === undefined) throw new Error(`events.jsonl: ${line}`);
  return Array.from({ length: times }, (_, i) => {
    const when = instant(START + from + i * apart);
    const reported = event.type === "JAIL_REPORTED" ? reportOf(event, when) : {};
    const numbered = JSON.stringify({ ...defaults, ...event, ...reported }).replaceAll("%", String(i + 1));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return { at: when, event: JSON.parse(numbered) as Event };
  });
}

/** Lines are written as `["login", "10s"]`: their subject, and their time. */
function reportOf(event: object, when: Millis): Readonly<{ lastAt: Millis; lines: readonly object[] }> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  const written = "lines" in event ? (event.lines as readonly (readonly [string, string])[]) : [];
  const lines = written.map(([about, at]) => ({ about, text: "", at: START + (parseDuration(at) ?? 0) }));
  return { lastAt: lastLineOf(event, when), lines };
}

function lastLineOf(event: object, when: Millis): Millis {
  const lastAt = "lastAt" in event && typeof event.lastAt === "string" ? parseDuration(event.lastAt) : null;
  return lastAt === null ? when : instant(START + lastAt);
}
