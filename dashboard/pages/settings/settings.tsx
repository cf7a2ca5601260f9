import { useState } from "preact/hooks";
import type { PreviewAnswer, SettingsAnswer, UndoItem } from "../../../src/admin/settings.ts";
import { t } from "../../admin-texts.ts";
import { get, post } from "../../api.ts";
import { tell } from "../../attempt.ts";
import { Choice } from "../../fields.tsx";
import { Card, Field, Said, useAttempt, useLoaded, Waiting } from "../../parts.tsx";
import { go, route } from "../../route.ts";
import { Advice } from "../../rows.tsx";
import { withProof } from "../../session.ts";
import { changesOf, type Edits, fieldText, found, groupOf, type Setting, withEdit } from "./setting-edit.ts";
import { SettingPreview } from "./setting-preview.tsx";

type Changed = Readonly<{ changed: readonly string[]; undoUntil: string | null }>;

/** What is applied is what was looked at. */
type LookedAt = Readonly<{ changes: ReturnType<typeof changesOf>; preview: PreviewAnswer }>;

const USUAL_GROUP = "limits";
/** Of a search. A group has fewer. */
const MOST_SHOWN = 50;

export function SettingsPage() {
  const list = useLoaded(() => get<SettingsAnswer>("settings"), []);
  const { data, reload } = list;
  const [edits, setEdits] = useState<Edits>({});
  const [lookedAt, setLookedAt] = useState<LookedAt | null>(null);
  const { isBusy, attempt } = useAttempt();
  const words = t.value.settings;
  const changes = changesOf(edits, data?.items ?? []);
  const count = Object.keys(changes).length;
  const look = (): void =>
    attempt(async () => setLookedAt({ changes, preview: await post<PreviewAnswer>("settings/preview", { changes }) }));
  const apply = ({ changes: seen, preview: { digest } }: LookedAt): void =>
    attempt(async () => {
      const { changed } = await withProof(() => post<Changed>("settings", { changes: seen, digest }));
      setEdits({});
      setLookedAt(null);
      tell(words.applied(changed.join(", ")));
      reload();
    });
  const undo = (): void =>
    attempt(async () => {
      const { changed } = await withProof(() => post<Changed>("settings/undo", { digest: data?.digest }));
      tell(words.undone(changed.join(", ")));
      reload();
    });
  return (
    <>
      {data === null && <Waiting {...list} />}
      {data?.undo !== null && data?.undo !== undefined && <LastChange {...data.undo} undo={undo} />}
      {lookedAt !== null && (
        <SettingPreview
          preview={lookedAt.preview}
          isBusy={isBusy}
          apply={() => apply(lookedAt)}
          back={() => isBusy || setLookedAt(null)}
        />
      )}
      {lookedAt === null && count > 0 && (
        <div class="bar pending" role="status">
          <strong>{words.changed(count)}</strong>
          <span class="spacer" />
          <button type="button" class="primary" aria-disabled={isBusy} onClick={look}>
            {words.look}
          </button>
          <button type="button" aria-disabled={isBusy} onClick={() => isBusy || setEdits({})}>
            {words.discard}
          </button>
        </div>
      )}
      {data !== null && lookedAt === null && (
        <div class="stack" inert={isBusy}>
          <Listed items={data.items} edits={edits} setEdits={setEdits} />
        </div>
      )}
    </>
  );
}

function LastChange({ keys, by, undo }: UndoItem & Readonly<{ undo: () => void }>) {
  const words = t.value.settings;
  return (
    <section class="card" aria-label={words.undo}>
      <p>
        <Said text={words.last(keys.join(", "), by)} /> {words.undoUntil}
      </p>
      <div class="buttons">
        <button type="button" onClick={undo}>
          {words.undo}
        </button>
      </div>
    </section>
  );
}

type ListedProps = Readonly<{ items: readonly Setting[]; edits: Edits; setEdits: (edits: Edits) => void }>;

function Listed({ items, edits, setEdits }: ListedProps) {
  const words = t.value.settings;
  const { q = "", group = USUAL_GROUP } = route.value.query;
  const all = found(items, group, q);
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
      <Card title={q.trim() === "" ? group : t.value.nav.settings}>
        {shown.length === 0 && <p class="empty">{words.none}</p>}
        <ul class="rows">
          {shown.map((setting) => (
            <li key={setting.key} class="row option">
              <SettingRow setting={setting} edits={edits} edit={(text) => setEdits(withEdit(edits, setting, text))} />
            </li>
          ))}
        </ul>
        {all.length > shown.length && <p class="hint">{words.more(all.length - shown.length)}</p>}
      </Card>
    </>
  );
}

type Props = Readonly<{ setting: Setting; edits: Edits; edit: (text: string | null) => void }>;

function SettingRow({ setting, edits, edit }: Props) {
  const { key, says, whyNot, isHidden, inFile, from, line, takes } = setting;
  const words = t.value.settings;
  const edited = edits[key];
  // The button goes: its focus goes to the field.
  const reset = ({ currentTarget }: Readonly<{ currentTarget: HTMLElement }>): void => {
    currentTarget.closest("p")?.querySelector<HTMLElement>("input, select")?.focus();
    edit(null);
  };
  const origin = from === "default" ? words.origin.default : from === "file" ? words.origin.file(line) : from;
  return (
    <>
      <p class="setting">
        <strong id={`s-${key}`}>
          <bdi>{key}</bdi>
        </strong>
        {whyNot === null ? (
          <Input
            setting={setting}
            text={edited === undefined ? setting.value : edited}
            isRaw={edited === undefined}
            edit={edit}
          />
        ) : (
          <code>{isHidden ? words.secret : setting.value}</code>
        )}
        <small>{edited === null ? words.toDefault : origin}</small>
        {whyNot === null && from === "file" && edited !== null && (
          <button type="button" class="quiet" aria-label={words.reset(key)} onClick={reset}>
            {words.resetShort}
          </button>
        )}
      </p>
      {inFile !== null && !isHidden && <p class="error">{words.unapplied(inFile)}</p>}
      <p class="hint">
        <Advice text={says} /> <Said text={whyNot ?? `${words.takes}: ${takes}; ${words.byDefault(setting.default)}`} />
      </p>
    </>
  );
}

type InputProps = Readonly<{ setting: Setting; text: string | null; isRaw: boolean; edit: (text: string) => void }>;

function Input({ setting, text, isRaw, edit }: InputProps) {
  const { key, form } = setting;
  const words = t.value.settings;
  const value = text === null ? fieldText(setting.default) : isRaw ? fieldText(text) : text;
  const label = `s-${key}`;
  const choices = form.type === "switch" ? ["true", "false"] : form.type === "choice" ? form.choices : null;
  if (choices !== null)
    return (
      <select aria-labelledby={label} value={value} onChange={({ currentTarget }) => edit(currentTarget.value)}>
        {choices.map((one) => (
          <option key={one} value={one}>
            {one === "true" ? words.on : one === "false" ? words.off : one}
          </option>
        ))}
      </select>
    );
  const isNumber = form.type === "number" || form.type === "decimal";
  return (
    <input
      aria-labelledby={label}
      autocomplete="off"
      spellcheck={false}
      maxLength={4_000}
      inputMode={isNumber ? "decimal" : "text"}
      value={value}
      onInput={({ currentTarget }) => edit(currentTarget.value)}
    />
  );
}
