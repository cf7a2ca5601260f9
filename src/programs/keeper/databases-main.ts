/**
 * Answers one question of the keeper about the guard's databases, and ends. It runs as root: the guard's user could trace a process
 * that it owns and change the answer.
 */

import { messageOf } from "../../core/error.ts";
import { instant } from "../../core/time.ts";
import { readAnchors } from "../../jobs/audit/audit-anchors.ts";
import type { Question } from "../../jobs/audit/database-questions.ts";
import { raiseOomScore } from "../../jobs/job.ts";
import { layoutFrom } from "../../settings/layout.ts";
import { readFollowed } from "../../store/accounts-db/file-accounts.ts";
import { checkAudit, lastAudited } from "../../store/events/audit.ts";

raiseOomScore(process.pid);
const layout = layoutFrom(process.env);
const [question = "", argument = ""] = process.argv.slice(2);
const answers: Readonly<Record<Question, () => unknown>> = {
  audit: () => checkAudit(layout.engineDb, readAnchors(layout.auditAnchors).anchors, instant(Number(argument))),
  last_audited: () => lastAudited(layout.engineDb, argument),
  followed: () => readFollowed(layout.accountsDb),
};
try {
  const answer = Object.entries(answers).find(([name]) => name === question)?.[1];
  if (answer === undefined) throw new Error(`no such question: ${question}`);
  process.stdout.write(JSON.stringify(answer()));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
