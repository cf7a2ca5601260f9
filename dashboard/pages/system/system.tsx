import type { JSX } from "preact";
import type { Health } from "../../../src/admin/declare/items.ts";
import { t } from "../../admin-texts.ts";
import { get } from "../../api.ts";
import { LanguageField } from "../../fields.tsx";
import { secondsUp, uptime } from "../../format.ts";
import { health, version } from "../../live.ts";
import { At, Card, now, Said, State, useLoaded, Waiting } from "../../parts.tsx";
import { hrefOf, route } from "../../route.ts";
import { may, reader } from "../../session.ts";
import { Heading } from "../../shell.tsx";
import { SessionsCard, TokensCard } from "./access.tsx";
import { AlertsPart } from "./alerts.tsx";
import { Security } from "./security.tsx";
import { DnsPart, UpkeepPart } from "./upkeep.tsx";

type Part = Readonly<{
  name: "state" | "alerts" | "upkeep" | "dns" | "access" | "security";
  isOffered: boolean;
  show: () => JSX.Element;
}>;

export function SystemPage() {
  const words = t.value.system;
  const parts: readonly Part[] = [
    { name: "state", isOffered: true, show: SystemState },
    { name: "alerts", isOffered: true, show: AlertsPart },
    { name: "upkeep", isOffered: true, show: UpkeepPart },
    { name: "dns", isOffered: true, show: DnsPart },
    { name: "access", isOffered: may("admin"), show: Access },
    { name: "security", isOffered: may("admin"), show: Security },
  ];
  const offered = parts.filter(({ isOffered }) => isOffered);
  const shown = offered.find(({ name }) => name === route.value.query["show"]) ?? offered[0];
  if (shown === undefined) return <Heading>{words.title}</Heading>;
  const Shown = shown.show;
  return (
    <>
      <Heading>{words.title}</Heading>
      <nav class="tabs" aria-label={words.parts}>
        {offered.map(({ name }) => (
          <a
            key={name}
            href={hrefOf("system", { show: name === "state" ? "" : name })}
            aria-current={name === shown.name ? "page" : undefined}
          >
            {words[name]}
          </a>
        ))}
      </nav>
      <Shown key={shown.name} />
    </>
  );
}

function Access() {
  return (
    <>
      <SessionsCard />
      <TokensCard />
    </>
  );
}

/** What you should know, the components, and what concerns this page. */
export function SystemState() {
  // A guard that was restarted tells so by its health.
  const { data, error, reload } = useLoaded(readStatus, [health.value]);
  const known = health.value ?? data?.health ?? null;
  const words = t.value.system;
  return (
    <>
      {known === null ? <Waiting error={error} reload={reload} /> : <Known health={known} status={data} />}
      {may("admin") && (
        <p>
          <a href={hrefOf("settings")}>{words.settings}</a>
        </p>
      )}
      <Card title={words.page}>
        {reader.value !== null && <p>{words.you(reader.value.name, words.roles[reader.value.role])}</p>}
        <LanguageField />
      </Card>
    </>
  );
}

type Status = Readonly<{ health: Health; readAt: number }>;

async function readStatus(): Promise<Status> {
  return { health: await get<Health>("status"), readAt: Date.now() };
}

function Known({ status, ...props }: Readonly<{ health: Health; status: Status | null }>) {
  const { notices, components } = props.health;
  const words = t.value.system;
  const up = status === null ? null : secondsUp(status.health.uptimeSeconds, status.readAt, now.value);
  const asked = route.value.query["notice"];
  return (
    <>
      <Card title={words.notices}>
        {notices.length === 0 && <p class="empty">{words.noNotices}</p>}
        <ul class="rows">
          {notices.map(({ code, since, says, detail, next }) => (
            <li key={code} class={code === asked ? "row notice asked" : "row notice"}>
              <p>
                <strong>
                  <Said text={says} />
                </strong>{" "}
                <small>
                  <At iso={since} how="distance" />
                </small>
              </p>
              <p>
                <Said text={detail} />
              </p>
              <p>
                {t.value.find.lift}: <Said text={next} />
              </p>
            </li>
          ))}
        </ul>
      </Card>
      <Card title={words.components}>
        <ul class="rows">
          {components.map(({ name, status, detail }) => (
            <li key={name} class="row component">
              <strong>{name}</strong>
              <State status={status} />
              <Said text={detail} />
            </li>
          ))}
        </ul>
        <p class="hint">
          {version.value !== "" && `GhostInbox ${version.value}. `}
          {up !== null && words.up(uptime(up))}
        </p>
      </Card>
    </>
  );
}
