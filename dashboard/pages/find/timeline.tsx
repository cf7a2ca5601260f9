import { useState } from "preact/hooks";
import type { TimelineStep } from "../../../src/admin/declare/items.ts";
import { eventName, t, toneOf } from "../../admin-texts.ts";
import { At, Button, Card, Said } from "../../parts.tsx";

const words = t.find;

const SHOWN_AT_ONCE = 50;

/** The steps come oldest first, and are shown newest first. `isWhole`: this is all of them. */
export function Timeline({ steps, isWhole }: Readonly<{ steps: readonly TimelineStep[]; isWhole: boolean }>) {
  const [most, setMost] = useState(SHOWN_AT_ONCE);
  const newest = steps.toReversed().slice(0, most);
  return (
    <Card title={words.story}>
      {steps.length === 0 && <p class="empty">{words.nothing}</p>}
      <ol class="timeline">
        {newest.map((step) => (
          <Step key={step.id} {...step} />
        ))}
      </ol>
      {!isWhole && <p>{words.incomplete}</p>}
      {steps.length > most && (
        <p>
          {words.shown(newest.length, steps.length)}{" "}
          <Button shown={words.more} onClick={() => setMost(most + SHOWN_AT_ONCE)} />
        </p>
      )}
    </Card>
  );
}

function Step({ at, type, details, meaning, evidence, lift, settings, source }: TimelineStep) {
  return (
    <li>
      <p class="head">
        <At iso={at} how="moment" />
        <span class={`type ${toneOf(type)}`}>{eventName(type)}</span>
        <small>{source}</small>
      </p>
      {meaning !== "" && <Said within="p" text={meaning} />}
      <p class="record">
        <Said text={details} />
      </p>
      <dl>
        {evidence !== "" && <Pair name={words.evidence} value={evidence} />}
        {lift !== null && <Pair name={t.now.todo} value={lift} />}
        {settings.length > 0 && <Pair name={words.settings} value={settings.join(", ")} />}
      </dl>
    </li>
  );
}

function Pair({ name, value }: Readonly<{ name: string; value: string }>) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Said text={value} />
      </dd>
    </div>
  );
}
