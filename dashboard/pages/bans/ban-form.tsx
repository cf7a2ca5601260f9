import { useState } from "preact/hooks";
import type { AddressAnswer } from "../../../src/admin/declare/items.ts";
import { t } from "../../admin-texts.ts";
import { request } from "../../api.ts";
import { ActionButton, Choice, Form } from "../../controls.tsx";
import { isPast } from "../../format.ts";
import { language } from "../../messages.ts";
import { Field, fieldsOf, now, OpenedCard, SafeText, Time, useFormValues } from "../../parts.tsx";
import { kindOf } from "../find/search.ts";
import { type BanRequest, ban, effectsOf, LONGEST_NOTE } from "./ban-commands.ts";

const words = t.bans;

type Preview = Readonly<{ request: BanRequest; of: AddressAnswer }>;

/**
 * Bans an address or a network after a preview, which comes from `GET /why/{ip}` and not from a dry run. Its row appears when
 * the stream reports the ban, because the list (`useBans`) is then read again.
 */
export function BanForm({ target, close }: Readonly<{ target: string; close: () => void }>) {
  const form = useFormValues({ ip: target });
  const [preview, setPreview] = useState<Preview | null>(null);
  const showPreview = async (asked: Readonly<Record<string, string>>): Promise<void> => {
    const { ip = "", reason = "", for: duration = "" } = asked;
    if (kindOf(ip) !== "address") throw new Error(words.noAddress(ip));
    const of = await request("GET /why/{ip}", { params: { ip } });
    // Not if the reader has changed a field since.
    const isCurrent = JSON.stringify(fieldsOf(form.current)) === JSON.stringify(asked);
    if (isCurrent) setPreview({ request: { ip, reason, for: duration }, of });
  };
  // A late answer must not close a form that was opened since, or leave another page.
  const made = (): void => {
    if (form.current !== null) close();
  };
  return (
    <OpenedCard title={words.ban}>
      <Form label={words.preview} formRef={form} submit={showPreview} close={close} onInput={() => setPreview(null)}>
        <Field label={words.target} name="ip" required maxLength={64} placeholder="203.0.113.7" />
        <Field label={words.reason} name="reason" maxLength={LONGEST_NOTE} />
        <BanDurationField unset={words.asConfigured} />
      </Form>
      {preview !== null && (
        <div class="preview" role="status">
          <h3>{words.would}</h3>
          <ul>
            {effectsOf(preview.request.ip, preview.of).map((effect) => (
              <SafeText key={effect} within="li" text={effect} lang={language} />
            ))}
          </ul>
          <ActionButton
            text={words.confirm(preview.request.ip)}
            kind="danger"
            run={() => ban(preview.request).then(made)}
          />
        </div>
      )}
    </OpenedCard>
  );
}

/** `unset`: the text of the choice without a duration, which also replaces a duration with the same text. */
export function BanDurationField({ unset }: Readonly<{ unset: string }>) {
  const others = Object.entries(words.durations).filter(([, text]) => text !== unset);
  return <Choice label={t.duration.label} name="for" choices={[["", unset], ...others]} />;
}

export function Expiry({ at, isOver = false }: Readonly<{ at: string | null; isOver?: boolean }>) {
  if (isOver || isPast(at, now.value)) return words.over;
  if (at === null) return words.never;
  return <Time iso={at} how="distance" word={words.ends} />;
}
