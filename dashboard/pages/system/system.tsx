import type { Health } from "../../../src/admin/declare/items.ts";
import { t } from "../../admin-texts.ts";
import { get } from "../../api.ts";
import { LanguageField } from "../../fields.tsx";
import { secondsUp, uptime } from "../../format.ts";
import { health, version } from "../../live.ts";
import { At, Card, now, Said, State, useLoaded, Waiting } from "../../parts.tsx";
import { hrefOf, route } from "../../route.ts";
import { Advice } from "../../rows.tsx";
import { may, reader } from "../../session.ts";
import { Parts } from "../list-parts.tsx";
import { SessionsCard, TokensCard } from "./access.tsx";
import { AlertsPart } from "./alerts.tsx";
import { Security } from "./security.tsx";
import { DnsPart, UpkeepPart } from "./upkeep.tsx";

const words = t.system;

export function SystemPage() {
  const ofOwner = [
    { name: "access", title: words.access, show: Access },
    { name: "security", title: words.security, show: Security },
  ];
  return (
    <Parts
      page="system"
      parts={[
        { name: "state", title: words.state, show: SystemState },
        { name: "alerts", title: words.alerts, show: AlertsPart },
        { name: "upkeep", title: words.upkeep, show: UpkeepPart },
        { name: "dns", title: words.dns, show: DnsPart },
        ...(may("admin") ? ofOwner : []),
      ]}
    />
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

function SystemState() {
  // A guard that was restarted tells so by its health.
  const status = useLoaded(readStatus, [health.value]);
  const { data } = status;
  const known = health.value ?? data?.health ?? null;
  return (
    <>
      {known === null ? <Waiting {...status} /> : <Known health={known} status={data} />}
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
                <Said within="strong" text={says} />{" "}
                <small>
                  <At iso={since} how="distance" />
                </small>
              </p>
              <Said within="p" text={detail} />
              <p>
                {t.now.todo}: <Advice text={next} />
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
