import type { DnsReport, PublishedRecord } from "../../src/wire/control/upkeep.ts";
import { t } from "../admin-texts.ts";
import { get, queryOf } from "../api.ts";
import { Copy } from "../copy.tsx";
import { At, Card, Said, State, useLoaded, Waiting } from "../parts.tsx";
import { go, route } from "../route.ts";

/** The records of a domain as they should be and as they are. */
export function DnsPart() {
  const { domain = "" } = route.value.query;
  const { data, error, reload } = useLoaded(() => get<DnsReport>(`dns${queryOf({ domain })}`), [domain]);
  const words = t.value.upkeep;
  if (data === null) return <Waiting error={error} reload={reload} />;
  return (
    <Card title={words.records}>
      <Waiting error={error} reload={reload} isLoaded />
      <label class="field narrow">
        <span>{words.domain}</span>
        <select onChange={({ currentTarget }) => go("system", { show: "dns", domain: currentTarget.value })}>
          {data.domains.map((name) => (
            <option key={name} value={name} selected={name === data.domain}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <p class="hint">
        {words.checked} <At iso={data.checkedAt} how="moment" />. {words.once}{" "}
        <button type="button" onClick={reload}>
          {t.value.live.retry}
        </button>
      </p>
      <ul class="rows">
        {data.records.map((record) => (
          <RecordRow key={`${record.type} ${record.name} ${record.value}`} record={record} />
        ))}
      </ul>
      <p class="hint">
        {words.more} <code>{words.dnsMore}</code>
      </p>
    </Card>
  );
}

function shapeOf({ status, required }: PublishedRecord): "ok" | "degraded" | "down" {
  if (status === "ok") return "ok";
  return required && status !== "unknown" ? "down" : "degraded";
}

function RecordRow({ record }: Readonly<{ record: PublishedRecord }>) {
  const { name, type, value, says, required, status, detail } = record;
  const words = t.value.upkeep;
  return (
    <li class="row act">
      <div>
        <p>
          <State status={shapeOf(record)}>{words.statuses[status]}</State> <strong>{type}</strong> <Said text={name} />{" "}
          {!required && <small>{words.optional}</small>}
        </p>
        <p>
          <small>
            {words.shouldBe}: {value === "" ? words.whichever : <code class="said">{value}</code>}
          </small>
        </p>
        <p>
          <small>
            {words.is}: <Said text={detail} />
          </small>
        </p>
        <p>
          <small>
            <Said text={says} />
          </small>
        </p>
      </div>
      {value !== "" && <Copy text={value} what={`${type} ${name}`} />}
    </li>
  );
}
