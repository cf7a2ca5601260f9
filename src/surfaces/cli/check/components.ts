import type { Health } from "../../../admin/declare/items.ts";
import type { ListedMail } from "../../../admin/declare/keeper.ts";
import type { AlertList, ChannelTests } from "../../../admin/server.ts";
import { plural } from "../../../core/text.ts";
import { HOUR_MS, span } from "../../../core/time.ts";
import { PROGRAM } from "../call.ts";
import { firstFew } from "../print/text.ts";
import { check, type Finding, ok, type Server, unknown, warning, wrong } from "./check.ts";

export function judgeComponents(health: Health | null): Finding {
  if (health === null) return wrong("The guard does not answer.", `${PROGRAM} status`);
  const bad = health.components.filter(({ status }) => status !== "ok");
  const states = firstFew(bad.map(({ name, status, detail }) => `${name} is ${status} (${detail})`));
  if (bad.some(({ status }) => status === "down")) return wrong(`${states}.`, `${PROGRAM} status`);
  if (bad.length > 0) return warning(`${states}.`, `${PROGRAM} status`);
  return ok(`All work: ${health.components.map(({ name }) => name).join(", ")}.`);
}

export function judgeNotices(health: Health | null): Finding {
  if (health === null) return wrong("The guard does not answer.", `${PROGRAM} status`);
  const [first] = health.notices;
  if (first === undefined) return ok("The guard reports no problem.");
  return warning(firstFew(health.notices.map(({ code, says }) => `${code}: ${says}`)), first.next);
}

export const components = {
  services: check("Asks the guard whether each component answers the keeper's probes.", async ({ health }) =>
    judgeComponents(await health()),
  ),
  notices: check("Asks the guard for lasting problems.", async ({ health }) => judgeNotices(await health())),
};

/** Longer than any greylisting; also reports a server that is away for a night. */
const OLD_MS = 6 * HOUR_MS;
const MANY = 500;

/** `oldest`: the first mail of the queue that is not on hold, because mail on hold waits for a command. */
export function judgeOldestMail(oldest: Pick<ListedMail, "id" | "at"> | undefined, now: number): Finding {
  if (oldest === undefined) return ok("No mail is waiting for delivery.");
  const age = now - oldest.at;
  const saw = `The oldest mail waiting for delivery is ${oldest.id}, ${span(age)} old.`;
  return age > OLD_MS ? warning(saw, `${PROGRAM} queue list  # says why each mail waits`) : ok(saw);
}

export function judgeLength(total: number): Finding {
  const saw = `${plural(total, "mail")} in the queue.`;
  return total > MANY ? warning(saw, `${PROGRAM} queue list`) : ok(saw);
}

function judgeHold(total: number): Finding {
  if (total === 0) return ok("No mail is on hold.");
  return warning(`${plural(total, "mail")} on hold until released or deleted.`, `${PROGRAM} queue list`);
}

/** Judges the oldest mail of this part of the queue, and how many there are. */
async function inQueue(
  { keeper }: Server,
  where: "anywhere" | "hold" | "loose",
  judge: (total: number, oldest: ListedMail | undefined) => Finding,
): Promise<Finding> {
  const chosen = { ids: [], senders: [], recipient: null, after: null, limit: 1 };
  const asked = await keeper.ask({ verb: "list_mail", ...chosen, where });
  return asked.ok ? judge(asked.total ?? 0, asked.queue?.[0]) : unknown(asked.reason, `${PROGRAM} status`);
}

export const queue = {
  age: check("Measures how long the oldest mail has waited for delivery.", (server) =>
    inQueue(server, "loose", (_, oldest) => judgeOldestMail(oldest, server.now)),
  ),
  hold: check("Counts the mails on hold, which wait for a command.", (server) => inQueue(server, "hold", judgeHold)),
  length: check("Counts the mails in the queue.", (server) => inQueue(server, "anywhere", judgeLength)),
};

type Channels = Pick<AlertList, "channels" | "leadOut">;

/** An alert that mail does not flow is useless if it waits in the same queue. */
export function judgeOutside(alerts: Channels | null): Finding {
  if (alerts === null) return unknown("The guard does not answer.");
  const names = firstFew(alerts.channels.map(({ name }) => name));
  if (alerts.leadOut) return ok("Alerts that mail does not flow don't depend on this server's own mail queue.");
  return warning(
    `Alerts go only through this server's own mail queue (${names}): while mail does not flow, no one gets them.`,
    `${PROGRAM} config set alerts.ntfy URL  # or another channel: docs/alerts.md`,
  );
}

function judgeChannels(alerts: Channels | null): Finding {
  if (alerts === null) return unknown("The guard does not answer.");
  const failing = alerts.channels.flatMap(({ name, failing: why }) => (why === null ? [] : [`${name} fails: ${why}`]));
  if (failing.length > 0) return wrong(`${firstFew(failing)}.`, `${PROGRAM} alerts test`);
  return ok(`Every channel works: ${firstFew(alerts.channels.map(({ name }) => name))}.`);
}

/** `results`: null if no test was requested. A channel may accept an alert that then never arrives. */
export function judgeTest(results: ChannelTests["results"] | null): Finding {
  const fix = `${PROGRAM} check --send-test  # or ${PROGRAM} alerts test`;
  if (results === null) return unknown("No test was sent; only the recipient can tell whether alerts arrive.", fix);
  const rejected = results.filter((result) => !result.ok);
  const reasons = rejected.map(({ channel, detail }) => `${channel} rejected it: ${detail}`);
  if (reasons.length > 0) return wrong(`${firstFew(reasons)}.`, "docs/alerts.md");
  return ok(
    `Every channel accepted a test: ${firstFew(results.map(({ channel }) => channel))}. Check that it arrived.`,
  );
}

export const alerts = {
  outside: check("Checks whether alerts can leave without this server's own mail queue.", async (server) =>
    judgeOutside(await server.alerts()),
  ),
  channels: check("Asks the guard whether a channel has failed several times in a row.", async (server) =>
    judgeChannels(await server.alerts()),
  ),
  test: check("Sends a test through each channel, if --send-test is given.", async ({ guard, sendsTest }) => {
    if (!sendsTest) return judgeTest(null);
    const asked = await guard.ask({ verb: "alerts_test" });
    return asked.ok ? judgeTest(asked.result.results) : unknown(asked.message, asked.next);
  }),
};
