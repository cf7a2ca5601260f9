import { t } from "../../admin-texts.ts";
import type { Answer } from "../../api.ts";
import { LanguageCard } from "../../controls.tsx";
import { health, version } from "../../live.ts";
import { Card, SafeText, Time, useAnswer, Waiting } from "../../parts.tsx";
import { hrefOf, route } from "../../route.ts";
import { Advice } from "../../rows.tsx";
import { tabbedPage } from "../list-parts.tsx";
import { SessionsCard, TokensCard } from "./access.tsx";
import { AlertsPart, StateRow } from "./alerts.tsx";
import { Security } from "./security.tsx";
import { DnsPart, UpkeepPart } from "./upkeep.tsx";

const words = t.system;

export const SystemPage = tabbedPage([
  { name: "state", title: words.state, Content: SystemState },
  { name: "alerts", title: words.alerts, Content: AlertsPart },
  { name: "upkeep", title: words.upkeep, Content: UpkeepPart },
  { name: "dns", title: words.dns, Content: DnsPart },
  { name: "access", title: words.access, Content: Access },
  { name: "security", title: words.security, Content: Security },
]);

function Access() {
  return (
    <>
      <SessionsCard />
      <TokensCard />
    </>
  );
}

function SystemState() {
  // Without the stream, as behind a proxy that buffers, the page still shows the state.
  const status = useAnswer("GET /status", {});
  const known = health.value ?? status.data;
  return (
    <>
      {known === null ? <Waiting {...status} /> : <HealthCards {...known} />}
      <p>
        <a href={hrefOf("settings")}>{words.settings}</a>
      </p>
      <LanguageCard />
    </>
  );
}

function HealthCards({ notices, components }: Answer<"GET /status">) {
  const asked = route.value.query["notice"];
  return (
    <>
      <Card title={words.notices}>
        {notices.length === 0 && <p class="empty">{words.noNotices}</p>}
        <ul class="rows">
          {notices.map(({ code, since, says, detail, next }) => (
            <li key={code} class={code === asked ? "row notice asked" : "row notice"}>
              <p>
                <SafeText within="strong" text={says} />{" "}
                <small>
                  <Time iso={since} how="distance" />
                </small>
              </p>
              <SafeText within="p" text={detail} />
              <p>
                {t.now.todo}: <Advice text={next} />
              </p>
            </li>
          ))}
        </ul>
      </Card>
      <Card title={words.components}>
        <ul class="rows">
          {components.map((one) => (
            <StateRow key={one.name} {...one} />
          ))}
        </ul>
        {version.value !== "" && <p class="hint">GhostInbox {version.value}</p>}
      </Card>
    </>
  );
}
