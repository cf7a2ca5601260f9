import { t } from "../admin-texts.ts";
import { Said } from "../parts.tsx";
import { type Edits, fieldText, type Setting } from "../setting-edit.ts";

type Props = Readonly<{ setting: Setting; edits: Edits; edit: (text: string | null) => void }>;

/** One setting: its value, or a field of its kind, where it comes from, and what it does. */
export function SettingRow({ setting, edits, edit }: Props) {
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
        <Said text={says} /> <Said text={whyNot ?? `${words.takes}: ${takes}; ${words.byDefault(setting.default)}`} />
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
