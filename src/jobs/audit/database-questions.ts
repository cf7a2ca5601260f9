import { join } from "node:path";
import * as z from "zod/mini";
import type { Checked } from "../../core/audit/chain.ts";
import { MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import { lastLines, runProgram, TIMED_OUT } from "../../host/machine/run-program.ts";
import { NODE_FLAGS } from "../../host/running/runit.ts";
import type { Layout } from "../../settings/layout.ts";
import type { FollowedRow } from "../../store/accounts-db/file-accounts.ts";
import type { LastAudited } from "../../store/events/audit.ts";
import { anchorSchema } from "./audit-anchors.ts";

export type Question = "audit" | "last_audited" | "followed";

const checked = z.object({
  first: z.number(),
  last: z.number(),
  numbered: z.number(),
  head: z.string(),
  sum: z.string(),
  fault: z.nullable(z.object({ id: z.number(), says: z.string() })),
  anchored: z.nullable(anchorSchema),
});
const lastAudited = z.object({ at: z.nullable(z.string()), since: z.nullable(z.string()) });
const followed = z.array(
  z.object({
    name: z.string(),
    hash: z.string(),
    quotaBytes: z.nullable(z.number()),
    followed: z.nullable(z.string()),
  }),
);

/** Half a million entries of the audit take seconds. */
const TIMEOUT_MS = 2 * MINUTE_MS;
/** For a hundred thousand accounts. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Asks the guard's databases, each time in a separate process. SQLite opens files by name and runs what their schema says, so the guard's
 * user can keep a reader busy forever, or crash it by truncating a file that it has mapped. That way the keeper loses only the answer.
 * Each method rejects with the reason of a failure.
 */
export function createDatabaseQuestions(
  { node, data, program }: Pick<Layout, "data" | "node" | "program">,
  reader = join(program, "keeper-databases.js"),
  timeoutMs = TIMEOUT_MS,
) {
  const ask = async <Answer>(question: Question, argument: string, schema: z.ZodMiniType<Answer>): Promise<Answer> => {
    const ran = await runProgram(node, [...NODE_FLAGS.split(" "), reader, question, argument], {
      env: { GHOSTINBOX_DATA: data },
      timeoutMs,
      mostOutputBytes: MOST_BYTES,
    });
    if (ran.code === TIMED_OUT) throw new Error(`the database did not answer within ${timeoutMs / SECOND_MS} s`);
    if (ran.code !== 0) throw new Error(lastLines(ran, 1));
    const answer = z.safeParse(schema, JSON.parse(ran.stdout));
    if (!answer.success) throw new Error("the reader of the database gave an invalid answer");
    return answer.data;
  };
  return {
    /** Checks the audit against the anchors. */
    checkAudit: (now: Millis): Promise<Checked> => ask("audit", String(now), checked),
    /** When the last entry of this type was added, and when the oldest entry was. */
    lastAudited: (type: string): Promise<LastAudited> => ask("last_audited", type, lastAudited),
    followed: (): Promise<readonly FollowedRow[]> => ask("followed", "", followed),
  };
}
