import { useState } from "preact/hooks";
import type { Health } from "../../../src/admin/declare/items.ts";
import type { AlertItem, AlertList, ChannelTests } from "../../../src/admin/server.ts";
import { t } from "../../admin-texts.ts";
import { post, queryOf } from "../../api.ts";
import { whatWaits } from "../../live.ts";
import { At, Button, Card, Rows, Said, State, useAttempt, useGet } from "../../parts.tsx";
import { Advice } from "../../rows.tsx";

const words = t.system.alertList;

const MOST_SHOWN = 20;

export function AlertsPart() {
  const list = useGet<AlertList>(`alerts${queryOf({ limit: MOST_SHOWN })}`, whatWaits.value);
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
  const { isBusy, attempt } = useAttempt();
  const [results, setResults] = useState<ChannelTests["results"]>([]);
  const test = (): void =>
    attempt(async () => {
      setResults((await post<ChannelTests>("alerts/test", {})).results);
      tested();
    });
  const button =
    channels.length > 0 ? (
      <Button shown={isBusy ? words.testing : words.test} aria-disabled={isBusy} onClick={test} />
    ) : undefined;
  return (
    <Card title={words.channels} aside={button}>
      {channels.length === 0 && <p class="empty">{words.noChannels}</p>}
      {channels.length > 0 && !leadOut && <p>{words.local}</p>}
      <ul class="rows">
        {channels.map(({ name, failing }) => (
          <StateRow
            key={name}
            name={name}
            status={failing === null ? "ok" : "down"}
            says={failing === null ? words.works : words.fails}
            detail={failing ?? ""}
          />
        ))}
      </ul>
      <div role="status">
        <ul class="rows">
          {results.map(({ channel, ok, detail }) => (
            <StateRow
              key={channel}
              name={channel}
              status={ok ? "ok" : "down"}
              says={ok ? words.taken : words.refused}
              detail={detail}
            />
          ))}
        </ul>
      </div>
    </Card>
  );
}

type StateRowProps = Readonly<{ name: string; status: Health["status"]; says?: string; detail: string }>;

/** A component or a channel. `says`: its state in words; by default the page's word for `status`. */
export function StateRow({ name, status, says, detail }: StateRowProps) {
  return (
    <li class="row component">
      <Said within="strong" text={name} />
      <State status={status}>{says}</State>
      <Said text={detail} />
    </li>
  );
}

const SHAPES = { info: "ok", warning: "degraded", critical: "down" } as const;

function AlertRow({ severity, says, subject, detail, next, openedAt, resolvedAt }: AlertItem) {
  return (
    <li class="row notice">
      <p>
        <State status={SHAPES[severity]}>{words.severities[severity]}</State>{" "}
        <Said within="strong" text={subject === "" ? says : `${says} (${subject})`} />
      </p>
      <Said within="p" text={detail} />
      {resolvedAt === null && (
        <p>
          {t.now.todo}: <Advice text={next} />
        </p>
      )}
      <small>
        <At iso={openedAt} how="moment" /> – {resolvedAt !== null && <At iso={resolvedAt} how="moment" />}
        {resolvedAt === null ? words.open : ` (${words.over})`}
      </small>
    </li>
  );
}
