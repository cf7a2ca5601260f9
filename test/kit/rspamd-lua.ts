import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./temporary-directory.ts";

/** Runs a program in Rspamd's own Lua. Returns the lines that it prints. */
export function inRspamdLua(program: string): readonly string[] {
  const script = join(temporaryDirectory(), "try.lua");
  writeFileSync(script, program);
  return execFileSync("rspamadm", ["lua", "-b", script], { encoding: "utf8" }).split("\n").slice(0, -1);
}
