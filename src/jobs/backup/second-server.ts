import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { parseJson } from "../../core/text.ts";
import { HOUR_MS } from "../../core/time.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Environment } from "../../settings/load.ts";
import { secondServer } from "./records.ts";

/** Its mails by account. */
const seen = z.extend(secondServer, { mails: z.record(z.string(), z.number()) });
export type Seen = Readonly<z.output<typeof seen>>;

const answer = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), seen }),
  // `isImpossible`: root may not create namespaces on this machine, or mount in them, as in most containers.
  z.object({ ok: z.literal(false), reason: z.string(), isImpossible: z.optional(z.boolean()) }),
]);
export type Second = z.output<typeof answer>;

/** Its namespaces lack a right that keeps it apart from the running server. The backup is not the cause. */
export class CannotBeApart extends Error {}

const MOST_MS = HOUR_MS;
/**
 * Separate namespaces for network, mounts, processes and the rest (unshare(1)): it sees no other process, socket, port or
 * firewall. They have no names, and everything in them ends with their first process, which the kernel kills when this process ends.
 */
const APART = ["--pdeathsig", "KILL", "unshare"];
const NAMESPACES = ["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc"];

/** Starts a second server from `scratch` without a network, checks it, and stops it. */
export async function runSecondServer(layout: Layout, scratch: string, env: Environment): Promise<Second> {
  const program = join(layout.program, "backup.js");
  if (!existsSync(program)) return { ok: false, reason: "its programs are made by the first `npm start`" };
  const node = [layout.node, "--disable-warning=ExperimentalWarning", program, "second", scratch];
  const ours = Object.entries(env).filter(([name]) => name.startsWith("GHOSTINBOX_"));
  const variables = Object.fromEntries(ours.map(([name, value = ""]) => [name, value]));
  const ran = await runProgram("setpriv", [...APART, ...NAMESPACES, ...node], {
    timeoutMs: MOST_MS,
    env: { ...variables, GHOSTINBOX_DATA: layout.data },
  });
  const refused = refusal(ran.stderr);
  if (refused !== null) return { ok: false, reason: refused, isImpossible: true };
  const last = ran.stdout.trim().split("\n").at(-1) ?? "";
  const read = z.safeParse(answer, last.startsWith("{") ? parseJson(last) : null);
  return read.success ? read.data : { ok: false, reason: `it ended early: ${lastLines(ran)}` };
}

/**
 * Output of unshare(1): the kernel or the container refuses a namespace (EPERM, or ENOSPC and EINVAL if their number is
 * limited or the kernel has none), or a mount in one. Null if it got as far as our program. Exported for its test.
 */
export function refusal(stderr: string): string | null {
  return /^unshare: (?!failed to execute )(.*)$/m.exec(stderr)?.[1] ?? null;
}
