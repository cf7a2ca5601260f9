import { useState } from "preact/hooks";
import type { Health } from "../../../src/admin/declare/items.ts";
import type { AlertItem, AlertList, ChannelTests } from "../../../src/admin/server.ts";
import { t } from "../../admin-texts.ts";
import { request } from "../../api.ts";
import { ActionButton } from "../../controls.tsx";
import { tasksKey } from "../../live.ts";
import { Card, Rows, SafeText, State, Time, useAnswer, useAttempt } from "../../parts.tsx";
import { Advice } from "../../rows.tsx";

const words = t.system.alertList;

const MOST_SHOWN = 20;

export function AlertsPart() {
  const list = useAnswer("GET /alerts", { query: { limit: MOST_SHOWN } }, tasksKey.value);
  const { data, reload } = list;
  return (
    <>
      {data !== null && <Channels {...data} tested={reload} />}
      <Card title={words.title}>
        <Rows of={list} none={words.none}>
          {(item) => <AlertRow key={`${item.code} ${item.subject} ${item.openedAt}`} {...item} />}
        </Rows>
        {data !== null && data.total > data.items.length && <p class="hint">{words.older}</p>}
      </Card>
    </>
  );
}

type ChannelsProps = Pick<AlertList, "channels" | "leadOut"> & Readonly<{ tested: () => void }>;

function Channels({ channels, leadOut, tested }: ChannelsProps) {
  const busy = useAttempt();
  const [results, setResults] = useState<ChannelTests["results"]>([]);
  const test = async (): Promise<void> => {
    setResults((await request("POST /alerts/test")).results);
    tested();
  };
  const button = <ActionButton text={busy.isBusy ? words.testing : words.test} busy={busy} run={test} />;
  return (
    <Card title={words.channels} aside={button}>
      {!leadOut && <p>{words.local}</p>}
      <ul class="rows">
        {channels.map(({ name, failing: why }) => (
          <StateRow key={name} name={name} {...outcome(why === null, words.works, words.fails)} detail={why ?? ""} />
        ))}
      </ul>
      <div role="status">
        <ul class="rows">
          {results.map(({ channel, ok, detail }) => (
            <StateRow key={channel} name={channel} {...outcome(ok, words.taken, words.refused)} detail={detail} />
          ))}
        </ul>
      </div>
    </Card>
  );
}

function outcome(isOk: boolean, good: string, bad: string) {
  return { status: isOk ? "ok" : "down", says: isOk ? good : bad } as const;
}

type StateRowProps = Readonly<{ name: string; status: Health["status"]; says?: string; detail: string }>;

/** A component or a channel. `says`: its state in words; by default the page's word for `status`. */
export function StateRow({ name, status, says, detail }: StateRowProps) {
  return (
    <li class="row component">
      <SafeText within="strong" text={name} />
      <State status={status}>{says}</State>
      <SafeText text={detail} />
    </li>
  );
}

const SHAPES = { info: "ok", warning: "degraded", critical: "down" } as const;

function AlertRow({ severity, says, subject, detail, next, openedAt, resolvedAt }: AlertItem) {
  return (
    <li class="row notice">
      <p>
        <State status={SHAPES[severity]}>{words.severities[severity]}</State>{" "}
        <SafeText within="strong" text={subject === "" ? says : `${says} (${subject})`} />
      </p>
      <SafeText within="p" text={detail} />
      {resolvedAt === null && (
        <p>
          {t.now.todo}: <Advice text={next} />
        </p>
      )}
      <small>
        <Time iso={openedAt} how="moment" /> – {resolvedAt !== null && <Time iso={resolvedAt} how="moment" />}
        {resolvedAt === null ? words.open : ` (${words.over})`}
      </small>
    </li>
  );
}
