import { runProgram } from "./commands.ts";
import type { Host } from "./host.ts";
import { until } from "./wait.ts";

const ALONE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sleep", "infinity"];
const RIGHTS = ["setpriv", "--bounding-set", "-sys_ptrace,-perfmon", "--inh-caps", "-sys_ptrace,-perfmon", "--"];

/**
 * Like most containers: a PID namespace, and a root that may not look into other users' processes. Adds to `within` the command
 * prefix that runs a program in it, and returns a function that ends all of its processes.
 */
export async function startContainer(host: Host, within: string[]): Promise<() => void> {
  const first = host.spawn(ALONE);
  const pid = await until("its first process runs", async () => {
    const children = await runProgram(["pgrep", "-P", String(first.pid), "sleep"]);
    return children.code === 0 ? children.stdout.trim() : null;
  });
  // Entering starts in its root directory; the test runs in the checkout.
  within.push("nsenter", `--target=${pid}`, "--mount", "--pid", "--", "env", `--chdir=${process.cwd()}`, ...RIGHTS);
  return () => first.kill("SIGKILL");
}
