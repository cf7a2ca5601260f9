import { runProgram } from "../machine/run-program.ts";

/** Where administration tools are. A daemon's own PATH may lack sbin. */
export const TOOL_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** Of `ss`: a line has up to 300 bytes, so more than 100 000 sockets. */
export const MOST_SS_BYTES = 32_000_000;

/** nft keeps its history in HOME, so there is none. Messages are parsed, so they must be English. */
export function toolEnvironment(path: string): Readonly<Record<string, string>> {
  return { PATH: path, HOME: "/nonexistent", LC_ALL: "C" };
}

export type ToolRun = Readonly<{
  path: string;
  input?: string | Iterable<string>;
  timeoutMs: number;
  /** More than this is a failure. */
  mostOutputBytes?: number;
}>;

/** Runs `nft` or `ss` to its end. Never throws. */
export function runTool(program: string, args: readonly string[], { path, ...options }: ToolRun) {
  return runProgram(program, args, { env: toolEnvironment(path), ...options });
}

/** Whether Node's message says that the program could not be started. */
export function isMissing(error: string): boolean {
  return /^spawn \S+ ENOENT/.test(error);
}
