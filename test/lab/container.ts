import { runProgram } from "./commands.ts";
import type { Host } from "./host.ts";
import { until } from "./wait.ts";

const ALONE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sleep", "infinity"];
const RIGHTS = ["setpriv", "--bounding-set", "-sys_ptrace,-perfmon", "--inh-caps", "-sys_ptrace,-perfmon", "--"];

/**
 * Like most containers, has its own PID namespace and a root user that may not look into other users' processes. Adds the command
 * prefix that runs a program in it to `within`, and returns a function that ends all of its processes.
 */
export async function startContainer(host: Host, within: string[]): Promise<() => void> {
  const first = host.spawn(ALONE);
  const pid = await until("its first process runs", async () => {
    const children = await runProgram(["pgrep", "-P", String(first.pid), "sleep"]);
    return children.code === 0 ? children.stdout.trim() : null;
  });
  // nsenter starts in the container's root directory, but the test needs the checkout.
  within.push("nsenter", `--target=${pid}`, "--mount", "--pid", "--", "env", `--chdir=${process.cwd()}`, ...RIGHTS);
  return () => first.kill("SIGKILL");
}
