import { spawn } from "node:child_process";
import { join } from "node:path";

export type Verdict =
  | Readonly<{ end: "passed" }>
  | Readonly<{ end: "failed"; file: string; test: string; why: string }>
  | Readonly<{ end: "timed_out" }>;

/** Limits memory, so that a mutant that fills it ends before the machine's is full. */
const NODE_OPTIONS = ["--disable-warning=ExperimentalWarning", "--max-old-space-size=1024"];
const RUNNER = join(import.meta.dirname, "run-until-failure.ts");

/** Runs test files of a tree, in one process, up to their first failure. */
export async function runTests(tree: string, files: readonly string[], timeoutMs: number): Promise<Verdict> {
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  // In its own group, so that everything a test started ends with it.
  const child = spawn(process.execPath, [...NODE_OPTIONS, RUNNER, ...files], {
    cwd: tree,
    env: { ...environment, NODE_COMPILE_CACHE: join(tree, "node-compile-cache.tmp") },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  let timedOut = false;
  const end = (): void => killGroup(child.pid);
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, timeoutMs);
  process.once("exit", end);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  clearTimeout(timer);
  process.off("exit", end);
  if (timedOut) return { end: "timed_out" };
  if (code === 0) return { end: "passed" };
  const [file = "", test = "", why = ""] = (output.trim().split("\n").at(-1) ?? "").split("\t");
  return { end: "failed", file, test, why };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
