import { useEffect, useState } from "preact/hooks";
import { t } from "../admin-texts.ts";
import { attempt, tell } from "../attempt.ts";
import { readForExport } from "../event-export.ts";
import type { EventFilter } from "../event-query.ts";
import { csvOf, save } from "../export.ts";
import { moment, whole } from "../format.ts";
import { language } from "../messages.ts";

type Format = "csv" | "json";

/** Saves what the filter wants as a file. Leaving the page stops it. */
export function ExportButtons({ filter }: Readonly<{ filter: EventFilter }>) {
  const [count, setCount] = useState<number | null>(null);
  const [stop] = useState(() => new AbortController());
  useEffect(() => () => stop.abort(), []);
  const words = t.value.events;
  const start = (format: Format): void => {
    if (count !== null) return;
    setCount(0);
    attempt(() => saveAs(format, filter, stop.signal, setCount).finally(() => setCount(null)));
  };
  return (
    <div class="buttons">
      <span>{count !== null && words.exporting(whole(count, language.value))}</span>
      {(["csv", "json"] as const).map((format) => (
        <button key={format} type="button" aria-disabled={count !== null} onClick={() => start(format)}>
          {words.export} {format.toUpperCase()}
        </button>
      ))}
    </div>
  );
}

async function saveAs(
  format: Format,
  filter: EventFilter,
  stop: AbortSignal,
  progress: (count: number) => void,
): Promise<void> {
  const read = await readForExport(filter, stop, progress);
  if (read === null) return;
  const { items, searchedTo } = read;
  const name = `ghostinbox-events-${new Date().toISOString().slice(0, 10)}.${format}`;
  if (format === "csv") save(name, "text/csv", csvOf(items));
  else save(name, "application/json", `${JSON.stringify(items, null, 1)}\n`);
  const words = t.value.events;
  const end = searchedTo === null ? "" : ` ${words.searched(moment(searchedTo, Date.now(), language.value))}`;
  tell(`${words.exported(items.length)}${end}`);
}
