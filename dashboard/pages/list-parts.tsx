import { useEffect, useState } from "preact/hooks";
import { attempt } from "../attempt.ts";
import { t } from "../messages.ts";
import { DOUBLE_CLICK_MS, pressed, type Stage } from "../press.ts";
import type { PageName, Query } from "../route.ts";
import { turnTo } from "../shell.tsx";

type PagesProps = Readonly<{ page: PageName; query: Query; by: "before" | "after"; at: string; next: string | null }>;

/** The way to the next page of a list, and back to the first. `by`: where the address says behind what the page goes on. */
export function Pages({ page, query, by, at, next }: PagesProps) {
  const words = t.value.accounts;
  return (
    <div class="bar">
      <span class="spacer" />
      {at !== "" && (
        <button type="button" onClick={() => turnTo(page, query)}>
          {words.first}
        </button>
      )}
      {next !== null && (
        <button type="button" onClick={() => turnTo(page, { ...query, [by]: next })}>
          {words.more}
        </button>
      )}
    </div>
  );
}

type SurelyProps = Readonly<{ label?: string; shown: string; surely: string; kind?: string; run: () => Promise<void> }>;

/**
 * A button that says what it does when it is pressed, and does it when it is pressed again. `label` names it where `shown` is short;
 * `kind` is its class until then.
 */
export function Surely({ label, shown, surely, kind, run }: SurelyProps) {
  const [stage, setStage] = useState<Stage>("rests");
  useEffect(() => {
    const timer = stage === "asks" ? setTimeout(() => setStage("armed"), DOUBLE_CLICK_MS) : undefined;
    return () => clearTimeout(timer);
  }, [stage]);
  const press = ({ detail }: MouseEvent): void => {
    const next = pressed(stage, detail);
    if (next === stage) return;
    setStage(next);
    if (next === "runs") attempt(() => run().finally(() => setStage("rests")));
  };
  const asks = stage !== "rests";
  return (
    <button
      type="button"
      class={asks ? "danger" : kind}
      aria-label={asks ? surely : label}
      aria-disabled={stage === "asks" || stage === "runs"}
      onClick={press}
      onBlur={() => setStage((last) => (last === "runs" ? last : "rests"))}
    >
      {asks ? surely : shown}
    </button>
  );
}
