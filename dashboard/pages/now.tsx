import type { Health, OwnerTask } from "../../src/admin/declare/items.ts";
import { eventName, t } from "../admin-texts.ts";
import { hourAndMinute, whole } from "../format.ts";
import { figures, health, liveness, taskKey } from "../live.ts";
import { Address, Card, LinkButton, minute, Rows, SafeText, State, Time, useAnswer, Waiting } from "../parts.tsx";
import { hrefOf, type PageName, type Query } from "../route.ts";
import { Advice, useBans } from "../rows.tsx";
import { DayChart } from "./now/day-chart.tsx";

const words = t.now;

const MOST_SHOWN = 6;

export function NowPage() {
  const known = health.value;
  return (
    <>
      {known !== null && <Headline health={known} />}
      {known !== null && <ToDo tasks={known.needsYou} />}
      <FiguresOfDay />
      <DayChart />
      <div class="columns">
        <NewBans />
        <Busiest />
      </div>
      {known !== null && <Components {...known} />}
    </>
  );
}

type Sentence = readonly [status: Health["status"], text: string];

function sentenceOf({ headline, components, needsYou }: Health): Sentence {
  const named = (wanted: Health["status"]): readonly string[] =>
    components.flatMap((one) => (one.status === wanted ? [one.name] : []));
  const cause = needsYou.find(({ code }) => code === headline)?.says ?? "";
  // Mail has stopped, or no one can reach the server.
  const stopped: Sentence = ["down", cause];
  const partlyStopped: Sentence = ["degraded", cause];
  const sentences: Readonly<Record<Health["headline"], Sentence>> = {
    guard_down: ["down", words.guardDown],
    down: ["down", words.down(named("down").join(", "))],
    degraded: ["degraded", words.degraded([...named("down"), ...named("degraded")].join(", "))],
    disk_full: stopped,
    disk_read_only: stopped,
    isolated: stopped,
    ports_blocked: stopped,
    sign_ins_blocked: partlyStopped,
    certificate_expired: partlyStopped,
    domain_missing: partlyStopped,
    dns_failing: partlyStopped,
    mail_unstored: partlyStopped,
    relay_refuses: partlyStopped,
    outgoing_blocked: partlyStopped,
    tasks: ["degraded", words.tasks(needsYou.length)],
    well: ["ok", words.well],
  };
  // If the server was upgraded while the page was open, it may send a headline that the page does not know.
  return sentences[headline] ?? partlyStopped;
}

function Headline({ health: known }: Readonly<{ health: Health }>) {
  const live = liveness.value;
  const [status, text]: Sentence =
    live.kind === "silent" ? ["down", words.silent(hourAndMinute(live.since))] : sentenceOf(known);
  return (
    <p class={`sentence ${status}`} role="status">
      <State status={status}>{text}</State>
    </p>
  );
}

/** The list is updated even under a resting pointer, which would otherwise hide new tasks. */
function ToDo({ tasks }: Readonly<{ tasks: Health["needsYou"] }>) {
  if (tasks.length === 0) return null;
  return (
    <Card title={words.todo}>
      <ul class="rows">
        {tasks.map((task) => {
          const [page, query, label] = placeOf(task);
          return (
            <li key={taskKey(task)} class="row notice">
              <p>
                <SafeText within="strong" text={task.says} />
                <br />
                <Advice text={task.action} />
              </p>
              <LinkButton text={label} href={hrefOf(page, query)} />
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

type Place = readonly [page: PageName, query: Query, label: string];
const ABOUT_BANS = ["bans_in_force", "many_bans"];

function placeOf({ kind, code, account }: OwnerTask): Place {
  if (kind === "held_mail") return ["mail", { show: "held" }, words.seeHeld];
  if (kind === "dns") return ["system", { show: "dns" }, words.see];
  if (ABOUT_BANS.includes(code)) return ["bans", {}, words.allBans];
  if (account !== null) return ["accounts", { name: account }, words.seeAccount];
  if (code === "outgoing_blocked") return ["system", { show: "upkeep" }, words.see];
  return kind === "alert" ? ["system", { show: "alerts" }, words.seeAlerts] : ["system", { notice: code }, words.see];
}

function FiguresOfDay() {
  const known = figures.value;
  const day = known?.day;
  const refused = day === undefined ? undefined : day.refused + day.deferred;
  // A figure may count several types of event, but the list can show only one, so the link names that type.
  const shown: readonly (readonly [string, number | undefined, string | null])[] = [
    [words.bans, known?.bans, null],
    [words.mails, day?.mails_in, "EMAIL_ACCEPTED"],
    [words.refusedOrDeferred, refused, "EMAIL_BLOCKED"],
    [words.signIns, day?.logins, "LOGIN_SUCCEEDED"],
    [words.failed, day?.logins_failed, "LOGIN_FAILED"],
  ];
  return (
    <section aria-label={words.figures} class="figures">
      {shown.map(([name, value, type]) => (
        <a
          key={name}
          class="card figure"
          href={type === null ? hrefOf("bans") : hrefOf("events", { type })}
          title={type === null ? undefined : t.events.only(eventName(type))}
        >
          <span class="name">{name}</span> <strong>{value === undefined ? "…" : whole(value)}</strong>
        </a>
      ))}
    </section>
  );
}

function NewBans() {
  const newest = useBans({ limit: MOST_SHOWN });
  const bans = newest.data?.rows.shown.value;
  const all = <LinkButton text={words.allBans} href={hrefOf("bans")} />;
  return (
    <Card title={words.newBans} aside={all}>
      <Waiting {...newest} />
      {bans?.length === 0 && <p class="empty">{t.bans.none}</p>}
      <ul class="rows">
        {bans?.map(({ prefix, level, reason, createdAt }) => (
          <li key={prefix} class="row brief">
            <Address of={prefix} /> <span class={`badge ${level}`}>{t.bans.levels[level]}</span>
            <Time iso={createdAt} how="distance" />
            <span class="wide">
              <SafeText text={reason} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Components({ components }: Health) {
  const all = <LinkButton text={words.see} href={hrefOf("system")} />;
  return (
    <Card title={t.system.components} aside={all}>
      <ul class="components">
        {components.map(({ name, status }) => (
          <li key={name}>
            <SafeText text={name} /> <State status={status} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Busiest() {
  const ranking = useAnswer("GET /top", { query: { by: "mails", limit: MOST_SHOWN } }, minute.value);
  return (
    <Card title={words.busiest}>
      <Rows of={ranking} none={words.noMails}>
        {({ ip, count }) => (
          <li key={ip} class="row brief">
            <Address of={ip} /> <span>{words.busy(whole(count))}</span>
          </li>
        )}
      </Rows>
    </Card>
  );
}
