import { useState } from "preact/hooks";
import { t } from "../../admin-texts.ts";
import { request } from "../../api.ts";
import { hourAndMinute, whole } from "../../format.ts";
import { serverTime } from "../../live.ts";
import { Card, minute, useLoaded, Waiting } from "../../parts.tsx";
import { Table } from "../../rows.tsx";
import { pointsOf, roundUp } from "./chart.ts";

const words = t.now;

type Series = Readonly<Record<"mails_in" | "refused" | "logins_failed", readonly number[]>>;
type DayFigures = Readonly<{ from: string; to: string; stepSeconds: number; series: Series }>;
type Line = Readonly<{ name: string; style: string; values: readonly number[] }>;

const DAY_MS = 86_400_000;
const STEP_SECONDS = 900;
const BOX = { width: 960, height: 160 };
/** Steps between two times below the chart: six hours. */
const TICK_STEPS = 24;

/** The last 24 hours, as lines that differ in more than their colour, and as a table. */
export function DayChart() {
  const readDay = (): Promise<DayFigures> => {
    const from = new Date(serverTime() - DAY_MS).toISOString();
    return request("GET /figures", { query: { from, step: STEP_SECONDS } });
  };
  const day = useLoaded(readDay, [], minute.value);
  return (
    <Card title={words.chart}>
      <Waiting {...day} />
      {day.data !== null && <Lines of={day.data} />}
    </Card>
  );
}

function Lines({ of }: Readonly<{ of: DayFigures }>) {
  const [isOpen, setOpen] = useState(false);
  const { from, to, stepSeconds, series } = of;
  // Only completed steps, because with the unfinished last one, mail would seem to have stopped.
  const steps = Math.floor((Date.parse(to) - Date.parse(from)) / 1_000 / stepSeconds);
  const lines: readonly Line[] = [
    { name: words.mails, style: "mails", values: series.mails_in.slice(0, steps) },
    { name: words.refused, style: "refused", values: series.refused.slice(0, steps) },
    { name: words.failed, style: "failed", values: series.logins_failed.slice(0, steps) },
  ];
  const most = roundUp(Math.max(0, ...lines.flatMap(({ values }) => values)));
  return (
    <figure class="chart">
      <figcaption>
        {lines.map(({ name, style }) => (
          <span key={style}>
            <svg viewBox="0 0 32 8" width="32" height="8" aria-hidden="true">
              <polyline class={style} points="0,4 32,4" />
            </svg>{" "}
            {name}
          </span>
        ))}
        <span class="hint">{words.most(whole(most))}</span>
      </figcaption>
      <svg
        viewBox={`0 -4 ${BOX.width} ${BOX.height + 8}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={words.chart}
      >
        <path class="grid" d={`M0 0H${BOX.width}M0 ${BOX.height / 2}H${BOX.width}M0 ${BOX.height}H${BOX.width}`} />
        {lines.map(({ style, values }) => (
          <polyline key={style} class={style} points={pointsOf(values, most, BOX)} />
        ))}
      </svg>
      <div class="times" aria-hidden="true">
        {Array.from({ length: Math.floor(steps / TICK_STEPS) }, (_, index) => (
          <span key={index}>{timeOf(of, index * TICK_STEPS)}</span>
        ))}
      </div>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{words.table}</summary>
        {isOpen && (
          <Table
            head={[words.time, ...lines.map(({ name }) => name)]}
            rows={Array.from({ length: steps }, (_, step) => [
              timeOf(of, step),
              ...lines.map(({ values }) => whole(values[step] ?? 0)),
            ])}
          />
        )}
      </details>
    </figure>
  );
}

function timeOf({ from, stepSeconds }: DayFigures, step: number): string {
  return hourAndMinute(Date.parse(from) + step * stepSeconds * 1_000);
}
