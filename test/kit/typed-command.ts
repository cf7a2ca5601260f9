import type { Command, Reply } from "../../src/admin/declare/control.ts";
import { connect } from "../../src/programs/command-line/connect.ts";
import { controlOnSocket } from "./control-on-socket.ts";
import { script } from "./script-world.ts";
import { dataDirectory } from "./test-guard.ts";

export const NOW = Date.UTC(2026, 10, 20, 8);

/** Runs the command line at a terminal where `answer` is typed, if any, with a guard that gives this reply. */
export async function typed(
  line: string,
  replies: (command: Command) => Reply,
  answer: string | null = null,
  variables: Readonly<Record<string, string>> = { SSH_CONNECTION: "192.0.2.99 50000 198.51.100.1 22" },
) {
  using layout = dataDirectory();
  const asked: Command[] = [];
  let question = "";
  const ask = (text: string) => {
    question = text;
    return Promise.resolve(answer);
  };
  await using _ = await controlOnSocket(layout.controlSocket, "root", ({ command }) => {
    if (command.verb === "ping") return { ok: true, result: { pid: 1 } };
    asked.push(command);
    return replies(command);
  });
  const env = { GHOSTINBOX_DATA: layout.data, ...variables };
  const person = { interactive: answer !== null, ask };
  const ran = await script(line.split(" "), { env, now: () => NOW, connect, person });
  return { ...ran, question, asked };
}
