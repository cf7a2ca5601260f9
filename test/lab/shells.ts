import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { connectionsIn } from "../../src/host/kernel/listeners.ts";
import { patience } from "../kit/patience.ts";
import type { Lab } from "./lab.ts";
import { SERVER } from "./network.ts";
import { until } from "./wait.ts";

/** Sends back each line while its connection is open. */
const ECHO = `
  use IO::Socket::INET; $SIG{CHLD} = "IGNORE"; $| = 1;
  my $listener = IO::Socket::INET->new(LocalPort => shift, Listen => 5, ReuseAddr => 1) or die; print "ready\\n";
  while (my $socket = $listener->accept) { next if fork; $socket->autoflush(1); print $socket $_ while <$socket>; exit }
`;
const DATAGRAMS = `
  use IO::Socket::INET; $| = 1;
  my $socket = IO::Socket::INET->new(LocalPort => shift, Proto => "udp") or die; print "ready\\n";
  $socket->recv(my $data, 9000) while 1;
`;

export type Shell = Awaited<ReturnType<ReturnType<typeof shellsOn>["open"]>>;

/** Programs on the server that keep sessions open, as sshd does: by their kernel names. */
export function shellsOn({ server, sender, directory }: Lab) {
  const children: ChildProcess[] = [];
  return {
    listen: async (name: string, port: number, protocol: "tcp" | "udp" = "tcp"): Promise<void> => {
      const program = join(directory, name);
      copyFileSync("/usr/bin/perl", program);
      const text = protocol === "tcp" ? ECHO : DATAGRAMS;
      children.push(await server.spawnReady([program, "-e", text, String(port)], true));
    },

    /** A session from this address, and the variable with which sshd would describe it to its shell. */
    open: async (from: string, port: number) => {
      const opened = await sender.connect({ from, to: SERVER.v4, port });
      if (!opened.ok) throw new Error(`${port} from ${from}: ${opened.code}`);
      const connection = await until("the session is listed", async () =>
        connectionsIn(await server.mustExec(["ss", "-Hnt", "state", "established"])).findLast(
          (one) => one.startsWith(`${from} `) && one.endsWith(` ${port}`),
        ),
      );
      return { socket: opened.socket, connection };
    },

    end: (): void => {
      for (const { pid } of children.splice(0)) if (pid !== undefined) process.kill(-pid, "SIGKILL");
    },
  };
}

/** Whether a session still answers. */
export async function echoes({ socket }: Shell): Promise<boolean> {
  socket.write("are you there?\n");
  const signal = AbortSignal.timeout(patience(5_000));
  const closed = once(socket, "close", { signal }).then(() => []);
  const answered = await Promise.race([once(socket, "data", { signal }), closed]).catch(() => []);
  return String(answered).includes("are you there?");
}
