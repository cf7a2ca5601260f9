import type { CertificateReport, DnsReport, PublishedRecord, UpkeepItem } from "../../../src/admin/declare/reports.ts";
import { t } from "../../admin-texts.ts";
import { Choice } from "../../controls.tsx";
import { language } from "../../messages.ts";
import { Button, Card, now, Rows, SafeText, State, Time, useAnswer, Waiting } from "../../parts.tsx";
import { go, route } from "../../route.ts";
import { Copy } from "../../secrets.tsx";

const words = t.upkeep;

export function DnsPart() {
  const { domain = "" } = route.value.query;
  const report = useAnswer("GET /dns", { query: { domain } });
  const { data, isCurrent, reload } = report;
  if (data === null) return <Waiting {...report} />;
  return (
    <Card title={words.records}>
      <div class="narrow">
        <Choice
          label={words.domain}
          choices={data.domains.map((name) => [name, name])}
          chosen={data.domain}
          onChange={({ currentTarget }) => go("system", { show: "dns", domain: currentTarget.value })}
        />
      </div>
      <Waiting {...report} />
      {isCurrent && <Records of={data} reload={reload} />}
    </Card>
  );
}

function Records({ of, reload }: Readonly<{ of: DnsReport; reload: () => void }>) {
  return (
    <>
      <p class="hint">
        {words.checked} <Time iso={of.checkedAt} how="moment" />. {words.once}{" "}
        <Button text={t.lists.refresh} onClick={reload} />
      </p>
      <ul class="rows">
        {of.records.map((record) => (
          <RecordRow key={`${record.type} ${record.name} ${record.value}`} record={record} />
        ))}
      </ul>
      <p class="hint">
        {words.more} <code>{`./ghostinbox dns records ${of.domain}`}</code>
      </p>
    </>
  );
}

function shapeOf({ status, required }: PublishedRecord): "ok" | "degraded" | "down" {
  if (status === "ok") return "ok";
  return required && status !== "unknown" ? "down" : "degraded";
}

function RecordRow({ record }: Readonly<{ record: PublishedRecord }>) {
  const { name, type, value, says, required, status, detail } = record;
  return (
    <li class="row act">
      <div>
        <p>
          <State status={shapeOf(record)}>{words.statuses[status]}</State> <strong>{type}</strong>{" "}
          <SafeText text={name} /> {!required && <small>{words.optional}</small>}
        </p>
        <small>
          {words.shouldBe}: {value === "" ? words.whichever : <code class="typed">{value}</code>}
          <br />
          {words.is}: <SafeText text={detail} />
          <br />
          <SafeText text={says} />
        </small>
      </div>
      {value !== "" && <Copy text={value} what={`${type} ${name}`} />}
    </li>
  );
}

/** An unknown state is neither good nor bad: it is marked for attention. */
const SHAPES = { ok: "ok", degraded: "degraded", down: "down", unknown: "degraded" } as const;

export function UpkeepPart() {
  const list = useAnswer("GET /upkeep", {});
  return (
    <>
      <Card title={t.upkeep.title}>
        <Rows of={list}>{(item) => <UpkeepRow key={item.name} item={item} />}</Rows>
      </Card>
      <Certificate />
    </>
  );
}

function UpkeepRow({ item: { name, state, at, says, command } }: Readonly<{ item: UpkeepItem }>) {
  return (
    <li class="row act">
      <p>
        <strong>{words.names[name]}</strong> <State status={SHAPES[state]}>{words.states[state]}</State>{" "}
        {at !== null && (
          <small>
            <Time iso={at} how="distance" />
          </small>
        )}
        <br />
        <SafeText text={says} />
        <br />
        <small>
          {words.more} <code>{command}</code>
        </small>
      </p>
      <Copy text={command} what={command} />
    </li>
  );
}

function Certificate() {
  const report = useAnswer("GET /certificate", {});
  return (
    <Card title={t.upkeep.certificate}>
      <Waiting {...report} />
      {report.data !== null && <Facts {...report.data} />}
    </Card>
  );
}

function Facts({ names, issuer, isSelfSigned, notAfter, fingerprint, trouble, ports }: CertificateReport) {
  const left = Date.parse(notAfter) - now.value;
  return (
    <ul class="facts">
      <li>
        <State status={left <= 0 ? "down" : "ok"}>
          {words.until} {new Date(notAfter).toLocaleDateString(language, { dateStyle: "medium" })}
        </State>{" "}
        (<Time iso={notAfter} how="distance" />)
      </li>
      <li>
        {words.names_}: <SafeText text={names.join(", ")} />
      </li>
      <li>
        {words.issuer}:{" "}
        {isSelfSigned ? <State status="degraded">{words.selfSigned}</State> : <SafeText text={issuer} />}
      </li>
      <li>
        {words.fingerprint}: <code class="typed">{fingerprint}</code>{" "}
        <Copy text={fingerprint} what={words.fingerprint} />
      </li>
      {trouble !== null && (
        <li>
          <State status="down">
            <SafeText text={trouble} />
          </State>
        </li>
      )}
      {ports.map(({ port, isServed }) => (
        <li key={port}>
          <State status={isServed === true ? "ok" : "down"}>
            {isServed === null ? words.silent(port) : isServed ? words.served(port) : words.other(port)}
          </State>
        </li>
      ))}
    </ul>
  );
}
