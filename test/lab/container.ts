import { type ChildProcess, spawn } from "node:child_process";
import { runProgram } from "./commands.ts";
import type { Host } from "./host.ts";
import { until } from "./wait.ts";

/** Like most containers: a PID namespace, and a root that may not look into other users' processes. */
export class Container {
  /** The command prefix that runs a program in it. Empty until it has started. */
  readonly within: string[] = [];
  #first: ChildProcess | null = null;

  async start(host: Host): Promise<void> {
    const alone = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sleep", "infinity"];
    const [program = "", ...argv] = host.inside(alone);
    const first = spawn(program, argv, { stdio: "ignore" });
    this.#first = first;
    const pid = await until("its first process runs", async () => {
      const children = await runProgram(["pgrep", "-P", String(first.pid), "sleep"]);
      return children.code === 0 ? children.stdout.trim() : null;
    });
    const rights = ["setpriv", "--bounding-set", "-sys_ptrace,-perfmon", "--inh-caps", "-sys_ptrace,-perfmon", "--"];
    // Entering starts in its root directory; the test runs in the checkout.
    this.within.push(
      "nsenter",
      `--target=${pid}`,
      "--mount",
      "--pid",
      "--",
      "env",
      `--chdir=${process.cwd()}`,
      ...rights,
    );
  }

  /** Ends all of its processes. */
  end(): void {
    this.#first?.kill("SIGKILL");
  }
}
