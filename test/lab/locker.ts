import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Host } from "./host.ts";

export type Locker = Awaited<ReturnType<typeof lockDatabase>>;

/** Runs sqlite3(1), which locks a database until it is released, or with a plain BEGIN only reads it. */
export async function lockDatabase(host: Host, database: string, begin = "BEGIN EXCLUSIVE") {
  // `ip netns exec` becomes the program, with the same process id.
  const [program = "", ...argv] = host.inside(["sqlite3", database]);
  const child = spawn(program, argv, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.write(`.timeout 10000\n${begin};\nSELECT count(*) FROM sqlite_schema;\n`);
  await once(child.stdout, "data");
  const release = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    child.stdin.end("ROLLBACK;\n.quit\n");
    await once(child, "close");
  };
  return { pid: child.pid ?? 0, release };
}
