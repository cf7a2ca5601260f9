import { runProgram } from "../machine/run-program.ts";

/** Where administration tools are. A daemon's own PATH may lack sbin. */
export const TOOL_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** nft keeps its history in HOME, so there is none. Messages are parsed, so they must be English. */
export function toolEnvironment(path: string): Readonly<Record<string, string>> {
  return { PATH: path, HOME: "/nonexistent", LC_ALL: "C" };
}

export type ToolRun = Readonly<{ path: string; input?: string | Iterable<string>; timeoutMs: number }>;

/** Runs `nft` or `ss` to its end. Never throws. */
export function runTool(program: string, args: readonly string[], { path, input = "", timeoutMs }: ToolRun) {
  return runProgram(program, args, { env: toolEnvironment(path), input, timeoutMs });
}

/** Whether Node's message says that the program could not be started. */
export function isMissing(error: string): boolean {
  return /^spawn \S+ ENOENT/.test(error);
}
