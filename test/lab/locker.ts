import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Host } from "./host.ts";

/** Another program, sqlite3(1), that locks a database until it is released. */
export class Locker {
  readonly pid: number;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child;
    this.pid = child.pid ?? 0;
  }

  static async lock(host: Host, database: string): Promise<Locker> {
    // `ip netns exec` becomes the program, with the same process id.
    const [program = "", ...argv] = host.inside(["sqlite3", database]);
    const child = spawn(program, argv, { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.write(".timeout 10000\nBEGIN EXCLUSIVE;\nSELECT 'locked';\n");
    await once(child.stdout, "data");
    return new Locker(child);
  }

  async release(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.stdin.end("ROLLBACK;\n.quit\n");
    await once(this.#child, "close");
  }
}
