import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { userIds } from "../src/adapters/machine/system-users.ts";
import type { Lab } from "../test/lab/lab.ts";
import { until } from "../test/lab/wait.ts";
import { Child } from "./child.ts";
import { pinned, SERVER_CPU } from "./cpus.ts";
import { accepts } from "./guard.ts";

/** The real Postgrey as Debian starts it, but for its directory and a unix socket. */
export async function startPostgrey(lab: Lab): Promise<Readonly<{ socket: string; child: Child }>> {
  const directory = join(lab.directory, "postgrey");
  const socket = join(directory, "socket");
  const { uid, gid } = userIds("postgrey");
  mkdirSync(directory);
  chownSync(directory, uid, gid);
  const argv = ["postgrey", `--unix=${socket}`, `--dbdir=${directory}`, "--hostname=mail.example.org"];
  const child = new Child(lab.server.inside(pinned(SERVER_CPU, argv)));
  await until("Postgrey listens", () => {
    child.mustRun();
    return accepts(socket);
  });
  return { socket, child };
}
