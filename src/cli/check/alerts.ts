import type { AlertList } from "../../wire/verbs/server.ts";
import { PROGRAM } from "../call.ts";
import { type Finding, ok, some, unknown, warning, wrong } from "./finding.ts";
import type { Check } from "./server.ts";

type Channels = Pick<AlertList, "channels" | "leadOut">;

/** An alert that the server is down is useless in a mailbox on that server. */
export function judgeOutside(alerts: Channels | null): Finding {
  if (alerts === null) return unknown("The guard does not answer.");
  const names = some(alerts.channels.map(({ name }) => name));
  if (alerts.leadOut) return ok(`Alerts leave this server: ${names}.`);
  return warning(
    `Alerts go only to a mailbox on this server (${names}): if the server is down, no one gets them.`,
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
  return ok(`Every channel works: ${some(alerts.channels.map(({ name }) => name))}.`);
}

/** `results` null: no test was requested. A channel may accept an alert that never arrives. */
export function judgeTest(
  results: readonly Readonly<{ channel: string; ok: boolean; detail: string }>[] | null,
): Finding {
  const fix = `${PROGRAM} check --send-test  # or ${PROGRAM} alerts test`;
  if (results === null) return unknown("No test was sent; only the recipient can tell whether alerts arrive.", fix);
  const bad = results.filter((result) => !result.ok);
  if (bad.length > 0)
    return wrong(`${some(bad.map(({ channel, detail }) => `${channel} rejected it: ${detail}`))}.`, "docs/alerts.md");
  return ok(`Every channel accepted a test: ${some(results.map(({ channel }) => channel))}. Check that it arrived.`);
}

export const alerts = [
  {
    name: "outside",
    does: "Checks whether a channel for alerts leads out of this server.",
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
