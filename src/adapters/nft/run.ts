import { type ChildProcess, spawn } from "node:child_process";

/** Where administration tools live; a daemon's own PATH may lack sbin. */
export const TOOL_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";
/** nft writes a history below HOME; there is none to write to. */
export const toolEnvironment = (path: string): NodeJS.ProcessEnv => ({ PATH: path, HOME: "/nonexistent", LC_ALL: "C" });

/** `missing`: the program is not installed. `status` is null when it was killed. */
export type Ran =
  | Readonly<{ type: "ended"; status: number | null; stdout: string; stderr: string }>
  | Readonly<{ type: "missing" }>;

export type RunOptions = Readonly<{ path: string; input?: string; timeoutMs: number }>;

/** More than this of either output is thrown away: errors of a large batch repeat it. */
const OUTPUT_CHARACTERS = 16 * 1024 * 1024;

/** Runs a program to its end. Never throws. */
export function run(program: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env: toolEnvironment(options.path),
      timeout: options.timeoutMs,
      stdio: "pipe",
    });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.on("error", () => resolve({ type: "missing" }));
    child.on("close", (status) => resolve({ type: "ended", status, stdout: stdout(), stderr: stderr() }));
    // The program may end before it has read everything.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
  });
}

function collect(stream: NonNullable<ChildProcess["stdout"]>): () => string {
  const parts: string[] = [];
  let length = 0;
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    length += text.length;
    if (length <= OUTPUT_CHARACTERS) parts.push(text);
  });
  return () => parts.join("");
}
