import { messageOf } from "../../../core/error.ts";
import { SECOND_MS } from "../../../core/time.ts";
import { type CheckRecord, fallen, noted } from "../../../jobs/check/check-record.ts";
import { oneLine } from "../print/text.ts";
import { accounts, passwords } from "./accounts.ts";
import { backups } from "./backups.ts";
import { bans } from "./bans.ts";
import { type Check, type Finding, type Server, type State, unknown } from "./check.ts";
import { alerts, components, queue } from "./components.ts";
import { database } from "./database.ts";
import { dns } from "./dns.ts";
import { firewall } from "./firewall.ts";
import { clock, disk, updates } from "./machine.ts";
import { mailFlow } from "./mail-flow.ts";
import { permissions } from "./permissions.ts";
import { ports } from "./ports.ts";
import { reputation } from "./reputation.ts";
import { tls } from "./tls.ts";

export type Result = Readonly<{
  id: string;
  group: string;
  state: State;
  did: string;
  evidence: string;
  /** Null if there is nothing to do. */
  mend: string | null;
  tookMs: number;
}>;

/** Time limit of a single check. */
const MOST_MS = 25 * SECOND_MS;
/** Groups that run after the others, because they block while reading whole files, which would delay dialogues of other checks. */
const LAST: readonly string[] = ["database"];

/** Runs the checks of these groups, most of them in parallel, and returns the results in the order of the groups. */
export async function runChecks(
  groups: readonly Group[],
  server: Server,
  mostMs: number = MOST_MS,
): Promise<readonly Result[]> {
  const isLast = ({ name }: Group): boolean => LAST.includes(name);
  const runAll = (some: readonly Group[]) => Promise.all(some.map((group) => runGroup(group, server, mostMs)));
  const first = await runAll(groups.filter((group) => !isLast(group)));
  const last = await runAll(groups.filter(isLast));
  const results = [...first, ...last].flat();
  return groups.flatMap(({ name }) => results.filter(({ group }) => group === name));
}

/** Runs the checks of a group. One that fails or hangs becomes unknown and does not stop the others. */
function runGroup({ name, checks }: Group, server: Server, mostMs: number): Promise<readonly Result[]> {
  return Promise.all(
    Object.entries(checks).map(async ([key, one]) => {
      const began = performance.now();
      const { state, saw, fix } = await runCheck(one, server, mostMs);
      const tookMs = Math.round(performance.now() - began);
      const [id, evidence] = [`${name}.${key}`, withoutPassword(oneLine(saw))];
      return { id, group: name, state, did: one.does, evidence, mend: fix === "" ? null : fix, tookMs };
    }),
  );
}

/** Removes passwords from URLs that other programs quote (RFC 3986 section 3.2.1). */
function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/@\s]+@/g, "//…@");
}

async function runCheck(one: Check, server: Server, mostMs: number): Promise<Finding> {
  const late = Promise.withResolvers<Finding>();
  const timer = setTimeout(() => late.resolve(unknown(`It did not finish within ${mostMs / SECOND_MS} s.`)), mostMs);
  try {
    return await Promise.race([one.look(server), late.promise]);
  } catch (error) {
    return unknown(`The check failed: ${messageOf(error)}.`);
  } finally {
    clearTimeout(timer);
  }
}

/** Every check, in the order of display. */
const table = {
  passwords,
  firewall,
  ports,
  tls,
  dns,
  reputation,
  "mail-flow": mailFlow,
  accounts,
  permissions,
  components,
  disk,
  queue,
  database,
  bans,
  alerts,
  backups,
  clock,
  updates,
};
type Table = typeof table;
export type GroupName = keyof Table;
/** Such as `tls.days`. */
export type CheckId = { [G in GroupName]: `${G}.${keyof Table[G] & string}` }[GroupName];

type Group = Readonly<{ name: string; checks: Readonly<Record<string, Check>> }>;
export const groups: readonly Group[] = Object.entries(table).map(([name, checks]) => ({ name, checks }));

type Parts = Readonly<{
  kept: () => CheckRecord;
  look: (groups: readonly string[]) => Promise<readonly Result[]>;
  pause: () => Promise<unknown>;
  now: () => number;
}>;

/**
 * Runs all groups once, and those with a new failure again after a pause, because failures that clear within a minute are not reported.
 * Checks that the owner ran during the pause and that were ok count as passed.
 */
export async function runDaily(groups: readonly string[], { kept, look, pause, now }: Parts): Promise<CheckRecord> {
  const before = kept();
  let record = noted(before, await look(groups), now(), true);
  const known = fallen(before);
  const news = fallen(record).filter((id) => !known.includes(id));
  if (news.length > 0) {
    await pause();
    const again = await look(groups.filter((group) => news.some((id) => id.startsWith(`${group}.`))));
    record = noted(record, again, now(), false);
  }
  const isPassed = (id: string, passedAt: number | null): boolean =>
    passedAt !== null && passedAt !== before.checks[id]?.passedAt;
  const passed = Object.entries(kept().checks).filter(([id, { passedAt }]) => isPassed(id, passedAt));
  return { ...record, checks: { ...record.checks, ...Object.fromEntries(passed) } };
}
