import { useEffect, useState } from "preact/hooks";
import { attempt } from "../attempt.ts";
import { DOUBLE_CLICK_MS, pressed, type Stage } from "../press.ts";

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
