import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { VERDICTS } from "./columns.ts";
import { ECS_FIELDS, ECS_KEYS, ecsAction } from "./ecs.ts";
import { EVENT_TYPES, type EventType, eventTypes, meaningOf } from "./event-types.ts";

const PAGE = new URL("../../../docs/reference/events.md", import.meta.url);

test("docs/reference/events.md matches the code", () => {
  if (process.env["UPDATE_EXPECTED"] === "1") writeFileSync(PAGE, eventsMarkdown());
  const hint = "it is stale: run this test with UPDATE_EXPECTED=1 and commit the page";
  assert.ok(readFileSync(PAGE, "utf8") === eventsMarkdown(), hint);
});

test("the page lists every type once, and no table has an empty cell", () => {
  const page = eventsMarkdown();
  for (const type of EVENT_TYPES) assert.equal(page.split(`| \`${type}\` |`).length, 2, type);
  assert.ok(!/\|\s*\|\s*$/m.test(page) && !/\|  \|/.test(page));
});

/** `docs/reference/events.md` */
function eventsMarkdown(): string {
  return [
    "# Events",
    "",
    "Made from `src/core/events/event-types.ts`; do not edit it by hand.",
    "",
    "Everything that happens is recorded as an event: a connection, a mail, a sign-in, a ban, a command. You read them with",
    "`./ghostinbox events`, explained with `./ghostinbox why`, as JSON by the [API](../api.md), and with any SQLite client in",
    "the view `security_events`. Types and field names never change their meaning.",
    "",
    "Many log systems (Elasticsearch, OpenSearch, Wazuh) name fields by the Elastic Common Schema (ECS). The tables below say",
    "which field of it each part of an event is. `./ghostinbox events --ecs` prints events with these fields, and",
    "[siem.md](../siem.md) explains how to send them to a log system. `./ghostinbox events --types` prints every type.",
    "",
    "## Fields",
    "",
    "A field is null where it does not apply. `account` and `actor`: in an event that has an actor, the actor is the user",
    "(`user.name`), and the account is the one that was changed (`user.target.name`).",
    "",
    "| field | what it is | ECS |",
    "|---|---|---|",
    ...ECS_KEYS.map((key) => `| \`${key}\` | ${ECS_FIELDS[key].says} | \`${ECS_FIELDS[key].ecs}\` |`),
    "",
    "`type` is `event.code`; in lower case, with dashes, it is `event.action` (`EMAIL_BLOCKED` is `email-blocked`). `details`",
    "and `action` are the same in words, for people; in ECS they are `message`.",
    "",
    "## Verdicts",
    "",
    "Where the table of types says “by verdict”, `event.outcome` follows from `verdict`.",
    "",
    "| verdict | what it is | `event.outcome` |",
    "|---|---|---|",
    ...Object.entries(VERDICTS).map(([verdict, { says, outcome }]) => `| \`${verdict}\` | ${says} | ${outcome} |`),
    ...[...Map.groupBy(eventTypes(), ({ group }) => group)].flatMap(([group, types]) => [
      "",
      `## ${group}`,
      "",
      "| type | what happened | `event.action` | `event.category` | `event.type` | `event.outcome` |",
      "|---|---|---|---|---|---|",
      ...types.map(({ type }) => rowOf(type)),
    ]),
    "",
  ].join("\n");
}

function rowOf(type: EventType): string {
  const { says, category, type: types, outcome } = meaningOf(type);
  const cells = [`\`${type}\``, says, ecsAction(type), category.join(", "), types.join(", "), outcome ?? "by verdict"];
  return `| ${cells.join(" | ")} |`;
}
