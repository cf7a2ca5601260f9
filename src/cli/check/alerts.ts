import type { AlertList } from "../../wire/verbs/server.ts";
import { PROGRAM } from "../call.ts";
import { type Finding, ok, some, unknown, warning, wrong } from "./finding.ts";
import type { Check } from "./server.ts";

type Channels = Pick<AlertList, "channels" | "leadOut">;

/** A message about a server that is down cannot lie on that server. */
export function judgeOutside(alerts: Channels | null): Finding {
  if (alerts === null) return unknown("The guard does not answer.");
  const names = some(alerts.channels.map(({ name }) => name));
  if (alerts.leadOut) return ok(`Alerts leave this server: ${names}.`);
  return warning(
    `Alerts go to a mailbox on this server only (${names}): if it is down, no one gets them.`,
    `${PROGRAM} config set alerts.ntfy URL  # or another channel: docs/alerts.md`,
  );
}

export function judgeChannels(alerts: Channels | null): Finding {
  if (alerts === null) return unknown("The guard does not answer.");
  const failing = alerts.channels.filter((channel) => channel.failing !== null);
  if (failing.length > 0)
    return wrong(
      `${some(failing.map(({ name, failing: why }) => `${name} fails: ${why ?? ""}`))}.`,
      `${PROGRAM} alerts test`,
    );
  return ok(`No channel fails: ${some(alerts.channels.map(({ name }) => name))}.`);
}

/** `results` null: it was not asked for. What a channel takes may still not arrive. */
export function judgeTest(
  results: readonly Readonly<{ channel: string; ok: boolean; detail: string }>[] | null,
): Finding {
  const fix = `${PROGRAM} check --send-test  # or ${PROGRAM} alerts test`;
  if (results === null)
    return unknown("No test was sent: whether alerts arrive can only be seen where they arrive.", fix);
  const bad = results.filter((result) => !result.ok);
  if (bad.length > 0)
    return wrong(
      `${some(bad.map(({ channel, detail }) => `${channel} does not take it: ${detail}`))}.`,
      "docs/alerts.md",
    );
  return ok(`Each channel took a test: ${some(results.map(({ channel }) => channel))}. Look whether it arrived.`);
}

export const alerts = [
  {
    name: "outside",
    does: "Looks whether a channel for alerts leads out of this server.",
    look: async (server) => judgeOutside(await server.alerts()),
  },
  {
    name: "channels",
    does: "Asks the guard whether a channel has failed several times in a row.",
    look: async (server) => judgeChannels(await server.alerts()),
  },
  {
    name: "test",
    does: "Sends a test through each channel, if --send-test is given.",
    look: async ({ guard, sendsTest }) => {
      if (!sendsTest) return judgeTest(null);
      const asked = await guard.ask<"alerts_test">({ verb: "alerts_test" });
      return asked.ok ? judgeTest(asked.result.results) : unknown(asked.message, asked.next);
    },
  },
] as const satisfies readonly Check[];
