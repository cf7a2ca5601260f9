import { createKeeperClient } from "../../host/sockets/keeper-client.ts";
import type { Layout } from "../../settings/layout.ts";
import { failed, PROGRAM } from "../../surfaces/cli/call.ts";
import { callerName, createGuardClient } from "../../surfaces/cli/guard-client.ts";
import type { World } from "../../surfaces/cli/run.ts";

/** The programs and databases of a data directory. */
export function connect(layout: Layout, env: NodeJS.ProcessEnv): ReturnType<World["connect"]> {
  const guard = createGuardClient(layout, callerName(env));
  const opened: (() => void)[] = [];
  return {
    guard,
    keeper: createKeeperClient(layout.keeperSocket),
    reader: async () => {
      const running = await guard.ask<"ping">({ verb: "ping" });
      if (!running.ok) return running;
      const answer = (await import("../../surfaces/cli/open-reader.ts")).openReader(layout);
      if (!answer.ok) return failed(answer.reason, `\`${PROGRAM} status\` shows more.`);
      opened.push(answer.close);
      return answer;
    },
    close: () => {
      for (const close of opened.splice(0)) close();
    },
  };
}
