import { messageOf } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import { oneLine } from "../print/text.ts";
import { type Finding, type State, unknown } from "./finding.ts";
import type { Check, Group, Server } from "./server.ts";

/** What one check did, and its result. */
export type Result = Readonly<{
  id: string;
  group: string;
  state: State;
  did: string;
  evidence: string;
  /** Null: there is nothing to do. */
  mend: string | null;
  tookMs: number;
}>;

/** Time limit of a single check. */
const MOST_MS = 25 * SECOND_MS;
/** These read whole files without a pause, which would delay the other checks' dialogues. */
const LAST: readonly string[] = ["database"];

/** Runs the checks of these groups, most of them in parallel, and returns them in the order of the groups. */
export async function runChecks(
  groups: readonly Group[],
  server: Server,
  mostMs: number = MOST_MS,
): Promise<readonly Result[]> {
  const isLast = ({ name }: Group): boolean => LAST.includes(name);
  const first = await Promise.all(
    groups.filter((group) => !isLast(group)).map((group) => ofGroup(group, server, mostMs)),
  );
  const last = await Promise.all(groups.filter(isLast).map((group) => ofGroup(group, server, mostMs)));
  const results = [...first, ...last].flat();
  return groups.flatMap(({ name }) => results.filter(({ group }) => group === name));
}

/** A check that fails or hangs reports that, and does not stop the others. */
function ofGroup({ name, checks }: Group, server: Server, mostMs: number): Promise<readonly Result[]> {
  return Promise.all(
    checks.map(async (one) => {
      const began = performance.now();
      const { state, saw, fix } = await looked(one, server, mostMs);
      const tookMs = Math.round(performance.now() - began);
      const id = `${name}.${one.name}`;
      return {
        id,
        group: name,
        state,
        did: one.does,
        evidence: withoutPassword(oneLine(saw)),
        mend: fix === "" ? null : fix,
        tookMs,
      };
    }),
  );
}

/** A URL that another program quotes may contain a password (RFC 3986 section 3.2.1). */
function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/@\s]+@/g, "//…@");
}

async function looked(one: Check, server: Server, mostMs: number): Promise<Finding> {
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
