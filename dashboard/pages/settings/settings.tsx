import { effect, signal } from "@preact/signals";
import type { UndoItem } from "../../../src/admin/settings.ts";
import { t } from "../../admin-texts.ts";
import { type Answer, request } from "../../api.ts";
import { Choice } from "../../controls.tsx";
import { isPast } from "../../format.ts";
import { language } from "../../messages.ts";
import { Button, Card, Field, now, SafeText, Time, useAnswer, useAttempt, Waiting } from "../../parts.tsx";
import { go, route } from "../../route.ts";
import { Advice } from "../../rows.tsx";
import { change, reader } from "../../session.ts";
import { changesOf, type Edits, fieldText, findSettings, groupOf, type Setting, withEdit } from "./setting-edit.ts";
import { SettingPreview } from "./setting-preview.tsx";

const words = t.settings;

/** Only the previewed changes are applied. */
type Previewed = Readonly<{ changes: ReturnType<typeof changesOf>; preview: Answer<"POST /settings/preview"> }>;

const USUAL_GROUP = "limits";
/** Maximum results of a search. A group has fewer. */
const MOST_SHOWN = 50;

/** Kept while the reader follows a link, such as one in the preview; the next reader starts without them. */
const edits = signal<Edits>({});
const previewed = signal<Previewed | null>(null);
effect(() => {
  if (reader.value === null) discard();
});

function discard(): void {
  edits.value = {};
  previewed.value = null;
}

export function SettingsPage() {
  const list = useAnswer("GET /settings", {});
  const { data, reload } = list;
  const { isBusy, attempt } = useAttempt();
  const changes = changesOf(edits.value, data?.items ?? []);
  const count = Object.keys(changes).length;
  const seen = previewed.value;
  const showPreview = (): void =>
    attempt(async () => {
      previewed.value = { changes, preview: await request("POST /settings/preview", { body: { changes } }) };
    });
  const send = (ask: () => Promise<Answer<"POST /settings">>, message: (keys: string) => string): Promise<void> =>
    change(ask, reload, ({ changed }) => message(changed.join(", ")));
  const apply = ({ changes: wanted, preview: { digest } }: Previewed): void => {
    const body = { changes: wanted, digest };
    attempt(() => send(() => request("POST /settings", { body }), words.applied).then(discard));
  };
  const undo = (): void => {
    const body = { digest: data?.digest ?? "" };
    attempt(() => send(() => request("POST /settings/undo", { body }), words.undone));
  };
  return (
    <>
      <Waiting {...list} />
      {data !== null && data.undo !== null && !isPast(data.undo.until, now.value) && (
        <LastChange {...data.undo} undo={undo} />
      )}
      {seen !== null && (
        <SettingPreview
          preview={seen.preview}
          isBusy={isBusy}
          apply={() => apply(seen)}
          back={() => isBusy || (previewed.value = null)}
        />
      )}
      {seen === null && count > 0 && (
        <div class="bar pending" role="status">
          <strong>{words.changed(count)}</strong>
          <span class="spacer" />
          <Button text={t.bans.preview} class="primary" aria-disabled={isBusy} onClick={showPreview} />
          <Button text={words.discard} aria-disabled={isBusy} onClick={() => isBusy || discard()} />
        </div>
      )}
      {data !== null && seen === null && (
        <div class="stack" inert={isBusy}>
          <Listed items={data.items} />
        </div>
      )}
    </>
  );
}

function LastChange({ keys, by, until, undo }: UndoItem & Readonly<{ undo: () => void }>) {
  return (
    <section class="card" aria-label={words.undo}>
      <p>
        <SafeText text={words.last(keys.join(", "), by)} lang={language} /> {words.undoUntil}{" "}
        <Time iso={until} how="moment" />.
      </p>
      <div class="buttons">
        <Button text={words.undo} onClick={undo} />
      </div>
    </section>
  );
}

function Listed({ items }: Readonly<{ items: readonly Setting[] }>) {
  const { q = "", group = USUAL_GROUP } = route.value.query;
  const all = findSettings(items, group, q);
  const shown = all.slice(0, MOST_SHOWN);
  const groups = [...new Set(items.map(({ key }) => groupOf(key)))];
  return (
    <>
      <p class="hint">{words.hint}</p>
      <div class="fields">
        <Choice
          label={words.group}
          choices={groups.map((name) => [name, name])}
          value={group}
          onChange={({ currentTarget }) => go("settings", { group: currentTarget.value })}
        />
        <Field
          label={words.search}
          type="search"
          maxLength={100}
          value={q}
          onInput={({ currentTarget }) => go("settings", { group, q: currentTarget.value }, "replace")}
        />
      </div>
      <Card title={q.trim() === "" ? group : t.nav.settings}>
        {shown.length === 0 && <p class="empty">{words.none}</p>}
        <ul class="rows">
          {shown.map((setting) => (
            <SettingRow
              key={setting.key}
              setting={setting}
              edited={edits.value[setting.key]}
              edit={(text) => (edits.value = withEdit(edits.value, setting, text))}
            />
          ))}
        </ul>
        {all.length > shown.length && <p class="hint">{words.more(all.length - shown.length)}</p>}
      </Card>
    </>
  );
}

type Props = Readonly<{ setting: Setting; edited: string | null | undefined; edit: (text: string | null) => void }>;

/** `edited`: what the reader wrote; null restores the default; undefined means no edit. */
function SettingRow({ setting, edited, edit }: Props) {
  const { key, says, whyNot, isHidden, inFile, from, line, takes } = setting;
  // The button disappears, so its focus moves to the field.
  const reset = ({ currentTarget }: Readonly<{ currentTarget: HTMLElement }>): void => {
    currentTarget.closest("p")?.querySelector<HTMLElement>("input, select")?.focus();
    edit(null);
  };
  const origin = from === "default" ? words.origin.default : from === "file" ? words.origin.file(line) : from;
  return (
    <li class="row option">
      <p class="setting">
        <strong id={`s-${key}`}>
          <bdi>{key}</bdi>
        </strong>
        {whyNot === null ? (
          <Input
            setting={setting}
            value={edited ?? fieldText(edited === null ? setting.default : setting.value)}
            edit={edit}
          />
        ) : (
          <code>{isHidden ? words.secret : setting.value}</code>
        )}
        <small>{edited === null ? words.toDefault : origin}</small>
        {whyNot === null && from === "file" && edited !== null && (
          <Button text={words.resetShort} class="quiet" aria-label={words.reset(key)} onClick={reset} />
        )}
      </p>
      {inFile !== null && !isHidden && <p class="error">{words.unapplied(inFile)}</p>}
      <p class="hint" id={`h-${key}`}>
        <Advice text={says} /> {whyNot === null && `${words.takes}: `}
        <SafeText text={whyNot ?? takes} />
        {whyNot === null && `; ${words.byDefault(setting.default)}`}
      </p>
    </li>
  );
}

type InputProps = Readonly<{ setting: Setting; value: string; edit: (text: string) => void }>;

function Input({ setting: { key, form }, value, edit }: InputProps) {
  const named = { "aria-labelledby": `s-${key}`, "aria-describedby": `h-${key}` };
  const choices = form.type === "switch" ? ["true", "false"] : form.type === "choice" ? form.choices : null;
  if (choices !== null)
    return (
      <select {...named} value={value} onChange={({ currentTarget }) => edit(currentTarget.value)}>
        {choices.map((one) => (
          <option key={one} value={one}>
            {one === "true" ? words.on : one === "false" ? words.off : one}
          </option>
        ))}
      </select>
    );
  return (
    <input
      {...named}
      autocomplete="off"
      spellcheck={false}
      inputMode={form.type === "number" ? "numeric" : form.type === "decimal" ? "decimal" : "text"}
      value={value}
      onInput={({ currentTarget }) => edit(currentTarget.value)}
    />
  );
}
